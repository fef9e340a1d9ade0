"""Who looks at what: whoever comes first claims it in the database, so that any number of processes never look twice.

A claim runs out, so that what a process took with it when it died is looked at by another. What is due next is said with the claim.
"""

import socket
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from monitoring.health.choices import OF_HOSTS
from monitoring.health.models import INTERVALS, HealthComponent

# What a result may take to be stored, beyond the budget of its check.
MARGIN_SECONDS = 2.0
# Claimed at once by one process.
MOST = 200

# A component of a host's own stays with the host that has looked at it, for as long as that one does.
CLAIM = """
WITH due AS (
    SELECT id FROM monitoring_healthcomponent
    WHERE enabled AND retired_at IS NULL AND (due_at <= %(now)s OR %(all)s) AND (%(only)s::bigint IS NULL OR id = %(only)s)
        AND (claimed_until IS NULL OR claimed_until < %(now)s)
        AND (checked_at IS NULL OR checked_at <= %(not_since)s OR NOT %(all)s)
        AND (NOT kind = ANY(%(of_hosts)s) OR host = %(host)s OR host = '' AND (
            ran_on IN ('', %(host)s) OR checked_at IS NULL
            OR checked_at < %(now)s - %(intervals)s * interval_seconds * interval '1 second'))
    ORDER BY due_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE monitoring_healthcomponent c
SET claim = gen_random_uuid(), claimed_until = %(now)s + (c.budget_seconds + %(margin)s) * interval '1 second',
    due_at = %(now)s + c.interval_seconds * interval '1 second'
FROM due WHERE c.id = due.id RETURNING c.id
"""
# Cheap, since it reads the index that names what is due; the claim alone takes locks.
ANY_DUE = "SELECT EXISTS (SELECT FROM monitoring_healthcomponent WHERE enabled AND retired_at IS NULL AND due_at <= %s)"


def claim_due(*, now: datetime, host: str = "") -> list[HealthComponent]:
    """What is due and nobody has claimed, now claimed by the caller: each with its `claim`, which its result must carry."""
    with connection.cursor() as cursor:
        cursor.execute(ANY_DUE, [now])
        row = cursor.fetchone()
    return _claim(now=now, host=host) if row and row[0] else []


def claim_all(
    *, now: datetime, not_since: datetime, only: int | None = None, host: str = ""
) -> list[HealthComponent]:
    """What nobody looks at now, and has not since `not_since`, whether due or not. `only`: this one at most."""
    return _claim(now=now, host=host, not_since=not_since, only=only)


def own_host() -> str:
    return socket.gethostname()


def _claim(
    *, now: datetime, host: str, not_since: datetime | None = None, only: int | None = None
) -> list[HealthComponent]:
    parameters: dict[str, Any] = {
        "now": now,
        "all": not_since is not None,
        "only": only,
        "not_since": not_since or now,
        "of_hosts": [str(kind) for kind in OF_HOSTS],
        "host": host or own_host(),
        "intervals": INTERVALS,
        "margin": MARGIN_SECONDS,
        "most": MOST,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # A claim that a crash of the database takes back is claimed again.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(CLAIM, parameters)
        claimed = [pk for (pk,) in cursor.fetchall()]
        return list(HealthComponent.objects.filter(pk__in=claimed).order_by("due_at", "pk"))
