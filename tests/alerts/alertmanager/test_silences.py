"""Silences through /api/v2, and the service behind them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerts.matching import Matcher
from alerts.models import Policy, Silence
from alerts.services import silencing
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.alertmanager.caller import Caller, in_minutes, matcher, silence
from tests.cast import acting

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def actions() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__startswith="alerts.")
        .order_by("id")
        .values_list("action", flat=True)
    )


# Refusals


def test_who_may_not_silence(bob: User) -> None:
    answer = Caller(bob).ask("POST", "/silences", silence(matcher("a", "x")))
    assert (answer.status_code, answer.json()["message"]) == (403, "This account may not silence alerts.")
    answer = Caller(bob).ask("DELETE", f"/silence/{uuid4()}")
    assert answer.status_code == 403
    assert not Silence.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 422, "silence in body is required"),
        ({}, 422, "comment in body is required"),
        (silence(), 422, "matchers in body should have at least 1 items"),
        (silence({"name": "a", "value": "x"}), 422, "matchers.0.isRegex in body is required"),
        (silence(matcher("a", "x"), createdBy=None), 422, "createdBy in body is required"),
        (silence(matcher("a", "x"), endsAt="soon"), 400, "parsing silence body"),
        (b"[", 400, "parsing silence body"),
        (silence(matcher("", "x")), 400, "silence invalid: invalid label matcher 0"),
        (silence(matcher("a", "x(", regex=True)), 400, "silence invalid: "),
        (
            silence(matcher("a", ".*", regex=True)),
            400,
            "silence invalid: at least one matcher must not match",
        ),
        (silence(matcher("a", "")), 400, "silence invalid: at least one matcher must not match"),
        (
            silence(matcher("a", "x"), endsAt=in_minutes(-2)),
            400,
            "Failed to create silence: start time must be",
        ),
        (
            silence(matcher("a", "x"), startsAt=in_minutes(-9), endsAt=in_minutes(-2)),
            400,
            "Failed to create silence: end time can't be in the past",
        ),
        (silence(matcher("a", "x"), id=str(uuid4())), 404, "silence not found"),
        (silence(matcher("a", "x"), id="zz"), 404, "silence not found"),
        (silence(matcher("a", "x"), comment="x\x00"), 400, "silence invalid: comment"),
    ],
)
def test_what_is_refused(am: Caller, body: Any, status: int, message: str) -> None:
    answer = am.ask("POST", "/silences", body)
    content = json.loads(answer.content)
    said = content if isinstance(content, str) else content["message"]
    assert (answer.status_code, said[: len(message)]) == (status, message)
    assert not Silence.objects.exists()


def test_one_that_does_not_exist(am: Caller) -> None:
    assert am.ask("GET", f"/silence/{uuid4()}").status_code == 404
    assert am.ask("DELETE", f"/silence/{uuid4()}").status_code == 404
    for method in ("GET", "DELETE"):
        answer = am.ask(method, "/silence/x")
        assert answer.status_code == 422
        assert answer.json() == {"code": 601, "message": 'silenceID in path must be of type uuid: "x"'}


# Create


def test_a_silence_is_made_audited_and_changes_what_decides(am: Caller, alice: User) -> None:
    version = Policy.objects.get().version
    pk = am.silence(matcher("a", "x"), matcher("b", "y.*", regex=True, equal=False))
    made = Silence.objects.get()
    assert str(made.pk) == pk
    assert (made.created_by, made.comment, made.owner) == ("dana", "Venue maintenance", alice)
    assert made.starts_at == made.created_at
    assert Policy.objects.get().version > version
    event = AuditEvent.objects.get(action="alerts.silence_created")
    assert (event.actor_name, event.object_id, event.reason) == ("alice via tests", pk, "Venue maintenance")
    assert am.get(f"/silence/{pk}")["matchers"] == made.matchers
    assert am.get(f"/silence/{pk}")["status"] == {"state": "active"}


def test_name_not_empty_is_no_match_all(am: Caller) -> None:
    am.silence(matcher("a", "", equal=False))
    assert Silence.objects.count() == 1


def test_isequal_is_true_unless_it_is_given(am: Caller) -> None:
    pk = am.silence({"name": "a", "value": "x", "isRegex": False})
    assert am.get(f"/silence/{pk}")["matchers"] == [matcher("a", "x")]


# Update


def test_a_later_end_keeps_the_id(am: Caller) -> None:
    pk = am.silence(matcher("a", "x"))
    now = am.get(f"/silence/{pk}")
    same = am.silence(
        *now["matchers"], id=pk, startsAt=now["startsAt"], endsAt=in_minutes(90), comment="Longer"
    )
    assert same == pk
    assert Silence.objects.get().comment == "Longer"
    assert actions() == ["alerts.silence_created", "alerts.silence_updated"]


@pytest.mark.parametrize(
    "change", [lambda: {"matchers": [matcher("a", "y")]}, lambda: {"startsAt": in_minutes(5)}]
)
def test_what_would_rewrite_the_past_makes_a_new_one(
    am: Caller, change: Callable[[], dict[str, Any]]
) -> None:
    pk = am.silence(matcher("a", "x"))
    body = silence(matcher("a", "x"), id=pk, startsAt=am.get(f"/silence/{pk}")["startsAt"]) | change()
    answer = am.ask("POST", "/silences", body)
    assert answer.json()["silenceID"] != pk
    assert am.get(f"/silence/{pk}")["status"] == {"state": "expired"}
    assert actions() == ["alerts.silence_created", "alerts.silence_expired", "alerts.silence_created"]


def test_one_to_come_may_move_in_the_future(am: Caller) -> None:
    pk = am.silence(matcher("a", "x"), startsAt=in_minutes(10))
    assert am.silence(matcher("a", "x"), id=pk, startsAt=in_minutes(20)) == pk
    assert am.silence(matcher("a", "x"), id=pk, startsAt=in_minutes(-5)) != pk


def test_an_expired_one_is_made_anew(am: Caller) -> None:
    pk = am.silence(matcher("a", "x"))
    am.ask("DELETE", f"/silence/{pk}")
    assert am.silence(matcher("a", "x"), id=pk) != pk
    assert Silence.objects.count() == 2


def test_nothing_new_writes_nothing(alice: User) -> None:
    values: dict[str, Any] = {
        "matchers": [Matcher("a", "x")],
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
        "comment": "c",
    }
    made = silencing.create(actor=acting(alice), now=NOW, **values)
    version = Policy.objects.get().version
    same = silencing.update(actor=acting(alice), silence_id=made.pk, now=NOW + timedelta(minutes=1), **values)
    assert same.updated_at == NOW
    assert Policy.objects.get().version == version


# Expire


def test_expiring_is_idempotent(am: Caller) -> None:
    pk = am.silence(matcher("a", "x"))
    for _ in range(2):
        answer = am.ask("DELETE", f"/silence/{pk}")
        assert (answer.status_code, answer.content) == (200, b"")
    assert am.get(f"/silence/{pk}")["status"] == {"state": "expired"}
    assert actions() == ["alerts.silence_created", "alerts.silence_expired"]


def test_one_to_come_is_expired_before_it_began(alice: User) -> None:
    made = silencing.create(
        actor=acting(alice),
        matchers=[Matcher("a", "x")],
        starts_at=NOW + timedelta(hours=1),
        ends_at=NOW + timedelta(hours=2),
        comment="",
        now=NOW,
    )
    assert silencing.expire(actor=acting(alice), silence_id=made.pk, reason="Not needed", now=NOW)
    made.refresh_from_db()
    assert made.starts_at == made.ends_at == NOW


# List


def test_the_order_and_the_states(am: Caller) -> None:
    late = am.silence(matcher("a", "1"), endsAt=in_minutes(90))
    soon = am.silence(matcher("a", "2"), endsAt=in_minutes(30))
    then = am.silence(matcher("a", "3"), startsAt=in_minutes(20))
    next_ = am.silence(matcher("a", "4"), startsAt=in_minutes(10))
    over = am.silence(matcher("a", "5"))
    am.ask("DELETE", f"/silence/{over}")
    assert [one["id"] for one in am.get("/silences")] == [soon, late, next_, then, over]
    assert [one["id"] for one in am.get("/silences", expired="false", pending="false")] == [soon, late]
    assert [one["id"] for one in am.get("/silences", active="false", pending="false")] == [over]


def test_a_filter_compares_the_matcher_itself(am: Caller) -> None:
    exact = am.silence(matcher("a", "x"))
    pattern = am.silence(matcher("a", "x", regex=True), matcher("b", "y"))
    assert [one["id"] for one in am.get("/silences", filter="a=x")] == [exact]
    assert [one["id"] for one in am.get("/silences", filter="a=~x")] == [pattern]
    assert am.get("/silences", filter="a=~.*") == []
    assert [one["id"] for one in am.get("/silences", filter=["a=~x", "b=y"])] == [pattern]


def test_one_that_expired_long_ago_is_not_listed_any_more(am: Caller) -> None:
    pk = am.silence(matcher("a", "x"))
    long_ago = datetime.now(UTC) - timedelta(hours=121)
    Silence.objects.update(starts_at=long_ago, ends_at=long_ago)
    assert am.get("/silences") == []
    assert am.get(f"/silence/{pk}")["id"] == pk
