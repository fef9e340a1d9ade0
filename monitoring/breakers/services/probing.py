"""The lease to probe a shared breaker: one process at a time."""

from datetime import datetime

from killswitch.locking import bounded
from monitoring.breakers.locking import COMMANDS, lock_version, set_version
from monitoring.breakers.models import BreakerState
from monitoring.breakers.selectors import held_of
from monitoring.breakers.services.breakers import locked
from monitoring.breakers.services.shared import shared_of, store
from monitoring.breakers.sharing import RETRY_S, Lease, lease, permits
from monitoring.breakers.tuning import settings_of
from opsconsole.live.publish import publish


@bounded
def lease_probe(
    *, client: str, instance: str, name: str, generation: int, now: datetime | None = None
) -> Lease:
    """Whether this process may probe the breaker for all, in this generation of its shared state. Raises UnknownBreaker."""
    version, db_now = lock_version()
    moment, breaker = now or db_now, locked(name)
    before = shared_of(breaker)
    if not breaker.quorum or held_of(breaker, now=moment) or generation != before.generation:
        # It does not know yet what it is told meanwhile.
        return Lease(granted=False, retry_s=RETRY_S)
    own = BreakerState.objects.filter(
        breaker=breaker, process__name=client, process__instance=instance
    ).first()
    config = {**(own.config if own is not None else {}), **settings_of(breaker)}
    after, answer = lease(before, instance=instance, permits=permits(config), now=moment)
    if after != before:
        store(breaker, after, version=version + 1, now=moment)
        set_version(version + 1)
        publish(COMMANDS)
        publish("breakers")
    return answer
