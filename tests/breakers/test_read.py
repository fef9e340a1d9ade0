"""What the API shows of breakers, and what is forgotten of them."""

from datetime import timedelta

import pytest

from monitoring import tasks
from monitoring.breakers import selectors, services
from monitoring.breakers.models import BreakerCommand, BreakerProcess, BreakerTransition, CircuitBreaker
from monitoring.breakers.opening import Stretch, stretches
from monitoring.day import Span
from opsconsole.accounts.models import User
from tests.breakers.reporting import NOW, Process, a_breaker, row
from tests.cast import ROOT, caller

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
URL = "/monitoring/circuit-breakers"


@pytest.mark.parametrize("path", ["", "/yahoo_finance", "/yahoo_finance/transitions"])
def test_needs_the_right_to_read(charlie: User, path: str) -> None:
    Process().report(a_breaker())
    answer = caller(charlie).get(f"{URL}{path}")
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        403,
        "Reading circuit breakers needs the role viewer.",
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?state=AJAR", "state"),
        ("?limit=0", "limit"),
        ("/b1/transitions?to=AJAR", "to"),
        ("/b1/transitions?since=soon", "since"),
    ],
)
def test_a_bad_question_is_named(bob: User, query: str, field: str) -> None:
    Process().report(a_breaker("b1"))
    answer = caller(bob).get(f"{URL}{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?search=%00", 200),
        ("?cursor=%00", 200),
        ("/b1/transitions?client=%00", 200),
        ("/%00", 404),
        ("/%00/transitions", 404),
    ],
)
def test_what_cannot_be_stored_finds_nothing(bob: User, path: str, status: int) -> None:
    Process().report(a_breaker("b1"))
    answer = caller(bob).get(f"{URL}{path}")
    assert answer.status_code == status
    assert "b1" not in answer.content.decode() or "cursor" in path


def test_lists_by_name_and_state(bob: User) -> None:
    Process().report(
        *(a_breaker(f"b{number}", "OPEN" if number % 2 else "CLOSED") for number in range(5)), now=None
    )
    client = caller(bob)
    names, cursor = [], ""
    while cursor is not None:
        body = client.get(f"{URL}?limit=2&cursor={cursor}").json()
        names.append([one["name"] for one in body["results"]])
        cursor = body["next"]
    assert names == [["b0", "b1"], ["b2", "b3"], ["b4"]]
    for query, found in (
        ("state=OPEN", ["b1", "b3"]),
        ("search=B3", ["b3"]),
        ("state=UNKNOWN", []),
        ("search=%25", []),
    ):
        assert [one["name"] for one in client.get(f"{URL}?{query}").json()["results"]] == found
    assert selectors.counts(now=BreakerProcess.objects.get().reported_at) == {
        "OPEN": 2,
        "HALF_OPEN": 0,
        "CLOSED": 3,
        "UNKNOWN": 0,
    }


def test_one_with_its_processes_and_commands(bob: User) -> None:
    fine, broken = Process("fine"), Process("broken")
    fine.report(a_breaker(), now=None)
    failure = {"type": "TimeoutError", "text": "no answer", "ago_s": 1.0}
    counts = {"success": 1, "failure": 5, "rejected": 7}
    opened = broken.changed("CLOSED", "OPEN")
    broken.report(
        a_breaker(state="OPEN", last_failure=failure, counts=counts), transitions=[opened], now=None
    )
    services.reset(actor=ROOT, name="yahoo_finance", reason="it is back")
    body = caller(bob).get(f"{URL}/yahoo_finance").json()
    assert (body["state"], body["stale"], body["rejected"], body["success"]) == ("OPEN", False, 7, 91)
    assert body["processes"] == {"total": 2, "open": 1, "half_open": 0, "closed": 1}
    assert body["last_failure"] | {"at": None} == {
        "type": "TimeoutError",
        "text": "no answer",
        "client": "broken",
        "at": None,
    }
    assert [
        (one["name"], one["state"], one["forced"], one["host"], one["pid"]) for one in body["clients"]
    ] == [
        ("broken", "OPEN", None, "", None),
        ("fine", "CLOSED", None, "", None),
    ]
    (command,) = body["commands"]
    assert (command["kind"], command["by"], command["reason"]) == ("reset", "tests", "it is back")
    assert [(one["client"], one["at"]) for one in command["processes"]] == [("broken", None), ("fine", None)]


def test_transitions_page_by_their_own_times(bob: User) -> None:
    early, late = Process("early"), Process("late")
    late.report(
        a_breaker(), transitions=[late.changed("CLOSED", "OPEN", ago_s=float(ago)) for ago in (20, 10)]
    )
    # What was told last happened first, and in between.
    early.report(
        a_breaker(),
        transitions=[early.changed("OPEN", "CLOSED", ago_s=float(ago), why="reset") for ago in (30, 15)],
    )
    client, found, cursor = caller(bob), [], ""
    while cursor is not None:
        body = client.get(f"{URL}/yahoo_finance/transitions?limit=3&cursor={cursor}").json()
        found.append([one["client"] for one in body["results"]])
        cursor = body["next"]
    assert found == [["late", "early", "late"], ["early"]]

    def filtered(query: str) -> list[int]:
        results = client.get(f"{URL}/yahoo_finance/transitions?{query}").json()["results"]
        return [one["in_previous_s"] and one["seq"] for one in results]

    assert filtered("to=CLOSED") == [2, 1]
    assert filtered("client=late&until=2026-03-04T15:29:50Z") == [1]
    assert filtered("since=2026-03-04T15:29:50Z") == [2]


@pytest.mark.django_db
def test_stretches_of_open_time_are_exact_and_joined() -> None:
    one, two = Process("one"), Process("two")
    one.report(a_breaker(), a_breaker("other"), transitions=[one.changed("OPEN", "CLOSED", why="reset")])
    two.opens(now=NOW + 5 * SECOND)
    found = stretches(None, Span(NOW - DAY, NOW + DAY), now=NOW + 20 * SECOND, limit=10)
    assert found == [
        Stretch("yahoo_finance", NOW - 70 * SECOND, NOW - 10 * SECOND),
        Stretch("yahoo_finance", NOW - 5 * SECOND, None),
    ]
    assert stretches(None, Span(NOW - DAY, NOW + DAY), now=NOW + 20 * SECOND, limit=1) == found[1:]
    assert stretches([], Span(NOW - DAY, NOW + DAY), now=NOW, limit=9) == []


@pytest.mark.django_db
def test_what_is_old_is_forgotten_and_what_processes_know_is_not() -> None:
    process = Process()
    process.report(
        a_breaker("gone"), a_breaker("told"), transitions=[process.changed("CLOSED", "OPEN", "gone")]
    )
    services.reset(actor=ROOT, name="told", reason="", now=NOW)
    assert services.forget(now=NOW + 8 * DAY) == 0
    assert services.forget(now=NOW + 9 * DAY) == 1
    assert (BreakerProcess.objects.count(), BreakerTransition.objects.count()) == (0, 1)
    assert services.forget(now=NOW + 91 * DAY) == 3
    assert not BreakerTransition.objects.exists()
    assert not BreakerCommand.objects.exists()
    assert list(CircuitBreaker.objects.values_list("name", flat=True)) == ["told"]


@pytest.mark.django_db
def test_beat_takes_back_holds_and_forgets() -> None:
    Process().report(a_breaker())
    services.force_open(actor=ROOT, name="yahoo_finance", reason="x", until=NOW + SECOND, now=NOW)
    tasks.tick_breakers()
    tasks.forget_breakers()
    assert row().hold == ""
