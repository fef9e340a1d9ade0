"""What operators tell breakers: who may, by version, until when, and which processes have applied it."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from monitoring.breakers import api_commands, selectors, services
from monitoring.breakers.feed import BreakerFeed
from monitoring.breakers.models import BreakerCommand, BreakerVersion, CircuitBreaker
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.at_once import Run
from tests.breakers.reporting import NOW, Process, a_breaker, row
from tests.cast import acting, caller

SECOND = timedelta(seconds=1)
URL = "/monitoring/circuit-breakers"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else applies anything while a test waits."""
    monkeypatch.setattr(api_commands, "PATIENCE", 0.0)


ACTS = (
    "yahoo_finance/reset",
    "reset-all",
    *(f"yahoo_finance/{act}" for act in ("force-open", "force-close", "release")),
)


@pytest.mark.parametrize("act", ACTS)
def test_viewers_and_processes_may_not(bob: User, trader: User, act: str) -> None:
    Process().report(a_breaker())
    for user in (bob, trader):
        answer = caller(user).post(f"{URL}/{act}", {"reason": "x"})
        assert (answer.status_code, "needs the role operator" in answer.json()["error"]["message"]) == (
            403,
            True,
        )
    assert not BreakerVersion.objects.exists()


def test_an_unknown_name_is_answered_with_the_nearest(alice: User) -> None:
    for name in ("yahoo_finance", "sec_edgar", "database"):
        Process().report(a_breaker(name))
    client = caller(alice)
    for ask in (
        lambda: client.get(f"{URL}/Yahoo-Finance"),
        lambda: client.get(f"{URL}/Yahoo-Finance/transitions"),
        lambda: client.post(f"{URL}/Yahoo-Finance/reset"),
        lambda: client.post(f"{URL}/Yahoo-Finance/force-open", {"reason": "x"}),
    ):
        answer = ask()
        assert (answer.status_code, answer.json()["error"]["details"]) == (
            404,
            {"nearest": ["yahoo_finance"]},
        )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "reason"),
    ({"reason": "  "}, "reason"),
    ({"reason": "x" * 2001}, "reason"),
    ({"reason": "x", "expires_in": 0}, "expires_in"),
    ({"reason": "x", "expires_in": "soon"}, "expires_in"),
    ({"reason": "x", "expires_in": 1.5}, "expires_in"),
    ({"reason": "x", "expires_in": True}, "expires_in"),
    ({"reason": "x", "expires_in": 31 * 86_400}, "expires_in"),
    ({"reason": "x", "until": "tomorrow"}, "until"),
    ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
    ({"reason": "x", "until": "2999-01-01T00:00:00Z"}, "until"),
    ({"reason": "x", "until": "2999-01-01T00:00:00Z", "expires_in": 5}, "expires_in"),
    ({"reason": "x", "for": 5}, "for"),
]


@pytest.mark.parametrize(("fields", "named"), WRONG)
def test_a_hold_needs_a_reason_and_a_sound_end(alice: User, fields: dict[str, Any], named: str) -> None:
    Process().report(a_breaker())
    answer = caller(alice).post(f"{URL}/yahoo_finance/force-open", fields)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [named])
    assert row().hold == ""


def test_what_is_not_held_is_not_released(alice: User) -> None:
    Process().report(a_breaker())
    answer = caller(alice).post(f"{URL}/yahoo_finance/release")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_held")


# Reset


def test_a_reset_says_how_many_have_applied_it(alice: User) -> None:
    one, two, other, gone = Process("one"), Process("two"), Process("other"), Process("gone")
    gone.report(a_breaker(), now=NOW - timedelta(days=1))
    for process in (one, two):
        process.report(a_breaker(state="OPEN"), now=None)
    other.report(a_breaker("other"), now=None)
    # As the guide's curl has it: no body, and no header.
    answer = caller(alice).post(f"{URL}/yahoo_finance/reset")
    body = answer.json()
    assert (answer.status_code, body["state"], body["applied"], body["of"]) == (200, "OPEN", 0, 2)
    assert (body["name"], body["waiting"], body["warnings"]) == ("yahoo_finance", ["one", "two"], [])
    one.report(a_breaker(applied=1), applied=1, now=None)
    assert selectors.progress(body["command"]) == selectors.Progress(1, 2, ["two"])
    event = AuditEvent.objects.get(action="breakers.reset")
    assert (event.actor_name, event.object_label) == ("alice via tests", "yahoo_finance")
    assert (event.before or {})["reset"] is None
    assert (event.after or {})["reset"] == 1


def test_a_repeat_under_its_key_is_one_command(alice: User) -> None:
    Process().report(a_breaker())
    client = caller(alice)
    for _ in range(2):
        answer = client.post(
            f"{URL}/yahoo_finance/reset", {"reason": "back"}, headers={"Idempotency-Key": "k1"}
        )
        assert answer.status_code == 200
    assert answer.headers["Idempotent-Replay"] == "true"
    assert BreakerCommand.objects.get().reason == "back"
    assert client.post(f"{URL}/reset-all", headers={"Idempotency-Key": "k2"}).status_code == 200


def test_a_form_will_do(alice: User) -> None:
    Process().report(a_breaker())
    form = "application/x-www-form-urlencoded"
    answer = caller(alice).post(
        f"{URL}/yahoo_finance/force-close", "reason=drill&expires_in=60", content_type=form
    )
    assert (answer.status_code, answer.json()["hold"]["state"], answer.json()["hold"]["reason"]) == (
        200,
        "CLOSED",
        "drill",
    )


@pytest.mark.parametrize("name", ["api.v2", "sec-edgar", "Claude API", "db/primary", "Börse €", "a%2Fb"])
def test_names_may_be_anything_printable(alice: User, name: str) -> None:
    Process().report(a_breaker(name))
    client, path = caller(alice), f"{URL}/{quote(name, safe='')}"
    assert client.get(path).json()["name"] == name
    assert client.post(f"{path}/reset").json()["name"] == name
    assert client.get(f"{path}/transitions").json() == {"results": [], "next": None}


def test_reset_all_has_one_version(alice: User) -> None:
    one, two = Process("one"), Process("two")
    one.report(a_breaker("a"), a_breaker("b"), now=None)
    two.report(a_breaker("b"), now=None)
    services.force_open(actor=acting(alice), name="b", reason="bad prices")
    body = caller(alice).post(f"{URL}/reset-all").json()
    assert (body["version"], body["applied"], body["of"]) == (2, 0, 2)
    assert body["states"] == {"OPEN": 0, "HALF_OPEN": 0, "CLOSED": 2, "UNKNOWN": 0}
    assert body["warnings"] == ["forced, and stay so until released: b"]
    assert list(CircuitBreaker.objects.order_by("name").values_list("version", "reset_version")) == [
        (2, 2),
        (2, 2),
    ]
    two.report(a_breaker("b"), applied=2)
    assert selectors.progress(body["command"]).waiting == ["one"]


# Holds


def whole() -> dict[str, Any]:
    news = BreakerFeed().read(None)
    return {one["name"]: one for one in news.whole["breakers"]}


@pytest.mark.django_db
def test_a_hold_lasts_until_it_is_released() -> None:
    process = Process()
    process.report(a_breaker())
    held = services.force_open(actor=process.actor, name="yahoo_finance", reason="bad prices", now=NOW)
    told = {"state": "OPEN", "by": "tests", "reason": "bad prices", "left_s": None}
    assert (whole()["yahoo_finance"]["hold"], held.breaker is not None) == (told, True)
    assert services.reset(actor=process.actor, name="yahoo_finance", reason="").warnings == [
        "it stays forced OPEN by tests: release it"
    ]
    assert services.expire_holds() == 0
    services.release(actor=process.actor, name="yahoo_finance", reason="prices are good", now=NOW)
    assert whole()["yahoo_finance"] == {
        "name": "yahoo_finance", "version": 3, "config": None, "hold": None, "reset": 2, "shared": None,
    }  # fmt: skip
    actions = (
        AuditEvent.objects.filter(object_label="yahoo_finance")
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert list(actions) == ["breakers.forced_open", "breakers.reset", "breakers.released"]


@pytest.mark.django_db
def test_a_hold_ends_by_itself() -> None:
    process = Process()
    process.report(a_breaker())
    until = NOW + 60 * SECOND
    services.force_close(actor=process.actor, name="yahoo_finance", reason="drill", until=until, now=NOW)
    view = selectors.breaker("yahoo_finance", now=NOW + 59 * SECOND)
    assert view.held is not None
    assert (view.held.state, view.held.until) == ("CLOSED", until)
    assert services.expire_holds(now=NOW + 59 * SECOND) == 0
    # Nobody sees it any more, even before it is noted.
    assert selectors.breaker("yahoo_finance", now=until).held is None
    assert services.expire_holds(now=until) == 1
    assert (row().hold, row().version, services.expire_holds(now=until)) == ("", 2, 0)
    event = AuditEvent.objects.get(action="breakers.hold_expired")
    assert (event.actor_name, (event.before or {})["hold"]) == ("circuit breakers", "CLOSED")


# Many at once


@pytest.mark.django_db(transaction=True)
def test_commands_and_reports_at_once_keep_the_order_of_versions(at_once: Run) -> None:
    processes = [Process(f"P{number}") for number in range(6)]
    for process in processes:
        process.report(a_breaker("a"), a_breaker("b"))
    CircuitBreaker.objects.filter(name="b").update(quorum=3)

    def command(number: int) -> None:
        act = (services.reset, services.force_open)[number % 2]
        for name in ("a", "b"):
            act(actor=processes[0].actor, name=name, reason="at once")

    def report(process: Process) -> None:
        for state in ("OPEN", "CLOSED", "OPEN"):
            change = (
                process.changed("CLOSED", "OPEN", "b")
                if state == "OPEN"
                else process.changed("OPEN", "CLOSED", "b")
            )
            process.report(a_breaker("a"), a_breaker("b", state), transitions=[change])

    at_once([*(lambda n=n: command(n) for n in range(6)), *(lambda p=p: report(p) for p in processes)])
    # Commands, and what the quorum made of the reports, have a version each.
    versions = list(BreakerCommand.objects.order_by("version").values_list("version", flat=True))
    assert len(set(versions)) == len(versions) == 12
    assert BreakerVersion.objects.get().value == max(CircuitBreaker.objects.values_list("version", flat=True))
