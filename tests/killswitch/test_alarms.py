"""What the kill switch raises alerts for, and that a stop neither waits for them nor fails because of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from alerts import halts
from alerts.choices import AlertState, Category, Decision, Priority
from alerts.locking import lock_decisions
from alerts.models import Alert, Submission
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from alerts.services.submitting import decide_submissions
from killswitch import services
from killswitch.choices import CommandKind, Mode, Reason
from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from opsconsole.live.feeds import StreamEnd
from tests.cast import ROOT, acting
from tests.console import database_url
from tests.killswitch.conftest import HUB, Connect

STALE = timedelta(seconds=settings.CLIENT_STALE)


def stop(by: User, **order: Any) -> services.ActivationOutcome:
    return services.activate(
        actor=acting(by), **{"reason": Reason.MANUAL, "message": "Look at the feed"} | order
    )


def raised() -> list[Alert]:
    """Everything that was raised until now, decided."""
    decide_submissions()
    return list(Alert.objects.order_by("pk"))


def facts(alert: Alert) -> tuple[str, str, str, str]:
    return alert.title, alert.category, alert.priority, alert.state


def gone(client: TradingClient) -> datetime:
    """Its stream ends without a word; returns a time at which it is missed."""
    assert client.connected_at is not None
    end = StreamEnd(client_id=client.pk, opened_at=client.connected_at, lease_until=client.connected_at)
    services.disconnect(ends=[end], hub=HUB)
    return timezone.now() + STALE + timedelta(seconds=1)


def told(
    client: TradingClient,
    user: User,
    *,
    closing: bool = False,
    states: Mapping[str, Mapping[str, Any] | None],
) -> None:
    services.report(
        actor=acting(user),
        name=client.name,
        instance=client.instance,
        report=services.Report(states=states, closing=closing),
    )


@pytest.mark.django_db(transaction=True)
def test_a_stop_waits_for_no_decision(alice: User) -> None:
    with psycopg.connect(database_url(connection.settings_dict)) as other:
        # The lock that every decision takes, held by somebody who does not let go.
        with transaction.atomic():
            lock_decisions()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT classid, objid, objsubid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                )
                high, low, kind = cursor.fetchone()
        assert kind == 1
        other.execute("SELECT pg_advisory_lock(%s)", [(high << 32) | low])
        outcome = stop(alice)
    assert outcome.changed
    assert outcome.activation.confirmed_at is not None
    # So that the thread which was woken has nothing left to do.
    assert len(raised()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_stop_holds_though_its_alert_cannot_be_written(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alerts_submission RENAME TO alerts_submission_away")
        try:
            outcome = stop(alice)
        finally:
            cursor.execute("ALTER TABLE alerts_submission_away RENAME TO alerts_submission")
    assert outcome.changed
    assert raised() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "category"),
    [
        (Reason.MANUAL, Category.SYSTEM_ERROR),
        (Reason.DAILY_LOSS_LIMIT, Category.RISK_WARNING),
        (Reason.VOLATILITY, Category.RISK_WARNING),
        (Reason.COST_ALERT, Category.COST_ALERT),
        (Reason.DATA_QUALITY, Category.DATA_QUALITY),
    ],
)
def test_a_stop_is_told_whatever_the_rules_say(alice: User, reason: str, category: str) -> None:
    stop(alice, reason=reason)
    (alert,) = raised()
    assert facts(alert) == ("Trading stopped: everything", category, Priority.CRITICAL, AlertState.FIRING)
    assert (alert.decision, alert.forced, alert.message) == (
        Decision.SENT,
        True,
        "Look at the feed. By alice.",
    )
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_the_re_arm_resolves_it_and_a_second_stop_is_told_again(alice: User, sam: User) -> None:
    stop(alice)
    raised()
    services.deactivate(actor=acting(sam), message="The feed is back")
    (alert,) = raised()
    assert alert.state == AlertState.RESOLVED
    stop(alice)
    assert [item.decision for item in raised()] == [Decision.SENT, Decision.SENT]


@pytest.mark.django_db
def test_any_text_of_a_stop_can_be_told(alice: User) -> None:
    stop(alice, message="a\x00b\x1b[31m\u202e" + "x" * 3000)
    (alert,) = raised()
    assert alert.message.startswith("a")
    assert "\x1b" not in alert.message


@pytest.mark.django_db
def test_closing_further_ends_the_first_alert(alice: User) -> None:
    stop(alice, mode=Mode.REDUCE_ONLY)
    stop(alice)
    assert [(item.title, item.state) for item in raised()] == [
        ("Reduce only: everything", AlertState.RESOLVED),
        ("Trading stopped: everything", AlertState.FIRING),
    ]


@pytest.mark.django_db
def test_a_drill_is_told_when_it_is_proven(alice: User) -> None:
    outcome = stop(alice, drill=True)
    assert outcome.activation.stopped_at is not None
    (alert,) = raised()
    assert facts(alert)[:3] == ("Stop drill proven", Category.PERFORMANCE, Priority.LOW)
    assert alert.ends_at is not None


@pytest.mark.django_db
def test_a_stop_that_is_not_proven_is_an_alarm_until_it_is(alice: User, connect: Connect) -> None:
    client = connect()
    activation = stop(alice).activation
    assert activation.confirmed_at is not None
    services.notice_unproven(now=activation.confirmed_at + timedelta(seconds=8))
    assert len(raised()) == 1
    late = activation.confirmed_at + timedelta(seconds=10)
    services.notice_unproven(now=late)
    services.notice_unproven(now=late)
    alarm = raised()[-1]
    assert facts(alarm)[:3] == ("Stop not proven", Category.SYSTEM_ERROR, Priority.CRITICAL)
    assert alarm.count == 1
    services.settle(epoch=activation.epoch, waited=60.0)
    alarm = raised()[-1]
    assert alarm.state == AlertState.RESOLVED
    assert client.name


@pytest.mark.django_db
def test_a_process_that_closes_is_not_missed(trader: User, connect: Connect) -> None:
    client = connect()
    told(client, trader, closing=True, states={})
    services.notice_stale(now=gone(client))
    assert raised() == []


@pytest.mark.django_db
def test_a_process_with_a_successor_is_not_missed(connect: Connect) -> None:
    late = gone(connect("IBM"))
    connect("IBM")
    services.notice_stale(now=late)
    assert raised() == []


@pytest.mark.django_db
def test_a_process_that_vanishes_is_missed_until_one_of_its_name_is_back(connect: Connect) -> None:
    client = connect("IBM")
    services.notice_stale(now=timezone.now() + STALE / 2)
    assert raised() == []
    late = gone(client)
    services.notice_stale(now=late)
    services.notice_stale(now=late)
    (alert,) = raised()
    assert facts(alert) == ("No contact: IBM", Category.SYSTEM_ERROR, Priority.HIGH, AlertState.FIRING)
    assert alert.count == 1
    connect("IBM")
    (alert,) = raised()
    assert alert.state == AlertState.RESOLVED
    client.refresh_from_db()
    assert client.stale_since is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "title", "priority"),
    [
        ("override", "Stops are overridden: AAPL", Priority.CRITICAL),
        ("local_stop", "Stopped on its own host: AAPL", Priority.HIGH),
    ],
)
def test_what_a_process_tells_is_an_alarm_while_it_lasts(
    trader: User, connect: Connect, state: str, title: str, priority: str
) -> None:
    client = connect()
    told(client, trader, states={state: {"message": "is_active set to False"}})
    told(client, trader, states={state: {"message": "again"}})
    (alert,) = raised()
    assert facts(alert)[0::2] == (title, priority)
    assert alert.count == 1
    told(client, trader, states={state: None})
    (alert,) = raised()
    assert alert.state == AlertState.RESOLVED


@pytest.mark.django_db
def test_a_command_that_nobody_answered_is_an_alarm(alice: User, connect: Connect) -> None:
    connect()
    command = services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    services.sweep(now=command.issued_at + timedelta(seconds=61))
    (alert,) = raised()
    assert facts(alert)[0::2] == ("Not carried out: cancel orders", Priority.HIGH)
    assert "no answer in time" in alert.message


@pytest.mark.django_db
def test_a_command_that_failed_is_an_alarm(alice: User, trader: User, connect: Connect) -> None:
    client = connect()
    command = services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    services.report(
        actor=acting(trader),
        name=client.name,
        instance=client.instance,
        report=services.Report(commands=[{"id": command.pk, "ok": False, "error": "venue\x07 closed"}]),
    )
    (alert,) = raised()
    assert alert.message.startswith(f"{client}: venue  closed.")


@pytest.mark.django_db
def test_no_trades_is_expected_while_trading_is_stopped_and_told_after_the_re_arm(
    alice: User, sam: User
) -> None:
    no_trades = RaisedAlert(
        category=Category.PERFORMANCE,
        priority=Priority.CRITICAL,
        title="No trades for ten minutes",
        labels={"expected_when": "halted"},
        source="tests",
    )
    activation = stop(alice).activation
    assert [halt.activation for halt in halts.current()] == [activation.pk]
    (held,) = raise_alerts(actor=ROOT, alerts=[no_trades])
    assert held.decision == Decision.EXPECTED
    assert held.trace[-1]["because"]["activation"] == activation.pk
    (again,) = raise_alerts(actor=ROOT, alerts=[no_trades])
    assert again.decision == Decision.EXPECTED
    services.deactivate(actor=acting(sam), message="All is well")
    (after,) = raise_alerts(actor=ROOT, alerts=[no_trades])
    assert after.decision == Decision.SENT


@pytest.mark.django_db
def test_reduce_only_explains_nothing(alice: User) -> None:
    stop(alice, mode=Mode.REDUCE_ONLY)
    assert halts.current() == ()
