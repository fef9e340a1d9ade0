"""Triggers in the admin and through their service: with a reason, sound, and in the audit trail."""

from typing import Any

import pytest
from django.test import Client

from alerts.models import Submission
from monitoring.triggers import services
from monitoring.triggers.evaluating import evaluate
from monitoring.triggers.models import Trigger
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from tests.cast import ROOT
from tests.metrics.series import NOW
from tests.triggers.rows import GAUGE, LOSS, only, report, state_of

LIST = "/admin/monitoring/trigger/"


def signed_in(user: User) -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def trigger(db: None) -> Trigger:
    return Trigger.objects.get(name="daily-loss-usd")


def page_of(trigger: Trigger) -> str:
    return f"{LIST}{trigger.pk}/change/"


def filled_in(trigger: Trigger, **values: Any) -> dict[str, Any]:
    """The form as it is shown, with these values changed."""
    given = services.as_values(trigger) | {
        "version": trigger.version,
        "labels": "{}",
        "reason": "The desk has grown",
    }
    given = {name: "" if value is None else value for name, value in (given | values).items()}
    return {name: "on" if value is True else value for name, value in given.items() if value is not False}


def test_needs_the_right_to_tune(bob: User, alice: User, trigger: Trigger) -> None:
    for user in (bob, alice):
        client = signed_in(user)
        assert client.get(page_of(trigger)).status_code in {200, 403}
        assert client.post(page_of(trigger), filled_in(trigger, threshold=-1)).status_code == 403
        assert client.post(f"{LIST}add/", filled_in(trigger, name="mine")).status_code == 403
        assert client.post(f"{LIST}{trigger.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Trigger.objects.get(pk=trigger.pk).threshold == -20_000


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"reason": ""}, "Say why."),
    ({"version": 7}, "Somebody changed this trigger meanwhile"),
    ({"name": "no slug!"}, "valid"),
    ({"metric": "nobody_knows"}, "must be a counter or gauge that trading processes report"),
    ({"metric": "host_cpu_usage_pct"}, "must be a counter or gauge that trading processes report"),
    ({"metric": "trade_slippage_bps"}, "must be a counter or gauge that trading processes report"),
    ({"metric": "trades_total"}, "must be INCREASE, INCREASE_DAY or INCREASE_MONTH"),
    ({"aggregate": "INCREASE"}, "must be LARGEST, SMALLEST or SUM"),
    ({"aggregate": "AVERAGE"}, "AVERAGE"),
    ({"labels": '{"ticker": "AAPL"}'}, "allowed are none"),
    ({"labels": "{"}, "valid JSON"),
    ({"percent_of": GAUGE}, "must be another gauge"),
    ({"percent_of": "trades_total"}, "must be another gauge"),
    ({"threshold": "nan"}, "number"),
    ({"threshold": "inf"}, "number"),
    ({"second_threshold": -20_000}, "must lie below the threshold"),
    ({"clear_threshold": -20_001}, "must lie above the threshold or at it"),
    ({"comparison": "ABOVE"}, "must lie above the threshold"),
    ({"confirmations": 0}, "1"),
    ({"confirmations": 101}, "100"),
    ({"stale_seconds": -1}, "0"),
    ({"on_missing": ""}, "required"),
    ({"on_error": "SILENCE"}, "SILENCE"),
    ({"stop_scope": "moon:base"}, "must be global, or one of"),
    ({"stop_mode": "ACTIVE"}, "ACTIVE"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_refuses_with_words(sam: User, trigger: Trigger, values: dict[str, Any], words: str) -> None:
    answer = signed_in(sam).post(page_of(trigger), filled_in(trigger, **values))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert Trigger.objects.get(pk=trigger.pk).version == 1


def test_a_window_is_of_whole_minutes(db: None) -> None:
    counter = {"metric": "ai_cost_usd_total", "aggregate": "INCREASE", "comparison": "ABOVE", "threshold": 1}
    with pytest.raises(Refused, match="window_seconds: must be whole minutes"):
        services.create(actor=ROOT, values=LOSS | counter | {"window_seconds": 90}, reason="")


def test_the_service_refuses_what_the_admin_does(trigger: Trigger) -> None:
    with pytest.raises(Refused, match="nonsense: is not a field here; allowed are name, enabled"):
        services.change(actor=ROOT, trigger_id=trigger.pk, values={"nonsense": 1}, reason="")
    with pytest.raises(Refused, match="metric: must be a counter or gauge"):
        services.change(actor=ROOT, trigger_id=trigger.pk, values={"metric": "x"}, reason="")
    with pytest.raises(Refused, match="name: Trigger with this Name already exists"):
        services.create(actor=ROOT, values=LOSS | {"name": trigger.name}, reason="")
    with pytest.raises(ChangedMeanwhile):
        services.change(actor=ROOT, trigger_id=trigger.pk, values={"threshold": -1}, reason="", version=9)


def test_a_change_is_in_the_trail(sam: User, trigger: Trigger) -> None:
    values = {"threshold": -25_000, "second_threshold": -32_000, "stop_scope": "ACCOUNT:main"}
    answer = signed_in(sam).post(page_of(trigger), filled_in(trigger, **values))
    assert answer.status_code == 302
    found = Trigger.objects.get(pk=trigger.pk)
    assert (found.threshold, found.stop_scope, found.version, found.updated_by) == (
        -25_000,
        "account:main",
        2,
        "sam",
    )
    event = AuditEvent.objects.get(action="triggers.changed")
    assert (event.actor_name, event.reason, event.object_label) == (
        "sam",
        "The desk has grown",
        "daily-loss-usd",
    )
    assert event.before is not None
    assert event.after is not None
    assert (event.before["threshold"], event.after["threshold"]) == (-20_000, -25_000)


def test_saving_the_same_changes_nothing(sam: User, trigger: Trigger) -> None:
    assert signed_in(sam).post(page_of(trigger), filled_in(trigger)).status_code == 302
    assert not AuditEvent.objects.filter(action="triggers.changed").exists()


def test_one_is_added_and_deleted(sam: User, trigger: Trigger) -> None:
    client = signed_in(sam)
    answer = client.post(f"{LIST}add/", filled_in(trigger, name="mine", client="desk-9"))
    assert answer.status_code == 302
    made = Trigger.objects.get(name="mine")
    assert state_of(made).condition == "WAITING"
    assert client.post(f"{LIST}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    actions = list(
        AuditEvent.objects.filter(object_label="mine").order_by("pk").values_list("action", flat=True)
    )
    assert actions == ["triggers.created", "triggers.deleted"]
    assert client.get(LIST).status_code == 200


def resolved() -> list[bool]:
    rows = Submission.objects.filter(alert__source="triggers").order_by("pk")
    return [row.alert["resolved"] for row in rows]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["changed", "disabled", "deleted"])
def test_what_it_said_is_over_when_it_is_another(how: str) -> None:
    trigger = only(action="ALERT")
    report(GAUGE, -6000, at=NOW)
    evaluate(now=NOW)
    assert resolved() == [False]
    if how == "deleted":
        services.delete(actor=ROOT, trigger_id=trigger.pk, reason="")
    else:
        values = {"threshold": -9000} if how == "changed" else {"enabled": False}
        services.change(actor=ROOT, trigger_id=trigger.pk, values=values, reason="")
        assert (state_of(trigger).condition, state_of(trigger).value) == ("WAITING", None)
    assert resolved() == [False, True]


@pytest.mark.django_db(transaction=True)
def test_a_comment_keeps_the_state() -> None:
    trigger = only()
    report(GAUGE, -6000, at=NOW)
    evaluate(now=NOW)
    services.change(actor=ROOT, trigger_id=trigger.pk, values={"comment": "ask Dana"}, reason="")
    assert state_of(trigger).condition == "TRIPPED"
