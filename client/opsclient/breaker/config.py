"""The settings of a circuit breaker, checked when they are made."""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from opsclient.breaker.choices import WindowType
from opsclient.breaker.errors import CircuitBreakerOpenError
from opsclient.errors import ConfigurationError

ExceptionRule = type[Exception] | Callable[[Exception], bool]

LARGEST_WINDOW = 100_000  # calls, or seconds
MOST_PERMITS = 10_000
LONGEST_S = 7 * 24 * 3600.0
MOST_DOUBLINGS = 64  # the open time stops growing then at the latest, before a float does
# What a console may change while the breaker runs. The other fields are code.
TUNABLE = (
    "failure_threshold",
    "success_threshold",
    "timeout_seconds",
    "timeout_multiplier",
    "max_timeout_seconds",
    "timeout_jitter",
    "window_type",
    "window_size",
    "minimum_number_of_calls",
    "failure_rate_threshold",
    "slow_call_rate_threshold",
    "slow_call_duration_seconds",
    "permitted_calls_in_half_open",
    "max_half_open_seconds",
    "deadline_seconds",
)
# No call was made, or somebody took it back: that says nothing of the service.
_NOT_MADE = (CircuitBreakerOpenError, CancelledError)
THRESHOLDS = ("failure_threshold", "failure_rate_threshold", "slow_call_rate_threshold")


@dataclass(frozen=True)
class CircuitConfig:
    """When a breaker opens, how long it stays open, and what closes it. Raises ConfigurationError naming the field.

    It opens by whichever of its three rules is met first; None turns a rule off:
    failure_threshold: so many failures with no success between them. failure_rate_threshold, slow_call_rate_threshold: percent
    (above 0, up to 100) of the calls in the window that failed, or took longer than slow_call_duration_seconds; looked at when a call
    fails or is slow, and not below minimum_number_of_calls. window_type: "count" for the last window_size calls, "time" for
    those of the last window_size seconds.

    timeout_seconds: how long it is open before it lets calls through to try (HALF_OPEN). Each opening that follows without a
    success in between lasts timeout_multiplier times as long, up to max_timeout_seconds (default: ten times timeout_seconds).
    timeout_jitter: the share, 0 to 1, by which each open time is drawn shorter or longer.

    permitted_calls_in_half_open: how many may be under way at a time while it tries (default: success_threshold).
    success_threshold: so many successes close it; one failure, or one slow call where a slow-call rate is set, opens it again. It does so
    too if none of the permitted calls has ended within max_half_open_seconds.

    deadline_seconds: an asynchronous call that takes longer is cancelled, raises CallDeadlineExceeded and is a failure; a plain one cannot
    be interrupted, and is a failure when it is over.

    record_exceptions, ignore_exceptions: classes of exceptions, or functions of one, that count as failures, or as nothing at all. What is
    both is ignored; what is neither is a success, since the service answered. KeyboardInterrupt, SystemExit, cancellation and the rejection by
    another breaker never count.
    record_result: a function of the result that says whether it is a failure.
    """

    failure_threshold: int | None = 5
    success_threshold: int = 2
    timeout_seconds: float = 60.0
    _: KW_ONLY
    timeout_multiplier: float = 1.0
    max_timeout_seconds: float | None = None
    timeout_jitter: float = 0.0
    window_type: WindowType | str = WindowType.COUNT
    window_size: int = 100
    minimum_number_of_calls: int = 10
    failure_rate_threshold: float | None = None
    slow_call_rate_threshold: float | None = None
    slow_call_duration_seconds: float | None = None
    permitted_calls_in_half_open: int | None = None
    max_half_open_seconds: float = 60.0
    deadline_seconds: float | None = None
    record_exceptions: tuple[ExceptionRule, ...] = (Exception,)
    ignore_exceptions: tuple[ExceptionRule, ...] = ()
    record_result: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        _whole(self, "failure_threshold", 1, 1_000_000, optional=True)
        _whole(self, "success_threshold", 1, 1_000_000)
        _whole(self, "window_size", 1, LARGEST_WINDOW)
        _whole(self, "minimum_number_of_calls", 1, LARGEST_WINDOW)
        _whole(self, "permitted_calls_in_half_open", 1, MOST_PERMITS, optional=True)
        _seconds(self, "timeout_seconds")
        _number(self, "timeout_multiplier", 1, 100)
        _seconds(self, "max_timeout_seconds", optional=True)
        _number(self, "timeout_jitter", 0, 1)
        _percent(self, "failure_rate_threshold")
        _percent(self, "slow_call_rate_threshold")
        _seconds(self, "slow_call_duration_seconds", optional=True)
        _seconds(self, "max_half_open_seconds")
        _seconds(self, "deadline_seconds", optional=True)
        object.__setattr__(self, "window_type", _window_type(self.window_type))
        for name in ("record_exceptions", "ignore_exceptions"):
            object.__setattr__(self, name, _rules(name, getattr(self, name)))
        if self.record_result is not None and not callable(self.record_result):
            raise _wrong("record_result", "a function of the result, or None", self.record_result)
        self._check_together()

    def _check_together(self) -> None:
        if self.slow_call_rate_threshold is not None and self.slow_call_duration_seconds is None:
            raise ConfigurationError(
                "slow_call_duration_seconds is missing: slow_call_rate_threshold needs to know what is slow"
            )
        if self.max_timeout_seconds is not None and self.max_timeout_seconds < self.timeout_seconds:
            raise _wrong(
                "max_timeout_seconds",
                f"at least timeout_seconds ({self.timeout_seconds:g})",
                self.max_timeout_seconds,
            )
        has_rate = self.failure_rate_threshold is not None or self.slow_call_rate_threshold is not None
        counts = self.window_type == WindowType.COUNT
        if has_rate and counts and self.minimum_number_of_calls > self.window_size:
            raise _wrong(
                "minimum_number_of_calls",
                f"at most window_size ({self.window_size})",
                self.minimum_number_of_calls,
            )

    @property
    def permits(self) -> int:
        """How many calls may be under way while it is HALF_OPEN."""
        return self.permitted_calls_in_half_open or self.success_threshold

    @property
    def slow_after(self) -> float:
        """Seconds after which a call is slow; infinite where none ever is."""
        return math.inf if self.slow_call_duration_seconds is None else float(self.slow_call_duration_seconds)

    def open_seconds(self, openings: int, draw: float) -> float:
        """How long the breaker is open for the `openings`-th time in a row (from 1); `draw`, −1 to 1, places it within the jitter."""
        longest = self.max_timeout_seconds or 10 * self.timeout_seconds
        growth = self.timeout_multiplier ** min(openings - 1, MOST_DOUBLINGS)
        usual = min(self.timeout_seconds * growth, longest)
        return min(usual * (1 + self.timeout_jitter * draw), longest)

    def counts(self, error: BaseException) -> bool | None:
        """True if it is a failure, False if the service answered all the same, None if it is to be ignored."""
        if not isinstance(error, Exception) or isinstance(error, _NOT_MADE):
            return None
        if _matches(error, self.ignore_exceptions):
            return None
        return _matches(error, self.record_exceptions)

    def tuned(self, settings: Mapping[str, Any] | None) -> "CircuitConfig":
        """With the console's settings in place of its own. None leaves a field as it is; 0 turns a rule off.

        Raises ConfigurationError, also for a field that no console can set.
        """
        given = {name: value for name, value in (settings or {}).items() if value is not None}
        if unknown := sorted(set(given) - set(TUNABLE)):
            raise ConfigurationError(f"{unknown[0]} is not a setting of a circuit breaker")
        off = {name: None for name in THRESHOLDS if given.get(name) == 0}
        return replace(self, **{**given, **off})

    def as_dict(self) -> dict[str, Any]:
        """The fields that a console can set, as JSON has them."""
        return {name: getattr(self, name) for name in TUNABLE}


def _matches(error: Exception, rules: tuple[ExceptionRule, ...]) -> bool:
    return any(isinstance(error, rule) if isinstance(rule, type) else rule(error) for rule in rules)


def _wrong(name: str, allowed: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{name} must be {allowed}, not {value!r:.80}")


def _whole(config: CircuitConfig, name: str, least: int, most: int, *, optional: bool = False) -> None:
    value = getattr(config, name)
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, f"a whole number from {least} to {most}{' or None' if optional else ''}", value)


def _number(config: CircuitConfig, name: str, least: float, most: float) -> None:
    value = getattr(config, name)
    if not _is_number(value) or not least <= value <= most:
        raise _wrong(name, f"a number from {least:g} to {most:g}", value)


def seconds(name: str, value: float) -> float:
    """The value, if it is a number of seconds. Raises ConfigurationError naming it."""
    if not _is_number(value) or not 0 < value <= LONGEST_S:
        raise _wrong(name, f"a number of seconds above 0, up to {LONGEST_S:g}", value)
    return value


def _seconds(config: CircuitConfig, name: str, *, optional: bool = False) -> None:
    value = getattr(config, name)
    if value is not None or not optional:
        seconds(name, value)


def _percent(config: CircuitConfig, name: str) -> None:
    value = getattr(config, name)
    if value is not None and (not _is_number(value) or not 0 < value <= 100):
        raise _wrong(name, "a percentage above 0, up to 100, or None", value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _window_type(value: object) -> WindowType:
    try:
        return WindowType(str(value))
    except ValueError:
        raise _wrong("window_type", " or ".join(repr(str(kind)) for kind in WindowType), value) from None


def _rules(name: str, value: object) -> tuple[ExceptionRule, ...]:
    if isinstance(value, type) or not isinstance(value, Iterable):
        value = (value,)
    rules = tuple(value)
    for rule in rules:
        known = issubclass(rule, Exception) if inspect.isclass(rule) else callable(rule)
        if not known:
            raise _wrong(name, "subclasses of Exception, or functions of an exception", rule)
    return rules
