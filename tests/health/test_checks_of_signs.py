"""What processes leave in the database: pulses of beat and hubs, deliveries that are due, trading processes."""

from datetime import timedelta

from django.utils import timezone

from alerts.choices import DeliveryState
from alerts.models import Delivery
from killswitch.models import TradingClient
from monitoring.health.checks import clients
from monitoring.health.checks.outbox import OutboxCheck
from monitoring.health.checks.pulses import BeatCheck, HubCheck
from monitoring.health.checks.sealing import SealingCheck
from monitoring.health.choices import Status
from monitoring.health.models import Pulse
from monitoring.health.pulsing import pulse
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditSeal
from tests.alert_rows import a_channel, an_alert, told
from tests.audit.sealing import sealed, tamper, write
from tests.desk import Desk
from tests.health.looking import NOW, at


def test_beat_by_the_age_of_its_tick(db: None) -> None:
    check = BeatCheck(degraded_s=4, unhealthy_s=6)
    assert check.run(NOW).message == "Beat has never ticked"
    pulse("beat", now=NOW)
    pulse("beat", now=at(-5))
    assert [check.run(at(age)).status for age in (3.9, 4, 6)] == ["healthy", "degraded", "unhealthy"]
    assert Pulse.objects.count() == 1


def test_hubs(db: None) -> None:
    check = HubCheck(degraded_s=4, unhealthy_s=6, term=2.0)
    assert check.run(NOW).status == Status.UNHEALTHY
    pulse("hub:a", now=NOW, details={"streams": 3, "reading_age_s": 0.2})
    pulse("hub:b", now=NOW, details={"streams": 1, "reading_age_s": 9.0})
    pulse("hub:dead", now=at(-60), details={"streams": 7})
    result = check.run(at(1))
    assert (result.status, result.metadata["streams"]) == (Status.DEGRADED, 4)
    assert "1 of 2 hubs cannot read the database" in result.message
    assert check.run(at(7)).status == Status.UNHEALTHY


def test_the_outbox_by_what_is_due_longest(db: None) -> None:
    check = OutboxCheck(degraded_s=30, unhealthy_s=120, dead_degraded=1)
    assert check.run(NOW).status == Status.HEALTHY
    channel = a_channel()
    delivery = told(an_alert(), channel)
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PENDING, due_at=NOW, finished_at=None)
    assert [check.run(at(age)).status for age in (29, 30, 120)] == ["healthy", "degraded", "unhealthy"]
    # A channel that pauses says itself until when.
    type(channel).objects.update(next_at=at(300))
    assert check.run(at(120)).status == Status.HEALTHY
    Delivery.objects.update(state=DeliveryState.DEAD, finished_at=NOW)
    result = check.run(at(60))
    assert (result.status, result.message) == (Status.DEGRADED, "1 delivery was given up within a day")


def test_sealing_by_what_has_waited_longest(db: None) -> None:
    check = SealingCheck(degraded_s=30, unhealthy_s=120)
    assert check.run(NOW).status == Status.HEALTHY
    sealed(2)
    write(3)
    tamper("UPDATE audit_auditpending SET written_at = %s", values=[NOW])
    assert [check.run(at(age)).status for age in (29, 30, 120)] == ["healthy", "degraded", "unhealthy"]
    result = check.run(at(40))
    assert result.message == "An event has waited for 40 s to be sealed; 3 wait in all"
    assert (result.metadata["pending"], result.metadata["oldest_pending_s"], result.metadata["sealed"]) == (
        3,
        40.0,
        2,
    )
    assert result.metadata["newest_seal_at"] == AuditSeal.objects.get().at.isoformat()


def test_sealing_that_refuses(db: None) -> None:
    sealed(2)
    tamper("UPDATE audit_auditseal SET root = sha256('x')")
    result = SealingCheck(degraded_s=30, unhealthy_s=120).run(timezone.now())
    assert result.status == Status.UNHEALTHY
    assert "Nothing is sealed any more" in result.message
    assert "its root is not that of its frontier" in result.message


def test_trading_processes_in_one_read(trader: User) -> None:
    desk = Desk(trader)
    desk.connect("AAPL", "IBM", "GOOG", "MSFT")
    now = timezone.now()
    TradingClient.objects.filter(name="IBM").update(hub="", last_seen=now - timedelta(seconds=7))
    TradingClient.objects.filter(name="GOOG").update(hub="", left_at=now)
    TradingClient.objects.filter(name="MSFT").update(override={"message": "no"})
    results = clients.look(["IBM", "AAPL", "GOOG", "MSFT", "nobody"], now)
    assert [result.status for result in results] == ["unhealthy", "healthy", "unknown", "degraded", "unknown"]
    assert results[0].message == "No contact for 7 s, and it did not say goodbye"
    # Another process has taken its place.
    desk.connect("IBM")
    assert clients.look(["IBM"], now)[0].status == Status.HEALTHY
