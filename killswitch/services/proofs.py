"""The proof that each process stopped: by its own word, or because its lease has run out."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Max, Q

from killswitch import alarms
from killswitch.choices import ProofState
from killswitch.locking import bounded, database_time
from killswitch.models import Acknowledgement, Activation, TradingClient
from killswitch.services.drills import remind
from killswitch.state import covers
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.live.feeds import Acknowledged, Told
from opsconsole.live.publish import CHANNEL, announcement, publish

PROOF = Actor.system("proof")
# A proof that is missing after so many terms, and the time that settling may take, is an alarm.
UNPROVEN_TERMS = 2
SETTLING = timedelta(seconds=5)

# One statement for all that arrived together: note each process's epoch, prove its part in each activation (a proof that time gave first stays), and
# announce it. An epoch is bounded by the console's own: a process that knows more (the console was restored from a backup) has not seen what comes.
# The commit does not wait for the disk. Acknowledgements lost in a crash of the database leave their proof to the lease; and `conclude()` does wait,
# for all that came before it too.
ACKNOWLEDGE = """
WITH moment AS MATERIALIZED (
    SELECT COALESCE(%(now)s::timestamptz, clock_timestamp()) AS now
), told AS (
    SELECT client, max(epoch) AS epoch FROM unnest(%(clients)s::bigint[], %(epochs)s::bigint[]) AS t (client, epoch) GROUP BY client
), locked AS (
    SELECT c.id, told.epoch FROM killswitch_tradingclient c JOIN told ON told.client = c.id ORDER BY c.id FOR NO KEY UPDATE OF c
), me AS (
    UPDATE killswitch_tradingclient c
    SET acknowledged_epoch = GREATEST(
            c.acknowledged_epoch, LEAST(locked.epoch, COALESCE((SELECT value FROM killswitch_epoch WHERE killswitch_epoch.id = 1), 0))),
        last_seen = moment.now
    FROM locked, moment WHERE c.id = locked.id RETURNING c.id
), known AS (
    SELECT id, activated_at FROM killswitch_activation WHERE id = ANY(%(of)s)
), done AS (
    INSERT INTO killswitch_acknowledgement (activation_id, client_id, state, ms, at, callbacks)
    SELECT DISTINCT known.id, me.id, 'ACKED', GREATEST(0, extract(epoch FROM moment.now - known.activated_at) * 1000),
           GREATEST(moment.now, known.activated_at), '[]'::jsonb
    FROM unnest(%(by)s::bigint[], %(of)s::bigint[]) AS proof (client, activation)
    JOIN me ON me.id = proof.client JOIN known ON known.id = proof.activation, moment
    ORDER BY known.id, me.id
    ON CONFLICT (activation_id, client_id) DO UPDATE SET state = EXCLUDED.state, ms = EXCLUDED.ms, at = EXCLUDED.at
    WHERE killswitch_acknowledgement.state = 'PENDING'
    RETURNING activation_id
)
SELECT ARRAY(SELECT id FROM known), ARRAY(SELECT DISTINCT activation_id FROM done ORDER BY activation_id),
       (SELECT count(*) FROM me),
       (SELECT pg_notify(%(channel)s, %(announcement)s) WHERE EXISTS (SELECT FROM done)),
       set_config('synchronous_commit', 'off', true)
"""

# Activations among these whose every proof is there. Asked after the commit of an acknowledgement, so that of two that come last together
# at least one sees both.
COMPLETE = """
SELECT a.id FROM killswitch_activation a
WHERE a.id = ANY(%s) AND a.stopped_at IS NULL AND a.ended_at IS NULL AND NOT EXISTS (
    SELECT FROM killswitch_acknowledgement p WHERE p.activation_id = a.id AND p.state = 'PENDING')
ORDER BY a.id
"""

# A lease that may still count after the stop ends, at the latest, a term after the commit; that of a stream which has ended, when
# that stream's last lease does; those of a hub that has waited them out, when its last one did (but one that came to it less than a term
# before may hold a lease of the hub it was with).
EXPIRE = """
UPDATE killswitch_acknowledgement p
SET state = 'LEASE_EXPIRED', at = bound.at, ms = extract(epoch FROM bound.at - bound.activated_at) * 1000
FROM (
    SELECT q.id, a.activated_at, GREATEST(a.activated_at, LEAST(
        CASE WHEN c.hub = %(hub)s AND c.connected_at + a.term_ms * interval '1 millisecond' <= %(own)s::timestamptz
             THEN %(own)s::timestamptz END,
        CASE WHEN c.hub = '' THEN c.lease_until END,
        a.confirmed_at + a.term_ms * interval '1 millisecond')) AS at
    FROM killswitch_acknowledgement q
    JOIN killswitch_activation a ON a.id = q.activation_id
    JOIN killswitch_tradingclient c ON c.id = q.client_id
    WHERE q.state = 'PENDING' AND a.id = ANY(%(activations)s) AND a.confirmed_at IS NOT NULL
      AND (%(full)s OR (c.hub = %(hub)s AND c.connected_at + a.term_ms * interval '1 millisecond' <= %(own)s::timestamptz))
    ORDER BY q.id FOR NO KEY UPDATE OF q
) bound
WHERE p.id = bound.id AND p.state = 'PENDING'
"""


class UnknownClient(Exception):
    """No process of this name and instance was ever registered by this account."""

    def __init__(self, name: str, instance: str) -> None:
        super().__init__("This instance has never connected with this account. Open the stream first.")
        self.name, self.instance = name, instance


def acknowledge(
    *,
    actor: Actor,
    name: str,
    instance: str,
    epoch: int,
    activations: Sequence[int],
    now: datetime | None = None,
) -> Acknowledged:
    """A process says that from now on it allows nothing that these activations forbid. Raises UnknownClient."""
    own = TradingClient.objects.filter(name=name, instance=instance, user=actor.user_id)
    client_id = own.values_list("pk", flat=True).first()
    if client_id is None:
        raise UnknownClient(name, instance)
    return acknowledge_all(told=[Told(client_id, epoch, tuple(activations))], now=now)[0]


def acknowledge_all(*, told: Sequence[Told], now: datetime | None = None) -> list[Acknowledged]:
    """The same of several processes at once, each known to speak for itself: one commit for all. The answers are in their order."""
    known, proven = _note(told=told, now=now)
    if proven:
        for pk in _complete(proven):
            conclude(pk, now=now)
    return [
        Acknowledged(
            acknowledged=sorted(set(item.activations) & known), unknown=sorted(set(item.activations) - known)
        )
        for item in told
    ]


@bounded
def _note(*, told: Sequence[Told], now: datetime | None) -> tuple[set[int], list[int]]:
    """Returns which of the activations exist, and those to which a proof was added."""
    pairs = [(item.client_id, activation) for item in told for activation in item.activations]
    activations = [activation for _, activation in pairs]
    with connection.cursor() as cursor:
        cursor.execute(
            ACKNOWLEDGE,
            {
                "clients": [item.client_id for item in told],
                "epochs": [item.epoch for item in told],
                "by": [client_id for client_id, _ in pairs],
                "of": activations,
                "now": now,
                "channel": CHANNEL,
                "announcement": announcement("proofs", ids=tuple(sorted(set(activations)))),
            },
        )
        row = cursor.fetchone()
    assert row is not None  # noqa: S101  a SELECT without FROM yields one row
    return set(row[0]), row[1]


def settle(
    *,
    epoch: int,
    waited: float,
    hub: str = "",
    own_leases_until: datetime | None = None,
    now: datetime | None = None,
) -> bool:
    """Record the proofs that time alone gives, for activations up to `epoch`; see `opsconsole.live.feeds.TradingFeed.settle`.

    `waited` is the caller's own monotonic time since it first saw `epoch` committed; only a full term and a little more settles
    processes of others. Returns whether something is still open.
    """
    unproven = list(
        Activation.objects.filter(stopped_at=None, ended_at=None, epoch__lte=epoch).order_by("pk")
    )
    still_open = False
    for activation in unproven:
        if activation.confirmed_at is None:
            confirm(activation.pk, now=now)
        term = activation.term_ms / 1000
        full = waited >= max(term, settings.LEASE_TERM) * 1.01 + 0.01
        if full or own_leases_until is not None:
            _expire(activation.pk, full=full, hub=hub, own=own_leases_until)
        still_open = not conclude(activation.pk, now=now) or still_open
    return still_open


@bounded
def _expire(activation: int, *, full: bool, hub: str, own: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EXPIRE, {"activations": [activation], "full": full, "hub": hub or None, "own": own})
        changed = cursor.rowcount
    if changed:
        publish("proofs", ids=(activation,))


@bounded
def notice_unproven(*, now: datetime | None = None) -> None:
    """Raise the alarm for stops whose proof is not complete long after their bound: nothing that time gives has settled them."""
    moment = now or database_time()
    unproven = Activation.objects.select_for_update(no_key=True, skip_locked=True).filter(
        stopped_at=None, ended_at=None, unproven_since=None, confirmed_at__isnull=False
    )
    for activation in unproven.order_by("pk"):
        bound = UNPROVEN_TERMS * timedelta(milliseconds=activation.term_ms) + SETTLING
        if moment - (activation.confirmed_at or moment) > bound:
            activation.unproven_since = moment
            activation.save(update_fields=["unproven_since"])
            alarms.not_proven(activation, now=moment)


@bounded
def confirm(activation: int, *, now: datetime | None = None) -> None:
    """Note a time at which the stop is known to be committed: this transaction began after it."""
    Activation.objects.filter(pk=activation, confirmed_at=None).update(confirmed_at=now or database_time())
    conclude(activation, now=now)


@bounded
def conclude(activation_id: int, *, now: datetime | None = None) -> bool:
    """Declare a stop complete if every process that it covers is proven. Returns whether it is complete (or ended before)."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    if activation.stopped_at is not None or activation.ended_at is not None:
        return True
    _add_missing(activation)
    proofs = Acknowledgement.objects.filter(activation=activation)
    if proofs.filter(state=ProofState.PENDING).exists():
        return False
    last = proofs.aggregate(at=Max("at"), ms=Max("ms"))
    activation.stopped_at = last["at"] or activation.activated_at
    activation.time_to_stop_ms = last["ms"] or 0.0
    if activation.drill:
        activation.ended_at = max(now or database_time(), activation.stopped_at)
        activation.ended_by = PROOF.name
        activation.ended_message = "Every process is proven."
    activation.save(update_fields=["stopped_at", "time_to_stop_ms", "ended_at", "ended_by", "ended_message"])
    states = list(proofs.values_list("state", flat=True))
    record(
        actor=PROOF,
        action="killswitch.drill_proven" if activation.drill else "killswitch.stopped",
        obj=activation,
        reason="",
        after={
            "time_to_stop_ms": activation.time_to_stop_ms,
            "acknowledged": states.count(ProofState.ACKED),
            "lease_expired": states.count(ProofState.LEASE_EXPIRED),
        },
        now=now,
    )
    alarms.proven(activation, now=activation.stopped_at)
    if activation.drill:
        remind(now=now or activation.ended_at)
    # The end of a drill is news for the trading processes too.
    publish("killswitch" if activation.drill else "proofs", ids=(activation.pk,))
    return True


def _add_missing(activation: Activation) -> None:
    """Processes that registered while the stop was being committed may hold a lease from before it."""
    may_hold = ~Q(hub="") | Q(lease_until__gt=activation.activated_at)
    others = TradingClient.objects.filter(may_hold, acknowledged_epoch__lt=activation.epoch).exclude(
        acknowledgements__activation=activation
    )
    missing = [client for client in others.order_by("pk") if covers(activation.scope, client.scopes)]
    Acknowledgement.objects.bulk_create(
        (Acknowledgement(activation=activation, client=client) for client in missing), ignore_conflicts=True
    )


def _complete(activations: Iterable[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(COMPLETE, [list(activations)])
        return [row[0] for row in cursor.fetchall()]
