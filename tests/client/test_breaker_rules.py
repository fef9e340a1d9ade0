"""When a breaker opens, how long it stays open, and what closes it. The clock is the test's."""

import asyncio
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

import pytest
from opsclient.breaker.window import Rates
from opsclient.circuit_breaker import CircuitBreaker, CircuitConfig, WindowType
from opsclient.errors import ConfigurationError

from tests.client.breaker_clock import Timed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_threshold", 0),
        ("failure_threshold", True),
        ("success_threshold", 1.5),
        ("success_threshold", None),
        ("timeout_seconds", 0),
        ("timeout_seconds", float("nan")),
        ("timeout_seconds", "60"),
        ("timeout_multiplier", 0.5),
        ("max_timeout_seconds", 1),
        ("timeout_jitter", 1.1),
        ("window_type", "sliding"),
        ("window_size", 0),
        ("minimum_number_of_calls", 101),
        ("failure_rate_threshold", 101),
        ("failure_rate_threshold", 0),
        ("slow_call_rate_threshold", -1),
        ("slow_call_duration_seconds", None),
        ("permitted_calls_in_half_open", 0),
        ("max_half_open_seconds", None),
        ("deadline_seconds", -1),
        ("record_exceptions", (KeyboardInterrupt,)),
        ("ignore_exceptions", "ValueError"),
        ("record_result", 7),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(field: str, value: Any) -> None:
    fields = {
        "failure_rate_threshold": 50,
        "slow_call_rate_threshold": 50,
        "slow_call_duration_seconds": 1,
        field: value,
    }
    with pytest.raises(ConfigurationError, match=field):
        CircuitConfig(**fields)


@pytest.mark.parametrize("name", ["", " x", "x" * 129, "a\nb", 7, None])
def test_names_that_cannot_be_are_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        CircuitBreaker(name)


def test_the_console_cannot_set_what_is_code() -> None:
    with pytest.raises(ConfigurationError, match="record_result"):
        CircuitConfig().tuned({"record_result": 1})


def test_what_the_console_leaves_out_stays_and_zero_turns_a_rule_off() -> None:
    own = CircuitConfig(failure_threshold=7, failure_rate_threshold=50)
    tuned = own.tuned({"failure_threshold": 0, "failure_rate_threshold": None, "window_type": "time"})
    assert (tuned.failure_threshold, tuned.failure_rate_threshold) == (None, 50)
    assert tuned.window_type is WindowType.TIME
    assert own.tuned(None) == own


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    b = Timed(failure_threshold=3)
    b.bad(2)
    b.good()
    b.bad(2)
    assert b.state == "CLOSED"
    b.bad()
    assert b.state == "OPEN"
    assert b.why == ["failure_threshold"]
    assert b.told[0].counts["failure"] == 5
    error = b.rejects()
    assert (error.name, error.retry_after, str(error.last_cause)) == ("b", 60, "ValueError: no")


@pytest.mark.parametrize(
    "error", [KeyError("x"), asyncio.CancelledError(), CancelledError(), KeyboardInterrupt(), SystemExit()]
)
def test_what_is_ignored_is_neither_success_nor_failure(error: BaseException) -> None:
    b = Timed(failure_threshold=3, ignore_exceptions=(LookupError,))
    b.bad(2)
    b.ends(error)
    b.bad()
    assert b.state == "OPEN", "it has not broken the row"
    assert b.counts == {"success": 0, "failure": 3, "slow": 0, "ignored": 1, "rejected": 0}


def test_an_exception_that_is_neither_recorded_nor_ignored_is_an_answer() -> None:
    b = Timed(failure_threshold=2, record_exceptions=(OSError, lambda error: str(error) == "503"))
    b.ends(OSError())
    b.ends(ValueError("404"))
    b.ends(ValueError("503"))
    assert b.state == "CLOSED"
    b.ends(OSError())
    assert b.state == "OPEN"
    assert b.counts["success"] == 1


def test_the_failure_rate_is_that_of_the_last_calls_and_of_enough_of_them() -> None:
    b = Timed(failure_threshold=None, failure_rate_threshold=50, window_size=4, minimum_number_of_calls=4)
    b.bad(2)
    b.good()  # 2 of 3 failed, and three are too few
    assert b.state == "CLOSED"
    b.good(3)  # both failures but one have left the window, then both
    b.bad()  # 1 of 4
    b.good(2)
    assert b.state == "CLOSED"
    b.bad()  # 2 of 4
    assert b.why == ["failure_rate"]


def test_a_window_of_time_forgets_page_by_page() -> None:
    b = Timed(failure_threshold=None, failure_rate_threshold=50, window_type="time", window_size=20)
    b.steer(lambda m, now: m.retune(replace(m.config, minimum_number_of_calls=4), now))
    b.bad(2)
    b.now += 19
    b.good(2)
    assert b.breaker.get_status()["window"] == {"calls": 4, "failure_rate": 50, "slow_rate": 0}
    b.now += 1  # the twenty-first page: the first has left
    assert b.breaker.get_status()["window"]["calls"] == 2
    b.good(2)
    b.bad()
    assert b.state == "CLOSED"
    b.bad(3)
    assert b.why == ["failure_rate"]


def test_slow_calls_open_it_whether_they_succeed_or_fail() -> None:
    b = Timed(
        failure_threshold=None,
        slow_call_rate_threshold=60,
        slow_call_duration_seconds=2,
        window_size=5,
        minimum_number_of_calls=5,
    )
    b.good(2, seconds=2)  # not longer than two seconds
    b.good(2, seconds=2.5)
    assert b.state == "CLOSED"
    b.bad(seconds=3)
    assert b.why == ["slow_rate"]
    assert str(b.rejects().last_cause) == "SlowCalls: 60 % of 5 calls took longer than 2 s"
    assert b.counts["slow"] == 3


def test_it_lets_in_exactly_its_permits_and_closes_after_enough_successes() -> None:
    b = Timed(failure_threshold=1, success_threshold=3, permitted_calls_in_half_open=2, timeout_seconds=10)
    b.bad()
    b.now += 9.75
    assert b.rejects().retry_after == 0.25
    b.now += 0.25
    first, second = b.breaker.guard().__enter__(), b.breaker.guard().__enter__()
    assert "other calls try" in str(b.rejects())
    first.__exit__(None, None, None)
    third = b.breaker.guard().__enter__()
    b.rejects()
    second.__exit__(None, None, None)
    assert b.state == "HALF_OPEN"
    third.__exit__(None, None, None)
    assert b.why == ["failure_threshold", "timeout_over", "probes_succeeded"]


def test_a_permit_comes_back_from_a_call_that_says_nothing_or_is_dropped() -> None:
    b = Timed(failure_threshold=1, success_threshold=1, timeout_seconds=10)
    b.bad()
    b.now += 10
    b.ends(asyncio.CancelledError())
    assert b.state == "HALF_OPEN"
    dropped = b.breaker.guard().__enter__()
    b.rejects()
    del dropped
    b.good()
    assert b.state == "CLOSED"


def test_probes_that_never_end_do_not_keep_it_half_open_for_ever() -> None:
    b = Timed(failure_threshold=1, success_threshold=1, timeout_seconds=10, max_half_open_seconds=30)
    b.bad()
    b.now += 10
    hanging = b.breaker.guard().__enter__()
    b.now += 29.75
    b.rejects()
    assert b.state == "HALF_OPEN"
    b.now += 0.25
    b.rejects()
    assert b.why[-1] == "probe_failed"
    b.now += 10
    hanging.__exit__(None, None, None)
    assert b.state == "OPEN", "its result comes too late"
    b.good()
    assert b.state == "CLOSED"


def test_results_from_before_a_trip_count_for_nothing_but_the_totals() -> None:
    b = Timed(failure_threshold=1, success_threshold=2, timeout_seconds=10)
    old = [b.breaker.guard().__enter__() for _ in range(3)]
    b.bad()
    old[0].__exit__(None, None, None)
    assert b.state == "OPEN"
    b.now += 10
    b.good()
    old[1].__exit__(ValueError, ValueError(), None)
    assert b.state == "HALF_OPEN"
    b.good()
    assert b.state == "CLOSED"
    old[2].__exit__(None, None, None)
    assert b.breaker.get_status()["window"]["calls"] == 0
    assert b.counts == {"success": 4, "failure": 2, "slow": 0, "ignored": 0, "rejected": 0}


def test_a_success_from_before_does_not_break_a_row_of_failures() -> None:
    b = Timed(failure_threshold=2, timeout_seconds=10)
    old = b.breaker.guard().__enter__()
    b.breaker.reset()
    b.bad()
    old.__exit__(None, None, None)
    b.bad()
    assert b.state == "OPEN"


def test_a_slow_probe_is_no_sign_of_recovery() -> None:
    b = Timed(
        failure_threshold=1, slow_call_rate_threshold=50, slow_call_duration_seconds=1, timeout_seconds=9
    )
    b.bad()
    b.now += 9
    b.good(seconds=1.5)
    assert b.why[-1] == "probe_failed"
    assert str(b.rejects().last_cause) == "SlowCall: a call to try it took 1.5 s"


def test_open_times_grow_up_to_a_limit_and_begin_anew_after_a_success() -> None:
    b = Timed(
        failure_threshold=1,
        success_threshold=1,
        timeout_seconds=10,
        timeout_multiplier=3,
        max_timeout_seconds=50,
    )
    times = []
    b.bad()
    for _ in range(4):
        times.append(b.rejects().retry_after)
        b.now += times[-1] or 0
        b.bad()
    assert times == [10, 30, 50, 50]
    b.now += 50
    b.good()
    b.bad()
    assert b.rejects().retry_after == 10


def test_jitter_is_drawn_around_the_open_time_and_never_passes_the_limit() -> None:
    config = CircuitConfig(timeout_seconds=10, timeout_jitter=0.2, max_timeout_seconds=11)
    assert [config.open_seconds(1, draw) for draw in (-1, 0, 1)] == [8, 10, 11]
    assert config.open_seconds(10**9, 1) == 11


def test_its_own_reset_closes_it_and_forgets_what_was() -> None:
    b = Timed(failure_threshold=2)
    b.bad()
    b.breaker.reset()
    b.bad()
    assert b.state == "CLOSED"
    b.bad()
    b.breaker.reset()
    assert (b.state, b.why) == ("CLOSED", ["failure_threshold", "reset"])


def test_other_settings_change_a_running_breaker_without_losing_its_state() -> None:
    b = Timed(failure_threshold=3, failure_rate_threshold=100, window_size=4, minimum_number_of_calls=4)
    b.good(2)
    b.bad(2)
    b.steer(lambda m, now: m.retune(replace(m.config, window_size=10, minimum_number_of_calls=1), now))
    assert b.breaker.get_status()["window"] == {"calls": 4, "failure_rate": 50, "slow_rate": 0}
    b.bad()
    assert b.why == ["failure_threshold"], "the row goes on"
    b.now += 1
    b.steer(lambda m, now: m.retune(replace(m.config, timeout_seconds=5), now))
    assert b.rejects().retry_after == 4


def test_a_window_that_became_larger_fills_up_again() -> None:
    b = Timed(failure_threshold=None, window_size=2)
    b.bad(4)
    b.steer(lambda m, now: m.retune(replace(m.config, window_size=10), now))
    b.good()
    assert b.breaker.keeper.machine.rates(b.now) == Rates(calls=3, failures=2, slow=0)
