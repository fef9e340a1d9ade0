"""What processes report: refused by its field, taken once, redacted, and told as one incident."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from killswitch.models import TradingClient
from monitoring.breakers import selectors, services
from monitoring.breakers.models import BreakerProcess, BreakerState, BreakerTransition, CircuitBreaker
from monitoring.breakers.services import breakers as bounds
from monitoring.breakers.services import sweep
from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from opsconsole.audit.models import AuditEvent
from tests.breakers.reporting import NOW, URL, Process, a_breaker, row, told
from tests.cast import account, acting, caller, token_of
from tests.killswitch.conftest import open_stream

SECOND = timedelta(seconds=1)


def test_needs_the_right_to_report(bob: User, alice: User) -> None:
    for user in (bob, alice):
        answer = caller(user).post(URL, Process().body(a_breaker()))
        assert (answer.status_code, answer.json()["error"]["message"]) == (
            403,
            "Reporting circuit breakers needs the role trading-system.",
        )
    assert not CircuitBreaker.objects.exists()


def transition(**values: Any) -> dict[str, Any]:
    return {"transitions": [Process().changed("CLOSED", "OPEN", **values)]}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"report_id": ""}, "report_id"),
    ({"report_id": None}, "report_id"),
    ({"name": "x" * 65}, "name"),
    ({"name": "\x07"}, "name"),
    ({"name": "console"}, "name"),
    ({"instance": "xyz"}, "instance"),
    ({"applied": -1}, "applied"),
    ({"applied": 1.5}, "applied"),
    ({"breakers": {}}, "breakers"),
    ({"breakers": [a_breaker(), a_breaker()]}, "breakers"),
    ({"breakers": [a_breaker()] * 1001}, "breakers"),
    ({"breakers": [a_breaker("")]}, "breakers[0].name"),
    ({"breakers": [a_breaker("a\nb")]}, "breakers[0].name"),
    ({"breakers": [a_breaker("x" * 129)]}, "breakers[0].name"),
    ({"breakers": [a_breaker(state="AJAR")]}, "breakers[0].state"),
    ({"breakers": [a_breaker(state_s=-1)]}, "breakers[0].state_s"),
    ({"breakers": [a_breaker(forced="HALF_OPEN")]}, "breakers[0].forced"),
    ({"breakers": [a_breaker(counts={"success": -1})]}, "breakers[0].counts.success"),
    ({"breakers": [a_breaker(window={"failure_rate": 101})]}, "breakers[0].window.failure_rate"),
    ({"breakers": [a_breaker(last_failure={"text": "x"})]}, "breakers[0].last_failure.type"),
    (transition(seq=0), "transitions[0].seq"),
    (transition(ago_s="long"), "transitions[0].ago_s"),
    (transition(in_previous_s=1e300), "transitions[0].in_previous_s"),
    (transition(to="AJAR"), "transitions[0].to"),
    (transition(why="Because it was so!"), "transitions[0].why"),
    ({"transitions": [Process().changed("CLOSED", "OPEN")] * 201}, "transitions"),
]


@pytest.mark.parametrize(("values", "field"), BAD)
def test_a_bad_field_is_named(trader: User, values: dict[str, Any], field: str) -> None:
    answer = caller(trader).post(URL, Process().body() | values)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]
    assert not BreakerProcess.objects.exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"instance": "xyz"}, "must be 32 hexadecimal digits"),
        ({"breakers": [a_breaker(state="AJAR")]}, "must be one of CLOSED, OPEN, HALF_OPEN"),
        ({"breakers": [a_breaker(forced="AJAR")]}, "must be one of CLOSED, OPEN"),
        (transition(why="!"), "must be 1 to 32 letters a to z or _"),
    ],
)
def test_what_a_text_must_be_is_said_in_words(trader: User, values: dict[str, Any], words: str) -> None:
    answer = caller(trader).post(URL, Process().body() | values)
    assert list(answer.json()["error"]["details"].values()) == [words]


@pytest.mark.parametrize(
    ("body", "field"), [(b"", "body"), (b"[]", "body"), (b"{", "body"), (b"{}", "report_id")]
)
def test_what_is_no_report_is_refused(trader: User, body: bytes, field: str) -> None:
    answer = caller(trader).post(URL, body)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_an_instance_belongs_to_one_account(trader: User) -> None:
    other = account("other", Role.TRADING_SYSTEM)
    reported, connected = Process(), Process()
    assert caller(trader).post(URL, reported.body(a_breaker())).status_code == 200
    open_stream(token_of(trader), name=connected.name, instance=connected.instance)
    for process in (reported, connected):
        answer = caller(other).post(URL, process.body(a_breaker(state="OPEN")))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert not BreakerState.objects.filter(state="OPEN").exists()


def test_a_process_without_a_stream_is_taken_and_told_what_there_is(trader: User) -> None:
    process = Process()
    answer = caller(trader).post(URL, process.body(a_breaker("a.b-c d/e"), weather="fine"))
    assert (answer.status_code, answer.json()) == (200, {"version": 0, "changes": None, "ignored": []})
    services.reset(actor=Process().actor, name="a.b-c d/e", reason="")
    body = caller(trader).post(URL, process.body(a_breaker("a.b-c d/e"))).json()
    assert (body["version"], body["changes"]["whole"], body["changes"]["s"]) == (1, True, None)
    assert body["changes"]["breakers"] == [
        {"name": "a.b-c d/e", "version": 1, "config": None, "hold": None, "reset": 1, "shared": None}
    ]
    body = caller(trader).post(URL, process.body(a_breaker("a.b-c d/e"), applied=1)).json()
    assert (body["version"], body["changes"]) == (1, None)


@pytest.mark.django_db
def test_the_time_of_a_transition_is_the_processs_own() -> None:
    process = Process()
    late = process.changed("CLOSED", "OPEN", ago_s=7200.0)
    soon = process.changed(
        "OPEN", "HALF_OPEN", ago_s=3600.0, in_previous_s=3600.0, why="timeout_over", cause=None
    )
    process.report(a_breaker(state="HALF_OPEN", state_s=3600.0), transitions=[soon, late])
    first, second = BreakerTransition.objects.order_by("seq")
    assert (first.at, first.to_state, first.cause_type) == (NOW - 7200 * SECOND, "OPEN", "TimeoutError")
    assert (second.at, second.why, second.cause_type) == (NOW - 3600 * SECOND, "timeout_over", "")
    assert BreakerState.objects.get().failing_since == NOW - 7200 * SECOND


@pytest.mark.django_db
def test_a_repeat_changes_nothing() -> None:
    process = Process()
    first = process.changed("CLOSED", "OPEN")
    process.report(a_breaker(state="OPEN"), transitions=[first], report_id="one")
    # The answer was lost: the same again, later; and then another with the old transition and a new one.
    process.report(a_breaker(state="OPEN"), transitions=[first], report_id="one", now=NOW + 60 * SECOND)
    assert BreakerState.objects.get().since == NOW - 30 * SECOND
    second = process.changed("OPEN", "CLOSED", why="reset", in_previous_s=90.0)
    process.report(a_breaker(), transitions=[first, second], now=NOW + 70 * SECOND)
    assert list(BreakerTransition.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]
    assert BreakerState.objects.get().open_s == 90.0


@pytest.mark.django_db
def test_a_state_keeps_its_time_until_it_is_another() -> None:
    process = Process()
    for seconds, state_s in ((0, 30.0), (10, 40.2), (20, 50.1)):
        process.report(a_breaker(state="OPEN", state_s=state_s), now=NOW + seconds * SECOND)
    assert BreakerState.objects.get().since == NOW - 30 * SECOND
    # It had to give up telling of what was between.
    process.report(a_breaker(state="OPEN", state_s=3.0), dropped=2, now=NOW + 30 * SECOND)
    assert BreakerState.objects.get().since == NOW + 27 * SECOND
    assert BreakerProcess.objects.get().dropped == 2


@pytest.mark.django_db
def test_secrets_are_redacted_before_texts_are_cut() -> None:
    process = Process()
    text = "x" * 480 + " https://dana:hunter2@prices.example/ failed"
    cause = {"type": "HTTPError" + "y" * 300, "text": text + " api_key=abcdef123456"}
    process.report(
        a_breaker(
            state="OPEN", last_failure={**cause, "ago_s": 3}, own_config={"note": "Bearer abcdef12345"}
        ),
        transitions=[process.changed("CLOSED", "OPEN", cause=cause)],
    )
    state, change = BreakerState.objects.get(), BreakerTransition.objects.get()
    for kept in (state.failure_text, change.cause_text):
        assert len(kept) == 500
        assert "hunter2" not in kept
    assert (len(change.cause_type), state.own_config) == (200, {"note": "Bearer [secret]"})
    assert "hunter2" not in str(AuditEvent.objects.values_list("reason", "metadata"))


@pytest.mark.django_db
def test_more_breakers_than_are_kept_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_BREAKERS", 2)
    process = Process()
    taken = process.report(*(a_breaker(f"b{number}") for number in range(4)))
    assert taken.ignored == ["b2", "b3"]
    assert sorted(CircuitBreaker.objects.values_list("name", flat=True)) == ["b0", "b1"]
    assert process.report(a_breaker("b1", "OPEN")).ignored == []


# Incidents


@pytest.mark.django_db
def test_an_opening_is_one_incident_whoever_is_open() -> None:
    first, second = Process("AAPL"), Process("MSFT")
    first.opens()
    second.opens()
    assert told() == [("Circuit breaker open: yahoo_finance", False)]
    event = AuditEvent.objects.get(action="breakers.opened")
    assert (event.actor_kind, event.actor_name, event.reason) == ("client", "AAPL", "TimeoutError: no answer")
    probing = first.changed("OPEN", "HALF_OPEN", why="timeout_over")
    first.report(a_breaker(state="HALF_OPEN", state_s=0.1), transitions=[probing], now=NOW + 20 * SECOND)
    first.report(
        a_breaker(),
        transitions=[first.changed("HALF_OPEN", "CLOSED", why="probes_succeeded")],
        now=NOW + 21 * SECOND,
    )
    assert len(told()) == 1
    second.report(
        a_breaker(), transitions=[second.changed("OPEN", "CLOSED", why="reset")], now=NOW + 22 * SECOND
    )
    assert told()[1:] == [("Circuit breaker open: yahoo_finance", True)]
    closed = AuditEvent.objects.get(action="breakers.closed")
    assert (closed.actor_name, closed.after) == ("MSFT", {"open_for_s": 32.0})


@pytest.mark.django_db
def test_what_is_forced_is_nobodys_failure() -> None:
    process = Process()
    forced = process.changed("CLOSED", "OPEN", why="force_open", cause=None)
    process.report(a_breaker(state="OPEN", forced="OPEN"), transitions=[forced])
    assert told() == []
    assert row().opened_at is None


@pytest.mark.django_db
def test_an_incident_ends_with_the_process(trader: User) -> None:
    silent, leaving = Process("silent"), Process("leaving", actor=acting(trader))
    silent.opens()
    assert sweep(now=NOW + 30 * SECOND - SECOND) == 0
    assert sweep(now=NOW + 31 * SECOND) == 1
    # One that said goodbye is gone at once.
    open_stream(token_of(trader), name=leaving.name, instance=leaving.instance)
    leaving.opens(now=NOW + 40 * SECOND)
    assert sweep(now=NOW + 41 * SECOND) == 0
    TradingClient.objects.update(hub="", left_at=NOW + 42 * SECOND)
    assert sweep(now=NOW + 42 * SECOND) == 1
    assert [over for _, over in told()] == [False, True, False, True]


# What is seen of it


@pytest.mark.django_db
def test_the_worst_of_those_that_are_there_is_the_state() -> None:
    one, two, gone = Process("one"), Process("two"), Process("gone")
    gone.report(a_breaker(state="OPEN"), now=NOW - 31 * SECOND)
    one.report(a_breaker(state="HALF_OPEN", window={"calls": 4, "failure_rate": 75.0}))
    two.report(a_breaker())
    view = selectors.breaker("yahoo_finance", now=NOW)
    assert (view.state, view.processes, view.since) == (
        "HALF_OPEN",
        selectors.Counted(0, 1, 1),
        NOW - 30 * SECOND,
    )
    assert (view.failure_rate, view.calls, view.success) == (75.0, 14, 180)
    later = selectors.breaker("yahoo_finance", now=NOW + 60 * SECOND)
    assert (later.state, later.stale, later.reported_at, later.processes.total) == ("UNKNOWN", True, NOW, 0)
    assert later.last_state in {"HALF_OPEN", "CLOSED"}


@pytest.mark.django_db
def test_time_in_open_counts_once_however_many_are_open() -> None:
    one, two, lost = Process("one"), Process("two"), Process("lost")
    # 15:28:50 to 15:29:50, and 15:29:20 to 15:30:20; then one more from 15:30:10 on.
    one.report(a_breaker(), transitions=[one.changed("OPEN", "CLOSED", why="reset")])
    two.report(
        a_breaker(),
        transitions=[two.changed("OPEN", "CLOSED", why="reset", ago_s=0.0)],
        now=NOW + 20 * SECOND,
    )
    lost.report(a_breaker(state="OPEN", state_s=0.0), now=NOW + 10 * SECOND)
    view = selectors.breaker("yahoo_finance", now=NOW + 30 * SECOND)
    assert (view.open_today_s, view.open_week_s) == (100.0, 100.0)
    # It was last heard of at 15:30:10, and is not there any more.
    later = selectors.breaker("yahoo_finance", now=NOW + 3600 * SECOND)
    assert later.open_today_s == 90.0
    next_day = selectors.breaker("yahoo_finance", now=NOW + timedelta(days=1))
    assert (next_day.open_today_s, next_day.open_week_s) == (0.0, 90.0)


def test_a_report_costs_few_queries(db: None, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    process = Process()
    process.report(*(a_breaker(f"b{number}") for number in range(20)))
    with django_assert_max_num_queries(9):
        process.report(*(a_breaker(f"b{number}") for number in range(20)))
