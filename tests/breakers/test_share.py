"""Breakers that are shared: opened by a quorum, probed by one process at a time, closed for all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from killswitch.models import TradingClient
from monitoring.breakers import services, sharing
from monitoring.breakers.choices import State
from monitoring.breakers.feed import BreakerFeed
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.sharing import Lease, Shared, after_report, lease, open_seconds
from opsconsole.accounts.models import User
from tests.at_once import Run
from tests.breakers.reporting import CONFIG, NOW, Process, a_breaker, row
from tests.cast import ROOT, caller

SECOND = timedelta(seconds=1)
URL = "/monitoring/circuit-breaker-probes"

# The rules


@pytest.mark.parametrize(
    ("config", "openings", "seconds"),
    [
        ({}, 1, 60.0),
        ({"timeout_seconds": 10}, 3, 10.0),
        ({"timeout_seconds": 10, "timeout_multiplier": 2}, 3, 40.0),
        ({"timeout_seconds": 10, "timeout_multiplier": 2}, 9, 100.0),
        ({"timeout_seconds": 10, "timeout_multiplier": 2, "max_timeout_seconds": 30}, 3, 30.0),
        ({"timeout_seconds": 10, "timeout_multiplier": 100, "max_timeout_seconds": 1e9}, 1000, 7 * 86_400.0),
        ({"timeout_seconds": "nonsense", "timeout_multiplier": None}, 2, 60.0),
    ],
)
def test_the_open_time_grows_as_in_the_client(config: dict[str, Any], openings: int, seconds: float) -> None:
    assert open_seconds(config, openings) == seconds


OPEN = Shared(state=State.OPEN, generation=4, until=NOW, openings=1)
PROBED = replace(OPEN, state=State.HALF_OPEN, prober="a", probe_until=NOW + 10 * SECOND)
CLOSED = Shared(state=State.CLOSED, generation=4)
REOPENED = Shared(state=State.OPEN, generation=5, until=NOW + 60 * SECOND, openings=2)
FIRST = Shared(state=State.OPEN, generation=5, until=NOW + 60 * SECOND, openings=1)


@pytest.mark.parametrize(
    ("shared", "instance", "whys", "enough", "after"),
    [
        (Shared(), "a", ("failure_rate",), False, Shared()),
        (CLOSED, "a", (), True, FIRST),
        (OPEN, "a", (), True, OPEN),
        (OPEN, "b", ("timeout_over", "probes_succeeded"), False, CLOSED),
        (OPEN, "b", ("probe_failed",), False, OPEN),
        (PROBED, "a", ("probe_failed",), False, REOPENED),
        (PROBED, "b", ("probe_failed",), True, PROBED),
        (PROBED, "a", ("probes_succeeded",), False, CLOSED),
        # The others are open still, since they were told to be.
        (PROBED, "a", ("probes_succeeded",), True, CLOSED),
        (
            PROBED,
            "a",
            ("probe_failed", "timeout_over", "probes_succeeded"),
            False,
            replace(CLOSED, generation=5),
        ),
        (CLOSED, "a", ("probes_succeeded",), False, CLOSED),
    ],
)
def test_what_a_report_makes_of_it(
    shared: Shared, instance: str, whys: tuple[str, ...], enough: bool, after: Shared
) -> None:
    evidence = sharing.Evidence(instance, whys, enough)
    assert after_report(shared, evidence, config=CONFIG, now=NOW) == after


def test_one_probes_at_a_time() -> None:
    asks = [("a", -1), ("a", 0), ("b", 1), ("a", 2), ("b", 10)]
    shared, answers = OPEN, []
    for instance, seconds in asks:
        shared, answer = lease(shared, instance=instance, permits=2, now=NOW + seconds * SECOND)
        answers.append(answer)
    assert answers == [
        Lease(granted=False, retry_s=1.0),
        Lease(granted=True, permits=2, term_s=10.0),
        Lease(granted=False, retry_s=1.0),
        # Its answer was lost.
        Lease(granted=True, permits=2, term_s=8.0),
        # The term is over without a result.
        Lease(granted=True, permits=2, term_s=10.0),
    ]
    assert (shared.state, shared.prober, shared.generation) == (State.HALF_OPEN, "b", 4)
    assert lease(CLOSED, instance="a", permits=1, now=NOW)[1].granted is False


# In the database


def a_quorum_of_two(*names: str) -> list[Process]:
    processes = [Process(name) for name in names]
    for process in processes:
        process.report(a_breaker())
    services.tune(actor=ROOT, name="yahoo_finance", values={"quorum": 2}, reason="share it", now=NOW)
    return processes


def told() -> dict[str, Any]:
    (one,) = BreakerFeed().read(None).whole["breakers"]
    found: dict[str, Any] = one["shared"]
    return found


@pytest.mark.django_db
def test_a_quorum_opens_all_and_one_probe_closes_all() -> None:
    one, two, three = a_quorum_of_two("one", "two", "three")
    one.opens()
    assert row().shared == ""
    two.opens()
    first = row()
    assert (first.shared, first.shared_generation, first.version) == ("OPEN", 1, 2)
    assert told() | {"left_s": None} == {"state": "OPEN", "generation": 1, "left_s": None}
    followed = three.changed("CLOSED", "OPEN", why="shared", cause=None)
    three.report(a_breaker(state="OPEN"), transitions=[followed], applied=2, now=NOW + SECOND)

    def ask(process: Process, seconds: int, generation: int = 1) -> Lease:
        return services.lease_probe(
            client=process.name, instance=process.instance, name="yahoo_finance",
            generation=generation, now=NOW + seconds * SECOND,
        )  # fmt: skip

    assert ask(one, 59) == Lease(granted=False, retry_s=1.0)
    # Who has not heard of the newest generation does not probe.
    assert ask(one, 60, generation=0) == Lease(granted=False, retry_s=1.0)
    assert ask(one, 60) == Lease(granted=True, permits=2, term_s=10.0)
    assert ask(two, 60).granted is False
    assert told()["state"] == "HALF_OPEN"
    half = one.changed("OPEN", "HALF_OPEN", why="timeout_over", cause=None, ago_s=0.6)
    failed = one.changed("HALF_OPEN", "OPEN", why="probe_failed", ago_s=0.5)
    one.report(a_breaker(state="OPEN"), transitions=[half, failed], now=NOW + 61 * SECOND)
    assert (told()["state"], told()["generation"], row().shared_openings) == ("OPEN", 2, 2)
    # The same report again, and the others that stay open, change nothing.
    before = row().version
    one.report(a_breaker(state="OPEN"), transitions=[half, failed], now=NOW + 62 * SECOND)
    two.report(a_breaker(state="OPEN"), applied=before, now=NOW + 62 * SECOND)
    assert row().version == before
    assert ask(two, 122, generation=2).granted
    for process in (one, three):
        process.report(a_breaker(state="OPEN", applied=row().version), now=NOW + 122 * SECOND)
    closed = [
        two.changed("OPEN", "HALF_OPEN", why="timeout_over", ago_s=0.6),
        two.changed("HALF_OPEN", "CLOSED", why="probes_succeeded", ago_s=0.5),
    ]
    two.report(a_breaker(), transitions=closed, now=NOW + 123 * SECOND)
    assert (told()["state"], told()["generation"], row().shared_openings) == ("CLOSED", 2, 0)
    # Those that have not heard of it yet are no new quorum; those that have, and open anew, are.
    version = row().version
    for process, applied in ((one, version - 1), (three, version - 1)):
        process.report(a_breaker(state="OPEN", applied=applied), now=NOW + 124 * SECOND)
    assert told()["state"] == "CLOSED"
    for process in (one, three):
        process.report(a_breaker(state="OPEN", applied=version), now=NOW + 125 * SECOND)
    assert (told()["state"], told()["generation"]) == ("OPEN", 3)


@pytest.mark.django_db
def test_a_success_from_before_the_opening_closes_nothing_however_late_it_is_told() -> None:
    one, two, three = a_quorum_of_two("one", "two", "three")
    one.opens()
    two.opens()
    late = three.changed("HALF_OPEN", "CLOSED", why="probes_succeeded", ago_s=21.0)
    three.report(a_breaker(), transitions=[late], now=NOW + 20 * SECOND)
    assert row().shared == "OPEN"
    # Made without a lease, while the console did not answer.
    own = three.changed("HALF_OPEN", "CLOSED", why="probes_succeeded", ago_s=19.0)
    three.report(a_breaker(), transitions=[own], now=NOW + 20 * SECOND)
    assert row().shared == "CLOSED"


@pytest.mark.django_db
def test_processes_that_are_gone_or_forced_are_no_quorum() -> None:
    one, two, three = a_quorum_of_two("one", "two", "three")
    one.opens()
    two.report(a_breaker(state="OPEN", forced="OPEN"), now=NOW + 40 * SECOND)
    three.opens(now=NOW + 40 * SECOND)
    assert row().shared == ""


@pytest.mark.django_db
def test_a_quorum_that_comes_later_counts_who_is_open_already() -> None:
    one, two = Process("one"), Process("two")
    one.opens()
    two.opens()
    services.tune(actor=ROOT, name="yahoo_finance", values={"quorum": 2}, reason="share it", now=NOW)
    two.report(a_breaker(state="OPEN", state_s=40.0), now=NOW + 10 * SECOND)
    assert row().shared == "OPEN"


@pytest.mark.django_db
def test_a_reset_closes_what_is_shared_and_without_a_quorum_nothing_is() -> None:
    one, two = a_quorum_of_two("one", "two")
    one.opens()
    two.opens()
    services.reset(actor=ROOT, name="yahoo_finance", reason="it is back", now=NOW)
    assert (row().shared, row().shared_version, row().reset_version) == ("CLOSED", 3, 3)
    services.tune(actor=ROOT, name="yahoo_finance", values={"quorum": 0}, reason="", now=NOW)
    (one_row,) = BreakerFeed().read(None).whole["breakers"]
    assert (one_row["shared"], row().shared_generation) == (None, 1)


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_ask_at_once_one_may_probe(at_once: Run) -> None:
    processes = a_quorum_of_two(*(f"P{number}" for number in range(8)))
    CircuitBreaker.objects.update(shared="OPEN", shared_generation=3, shared_at=NOW, shared_until=NOW)

    def ask(process: Process) -> Lease:
        return services.lease_probe(
            client=process.name, instance=process.instance, name="yahoo_finance", generation=3
        )

    answers = at_once([lambda process=process: ask(process) for process in processes])  # type: ignore[misc]
    assert sum(answer.granted for answer in answers) == 1


# The API


def test_the_api_of_leases(alice: User, trader: User) -> None:
    one, _ = a_quorum_of_two("one", "two")
    CircuitBreaker.objects.update(shared="OPEN", shared_generation=3, shared_at=NOW, shared_until=NOW)
    body = {"name": one.name, "instance": one.instance.upper(), "breaker": "yahoo_finance", "generation": 3}
    assert caller(alice).post(URL, body).status_code == 403
    client = caller(trader)
    for field in body:
        answer = client.post(URL, body | {field: None})
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])
    assert client.post(URL, body | {"breaker": "yahoo"}).json()["error"]["details"] == {
        "nearest": ["yahoo_finance"]
    }
    assert client.post(URL, body | {"generation": 2}).json() == {"granted": False, "retry_s": 1.0}
    assert client.post(URL, body).json() == {"granted": True, "permits": 2, "term_s": 10.0}
    assert not TradingClient.objects.exists()
