"""The settings of a breaker that the console may tune: their bounds, and what must fit together. Named as in the client's `CircuitConfig`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

LONGEST_S = 7 * 86_400.0
SHORTEST_S = 0.001
LARGEST_WINDOW = 100_000
MOST_PROCESSES = 1000


class WindowType(models.TextChoices):
    """What the rates are taken of."""

    COUNT = "count", "the last calls"
    TIME = "time", "the calls of the last seconds"


@dataclass(frozen=True, slots=True)
class Tunable:
    """`least` and `most` None: one of WindowType. `whole`: a whole number."""

    help: str
    least: float | None = None
    most: float | None = None
    whole: bool = False


def _seconds(text: str) -> Tunable:
    return Tunable(text, SHORTEST_S, LONGEST_S)


TUNABLE = {
    "failure_threshold": Tunable(
        "Opens after so many failures with no success between them. 0: never for that.",
        0,
        1_000_000,
        whole=True,
    ),
    "success_threshold": Tunable("So many successful probes close it.", 1, 1_000_000, whole=True),
    "timeout_seconds": _seconds("How long it is open before it is probed."),
    "timeout_multiplier": Tunable(
        "Each opening that follows without a success lasts so many times as long.", 1, 100
    ),
    "max_timeout_seconds": _seconds("The longest that it is open before it is probed."),
    "timeout_jitter": Tunable("The share by which each open time is drawn shorter or longer.", 0, 1),
    "window_type": Tunable("What the rates are taken of."),
    "window_size": Tunable("Calls, or seconds, of the window.", 1, LARGEST_WINDOW, whole=True),
    "minimum_number_of_calls": Tunable("Rates count from so many calls on.", 1, LARGEST_WINDOW, whole=True),
    "failure_rate_threshold": Tunable(
        "Opens when so many percent of the calls failed. 0: never for that.", 0, 100
    ),
    "slow_call_rate_threshold": Tunable("Opens when so many percent were slow. 0: never for that.", 0, 100),
    "slow_call_duration_seconds": _seconds("A call that takes longer is slow."),
    "permitted_calls_in_half_open": Tunable("Probes under way at a time.", 1, 10_000, whole=True),
    "max_half_open_seconds": _seconds("Probing is over, and failed, when none has ended within this time."),
    "deadline_seconds": _seconds("A call that takes longer is a failure; an asynchronous one is cancelled."),
}


def tunable(name: str) -> "models.Field[Any, Any]":
    """The column of a setting: NULL (or empty) while the console leaves it to the process."""
    of = TUNABLE[name]
    if of.least is None or of.most is None:
        return models.CharField(max_length=8, choices=WindowType, blank=True, help_text=of.help)
    kind = models.PositiveIntegerField if of.whole else models.FloatField
    validators = [MinValueValidator(of.least), MaxValueValidator(of.most)]
    return kind(null=True, blank=True, validators=validators, help_text=of.help)


def settings_of(row: Any) -> dict[str, Any]:
    """Those that the console tunes; the process has its own for the others."""
    found = {name: getattr(row, name) for name in TUNABLE}
    return {name: value for name, value in found.items() if value not in (None, "")}


def problems(settings: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """By field, what does not fit together: in itself, and with what each process (by its name) has for the rest."""
    found = _together(settings, "")
    for process, config in own.items():
        found = _together({**config, **settings}, f" (in {process})") | found
    # What a process had wrong of its own accord is not for here.
    return {field: problem for field, problem in found.items() if field in settings}


def _together(config: Mapping[str, Any], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    numbers = {name: value for name, value in config.items() if isinstance(value, int | float)}
    timeout, longest = numbers.get("timeout_seconds"), numbers.get("max_timeout_seconds")
    if timeout is not None and longest is not None and longest < timeout:
        words = f"max_timeout_seconds must be at least timeout_seconds, {timeout:g}{where}"
        found |= dict.fromkeys(("max_timeout_seconds", "timeout_seconds"), words)
    size, least = numbers.get("window_size"), numbers.get("minimum_number_of_calls")
    has_rate = numbers.get("failure_rate_threshold") or numbers.get("slow_call_rate_threshold")
    counts = config.get("window_type") in (WindowType.COUNT, "", None)
    if has_rate and counts and size is not None and least is not None and least > size:
        words = f"minimum_number_of_calls must be at most window_size, {size:g}{where}"
        found |= dict.fromkeys(("minimum_number_of_calls", "window_size", "failure_rate_threshold"), words)
    if (
        numbers.get("slow_call_rate_threshold")
        and numbers.get("slow_call_duration_seconds") is None
        and where
    ):
        found["slow_call_rate_threshold"] = f"slow_call_duration_seconds must say what is slow{where}"
    return found
