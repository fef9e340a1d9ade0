"""The console's own gauges (the host's use, the projected month), written down once a minute: `/metrics` reads them anew, pages draw what was."""

from datetime import datetime

from django.db import transaction

from monitoring.metrics import partitions, storing
from monitoring.metrics.checking import Change, Ident
from monitoring.metrics.host import read_host
from monitoring.metrics.known import key_of
from monitoring.metrics.own import read_projection
from monitoring.metrics.sources import CLIENT


def record_own(*, now: datetime) -> int:
    """Returns how many were known."""
    found = {
        str(key_of(sample.name, CLIENT, {})): (Ident(sample.name, ()), sample.value)
        for sample in (*read_host(now), *read_projection(now))
    }
    minute = now.replace(second=0, microsecond=0)
    partitions.ensure([minute])
    with transaction.atomic():
        idents = {key: ident for key, (ident, _) in found.items()}
        storing.add_series(idents, client=CLIENT, at=now, now=now)
        # In the order of the keys, as batches are.
        changes = {
            key: Change(total=value, count=1, low=value, high=value, last=value)
            for key, (_, value) in sorted(found.items())
        }
        storing.add(changes, at=now, minute=minute, now=now)
    return len(found)
