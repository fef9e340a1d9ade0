"""The console's own metrics: the kill switch, the outbox of alerts, the seal on the audit trail, who reports, the host.

They come from the database, so they are right in every process.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q

from alerts.choices import DeliveryState
from alerts.models import Delivery
from killswitch.choices import Mode, Reason
from killswitch.models import Activation, Switch
from killswitch.state import GLOBAL
from monitoring.metrics.catalogue import Kind
from monitoring.metrics.cost import month
from monitoring.metrics.host import read_host
from monitoring.metrics.models import Series
from monitoring.metrics.sources import CLIENT, OwnMetric, Sample, register_source
from opsconsole.audit.sealing.selectors import lag

HALTED = OwnMetric(
    "opsconsole_trading_halted", Kind.GAUGE, "Whether trading is halted in this scope: 1 yes, 0 no."
)
REDUCE_ONLY = OwnMetric(
    "opsconsole_trading_reduce_only",
    Kind.GAUGE,
    "Whether this scope may only reduce positions: 1 yes, 0 no.",
)
PENDING = OwnMetric(
    "opsconsole_alert_deliveries_pending", Kind.GAUGE, "Deliveries of alerts that are not finished."
)
OLDEST = OwnMetric(
    "opsconsole_alert_delivery_overdue_seconds",
    Kind.GAUGE,
    "For how long the delivery that is due longest has been waiting; 0 when none is due.",
)
DEAD = OwnMetric(
    "opsconsole_alert_deliveries_dead",
    Kind.GAUGE,
    "Deliveries of alerts that were given up and not sent again.",
)

SEALED = OwnMetric(
    "opsconsole_audit_sealed_size",
    Kind.GAUGE,
    "Events of the audit trail that are sealed: the size of its tree.",
)
UNSEALED = OwnMetric(
    "opsconsole_audit_pending", Kind.GAUGE, "Events of the audit trail that wait to be sealed."
)
UNSEALED_AGE = OwnMetric(
    "opsconsole_audit_pending_age_seconds",
    Kind.GAUGE,
    "For how long the oldest of them has been waiting; 0 when none is.",
)

LAST_PUSH = OwnMetric(
    "opsconsole_metrics_last_push_timestamp_seconds",
    Kind.GAUGE,
    "When the newest metrics of this client were taken, in seconds since 1970.",
)
# Who has reported nothing for so long is not expected to any more.
FORGOTTEN = timedelta(days=1)


def read_kill_switch(now: datetime) -> Iterator[Sample]:
    del now
    counted = dict(
        Activation.objects.filter(drill=False).order_by().values_list("reason").annotate(count=Count("pk"))
    )
    for reason in Reason.values:
        yield Sample("kill_switch_activations_total", counted.get(reason, 0), {"reason": reason})
    modes = {GLOBAL: str(Mode.ACTIVE)} | dict(Switch.objects.order_by("pk").values_list("scope", "mode"))
    for scope, mode in modes.items():
        yield Sample(HALTED.name, float(mode == Mode.HALTED), {"scope": scope})
    for scope, mode in modes.items():
        yield Sample(REDUCE_ONLY.name, float(mode == Mode.REDUCE_ONLY), {"scope": scope})


def read_outbox(now: datetime) -> Iterator[Sample]:
    waiting = Q(state=DeliveryState.PENDING)
    unfinished = Delivery.objects.filter(waiting | Q(state=DeliveryState.SENDING)).aggregate(
        count=Count("pk"), oldest=Min("due_at")
    )
    overdue = (now - unfinished["oldest"]).total_seconds() if unfinished["oldest"] else 0.0
    yield Sample(PENDING.name, unfinished["count"])
    yield Sample(OLDEST.name, max(overdue, 0.0))
    yield Sample(DEAD.name, Delivery.objects.filter(state=DeliveryState.DEAD).count())


def read_sealing(now: datetime) -> Iterator[Sample]:
    found = lag()
    yield Sample(SEALED.name, found.size)
    yield Sample(UNSEALED.name, found.pending)
    yield Sample(UNSEALED_AGE.name, found.age(now).total_seconds())


def read_pushes(now: datetime) -> Iterator[Sample]:
    pushed = Series.objects.filter(at__gte=now - FORGOTTEN).exclude(client=CLIENT)
    newest = pushed.order_by("client").values_list("client")
    for client, at in newest.annotate(newest=Max("at")):
        yield Sample(LAST_PUSH.name, at.timestamp(), {"client": client})


def read_projection(now: datetime) -> Iterator[Sample]:
    """Nothing as long as it is not known."""
    projected = month(now).projected
    if projected is not None:
        yield Sample("ai_monthly_cost_usd", projected)


def register() -> None:
    register_source("kill_switch", read_kill_switch, HALTED, REDUCE_ONLY)
    register_source("alerts", read_outbox, PENDING, OLDEST, DEAD)
    register_source("audit", read_sealing, SEALED, UNSEALED, UNSEALED_AGE)
    register_source("pushes", read_pushes, LAST_PUSH)
    register_source("ai_cost", read_projection)
    register_source("host", read_host)
