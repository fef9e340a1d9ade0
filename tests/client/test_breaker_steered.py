"""What a console says stands above a breaker's own judgement: holds, shared openings, the lease to try for all."""

import math

from opsclient.breaker.choices import CircuitState
from opsclient.breaker.holds import Hold, Lease, Shared
from opsclient.breaker.permits import AskToProbe

from tests.client.breaker_clock import Timed

OPEN, CLOSED, HALF_OPEN = CircuitState.OPEN, CircuitState.CLOSED, CircuitState.HALF_OPEN


def hold(b: Timed, state: CircuitState | None, seconds: float = math.inf) -> None:
    given = None if state is None else Hold(state, "sam", "the venue asked", b.now + seconds)
    b.steer(lambda machine, now: machine.set_hold(given, now))


def share(b: Timed, state: CircuitState, generation: int, left: float = 0.0) -> None:
    b.steer(lambda machine, now: machine.set_shared(Shared(state, generation, now + left), now))


def grant(b: Timed, generation: int = 4, *, permits: int = 1, term: float = 10) -> None:
    b.steer(lambda machine, now: machine.grant(generation, Lease(permits, now + term), now))


class Asked:
    """Stands for the link."""

    def __init__(self, b: Timed) -> None:
        self.generations: list[int] = []
        b.breaker.keeper.attach(self)

    def note(self, transition: object) -> None:
        pass

    def ask(self, breaker: object, generation: int) -> None:
        self.generations.append(generation)


def test_forced_open_rejects_until_released_and_then_tries() -> None:
    b = Timed(success_threshold=1)
    hold(b, OPEN)
    b.now += 1e6
    error = b.rejects()
    assert (error.forced, error.reason, error.retry_after) == (True, "the venue asked", None)
    assert str(error) == "circuit breaker 'b' is held open by sam: the venue asked"
    b.breaker.reset()
    assert b.rejects().forced
    hold(b, None)
    b.good()
    assert b.why == ["force_open", "release", "probes_succeeded"]


def test_a_hold_ends_by_itself_and_may_be_prolonged() -> None:
    b = Timed(success_threshold=1)
    hold(b, OPEN, 30)
    b.now += 29
    hold(b, OPEN, 2)
    b.now += 1
    assert b.rejects().retry_after == 1
    b.now += 1
    b.good()
    assert b.state == "CLOSED"
    assert b.breaker.forced is None


def test_forced_closed_lets_everything_through_and_counts() -> None:
    b = Timed(failure_threshold=1)
    b.bad()
    hold(b, CLOSED, 30)
    b.bad(50)
    assert (b.state, b.counts["failure"]) == ("CLOSED", 51)
    b.now += 30
    b.good()
    assert b.breaker.forced is None, "a success looks at the clock too"
    b.bad()
    assert b.why == ["failure_threshold", "force_closed", "failure_threshold"]


def test_what_was_let_through_by_force_is_not_held_against_the_service() -> None:
    b = Timed(failure_threshold=2)
    hold(b, CLOSED)
    b.bad()
    hold(b, None)
    b.bad()
    assert b.state == "CLOSED"


def test_an_opening_of_others_opens_it_and_their_closing_closes_it() -> None:
    b = Timed()
    asked = Asked(b)
    share(b, OPEN, 4, left=60)
    assert b.rejects().retry_after == 60
    share(b, HALF_OPEN, 4)
    b.now += 60
    b.rejects()
    assert asked.generations == [4]
    b.steer(lambda machine, now: machine.refuse(now, 3.0))
    b.rejects()
    share(b, CLOSED, 4)
    b.good()
    assert b.why == ["shared", "shared"]


def test_an_own_opening_below_the_quorum_is_its_own() -> None:
    b = Timed(failure_threshold=1, success_threshold=1, timeout_seconds=10)
    asked = Asked(b)
    share(b, CLOSED, 3)
    b.bad()
    share(b, CLOSED, 3)
    assert b.state == "OPEN"
    b.now += 10
    b.good()
    assert (b.state, asked.generations) == ("CLOSED", [])


def test_only_with_the_lease_it_tries_and_with_as_many_permits_as_that_says() -> None:
    b = Timed(success_threshold=1)
    asked = Asked(b)
    share(b, OPEN, 4, left=60)
    b.now += 60
    b.rejects()
    b.rejects()
    assert asked.generations == [4], "asked once"
    grant(b, 3)
    b.rejects()
    grant(b, 4, permits=2)
    probes = [b.breaker.guard().__enter__() for _ in range(2)]
    b.rejects()
    share(b, HALF_OPEN, 4)
    assert b.state == "HALF_OPEN", "it is this process that tries"
    probes[0].__exit__(None, None, None)
    assert b.why == ["shared", "timeout_over", "probes_succeeded"]
    share(b, HALF_OPEN, 4)
    assert b.state == "CLOSED", "the console has not heard of it yet"
    share(b, OPEN, 5, left=60)
    assert b.state == "OPEN"


def test_a_lease_that_ended_without_a_result_is_asked_for_again() -> None:
    b = Timed()
    asked = Asked(b)
    share(b, OPEN, 4)
    b.rejects()
    grant(b, term=10)
    probe = b.breaker.guard().__enter__()
    b.now += 10
    b.rejects()
    assert (b.state, asked.generations) == ("OPEN", [4, 4])
    probe.__exit__(None, None, None)
    assert b.state == "OPEN"


def test_without_an_answer_each_process_tries_for_itself() -> None:
    b = Timed(success_threshold=1)
    share(b, OPEN, 4)
    b.rejects()
    b.now += 1.75
    b.rejects()
    b.now += 0.25
    b.good()
    assert b.state == "CLOSED"


def test_a_pure_machine_says_what_it_wants_to_ask() -> None:
    b = Timed()
    share(b, OPEN, 4)
    permit, events = b.breaker.keeper.machine.admit(b.now)
    assert permit is None
    assert events == [AskToProbe(4)]


def test_nothing_shared_any_more_leaves_each_to_itself() -> None:
    b = Timed(success_threshold=1)
    asked = Asked(b)
    share(b, OPEN, 4, left=10)
    b.steer(lambda machine, now: machine.set_shared(None, now))
    b.now += 10
    b.good()
    assert (b.state, asked.generations) == ("CLOSED", [])


def test_a_hold_goes_before_what_is_shared() -> None:
    b = Timed()
    hold(b, CLOSED)
    share(b, OPEN, 4, left=60)
    b.good()
    hold(b, None)
    assert b.rejects().retry_after == 60
