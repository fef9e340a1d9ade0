"""Components that come by themselves: trading processes as they connect, and the certificate of the console's own address."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from monitoring.health.checks.clients import MISSED
from monitoring.health.choices import Kind
from monitoring.health.kinds import KINDS
from monitoring.health.models import HealthComponent
from opsconsole.live.publish import publish

# More names than this are not looked at one by one; the kill switch's own page and alerts have all of them.
MOST_CLIENTS = 1000
OWN_CERTIFICATE = "own-certificate"

# Names that have been seen within a day, and what there is for them.
SEEN = """
WITH seen AS (SELECT DISTINCT name FROM killswitch_tradingclient WHERE last_seen > %(since)s),
known AS (SELECT id, settings ->> 'client' AS name, retired_at FROM monitoring_healthcomponent WHERE kind = 'client')
SELECT COALESCE(seen.name, known.name), known.id, seen.name IS NOT NULL, known.retired_at IS NOT NULL
FROM seen FULL JOIN known USING (name)
WHERE known.id IS NULL OR (seen.name IS NULL) <> (known.retired_at IS NOT NULL)
"""


def follow(*, now: datetime) -> None:
    """Add what has come, retire what has been gone for a day, bring back what has returned."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN, {"since": now - MISSED})
        found = cursor.fetchall()
    if found:
        _follow_clients(found, now)
    _follow_own_certificate(now)


@transaction.atomic
def _follow_clients(found: list[tuple[str, int | None, bool, bool]], now: datetime) -> None:
    known = HealthComponent.objects.filter(kind=Kind.CLIENT)
    gone = [pk for _, pk, is_seen, _ in found if pk is not None and not is_seen]
    back = [pk for _, pk, is_seen, _ in found if pk is not None and is_seen]
    known.filter(pk__in=gone).update(retired_at=now)
    known.filter(pk__in=back).update(retired_at=None, due_at=now)
    room = MOST_CLIENTS - known.filter(retired_at=None).count()
    for name in sorted(name for name, pk, _, _ in found if pk is None)[: max(room, 0)]:
        _add(
            Kind.CLIENT,
            slug=f"client-{_slug(name)}",
            name=f"Client {name}",
            settings={"client": name},
            now=now,
        )
    publish("health")


def _follow_own_certificate(now: datetime) -> None:
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or HealthComponent.objects.filter(slug=OWN_CERTIFICATE).exists():
        return
    place = {"host": parts.hostname or "", "port": parts.port or 443}
    with transaction.atomic():
        _add(
            Kind.CERTIFICATE, slug=OWN_CERTIFICATE, name="Certificate of the console", settings=place, now=now
        )
        publish("health")


def _add(kind: Kind, *, slug: str, name: str, settings: dict[str, object], now: datetime) -> None:
    """Names that differ in what a slug cannot hold get a number. Of two who add the same, one does."""
    info, number = KINDS[kind], 1
    taken = set(HealthComponent.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    while (tried := slug if number == 1 else f"{slug}-{number}") in taken:
        number += 1
    HealthComponent.objects.bulk_create(
        [
            HealthComponent(
                slug=tried,
                name=name,
                kind=kind,
                essential=info.essential,
                interval_seconds=info.interval,
                budget_seconds=info.budget,
                failures=info.failures,
                recoveries=info.recoveries,
                priority=info.priority,
                settings=settings,
                due_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def _slug(name: str) -> str:
    """At most 60 of the characters that a slug may have."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "unnamed"
