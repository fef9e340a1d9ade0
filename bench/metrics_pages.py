"""What the metrics' pages cost: `python -m bench.metrics_pages --folder DIR` prints JSON.

A console with the series of four trading processes, a row a minute for 26 hours, in the order in which they come. With `--inside` it fills
and measures, in a process with the console's settings: for each page over 24 hours the milliseconds of Django's whole answer, and its bytes
as a browser gets them.
"""

import argparse
import json
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.rig import measured_inside

CLIENTS = ("AAPL", "GOOG", "IBM", "MSFT")
HOURS, RUNS = 26, 9
VALUES = {
    "side": ("BUY", "SELL"),
    "status": ("filled", "rejected"),
    "signal": ("BUY", "SELL", "HOLD"),
    "provider": ("anthropic", "openai"),
    "model": ("large", "small"),
    "kind": ("input", "output", "cached"),
    "method": ("POST",),
    "endpoint": ("/orders", "/quotes"),
    "cache_type": ("redis",),
    "name": ("yahoo_finance", "sec_edgar"),
    "component": ("redis", "database"),
    "risk_type": ("volatility",),
    "reason": ("MANUAL",),
}
# The same rows for all series of one kind: what matters is how many there are.
ROWS = """
INSERT INTO monitoring_minute (series_id, at, total, count, low, high, last, buckets)
SELECT s.id, minute, 5 + random(), CASE s.kind WHEN 'counter' THEN 0 WHEN 'gauge' THEN 1 ELSE 30 END,
    CASE WHEN s.kind = 'gauge' THEN 1 END, CASE WHEN s.kind = 'gauge' THEN 9 END, CASE WHEN s.kind = 'gauge' THEN 5 + random() END,
    CASE WHEN s.kind = 'histogram' THEN array_fill((30 / s.buckets)::bigint, ARRAY[s.buckets]) END
FROM generate_series(date_trunc('minute', %(start)s::timestamptz), %(end)s, interval '1 minute') minute,
    unnest(%(ids)s::bigint[], %(kinds)s::text[], %(buckets)s::int[]) AS s (id, kind, buckets)
ORDER BY minute, s.id
"""


def inside() -> dict[str, Any]:
    import django  # noqa: PLC0415  only here are there settings

    django.setup()

    from django.db import connection  # noqa: PLC0415  likewise
    from django.utils import timezone  # noqa: PLC0415  likewise

    from monitoring.metrics.catalogue import CATALOGUE  # noqa: PLC0415  likewise
    from monitoring.metrics.models import Series  # noqa: PLC0415  likewise
    from monitoring.metrics.panels import PAGES  # noqa: PLC0415  likewise
    from monitoring.metrics.partitions import ensure  # noqa: PLC0415  likewise
    from monitoring.metrics.rollup import roll_up  # noqa: PLC0415  likewise

    now = timezone.now()
    start = now - timedelta(hours=HOURS)
    ensure([start + timedelta(hours=number) for number in range(HOURS + 1)])
    made = Series.objects.bulk_create(
        Series(key=uuid.uuid4(), name=metric.name, client=client, labels=labels, value=5, first_at=start, at=now, received_at=now)
        for metric in CATALOGUE.values()
        for client in CLIENTS
        for labels in _label_sets(metric.labels, client)
    )  # fmt: skip
    kinds = [str(CATALOGUE[one.name].kind) for one in made]
    buckets = [len(CATALOGUE[one.name].buckets) + 1 for one in made]
    with connection.cursor() as cursor:
        ids = [one.pk for one in made]
        cursor.execute(ROWS, {"start": start, "end": now, "ids": ids, "kinds": kinds, "buckets": buckets})
        # As beat does while they come.
        roll_up(now=now)
        cursor.execute("VACUUM (ANALYZE)")
    pages = {name: _timed(name) | {"panels": len(page.panels)} for name, page in PAGES.items()}
    return {"series": len(made), "pages": pages}


def _label_sets(labels: tuple[str, ...], client: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for label in labels:
        values = (client,) if label == "ticker" else VALUES[label]
        found = [{**one, label: value} for one in found for value in values]
    return found


def _timed(name: str) -> dict[str, Any]:
    from django.test import Client  # noqa: PLC0415  as above

    from opsconsole.accounts.models import User  # noqa: PLC0415  likewise

    browser = Client(headers={"host": "localhost", "accept-encoding": "gzip"})
    user, _ = User.objects.get_or_create(username="bench-pages", is_superuser=True)
    browser.force_login(user)
    spent, size = [], 0
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        answer = browser.get(f"/{name}?range=24h")
        spent.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise RuntimeError(f"/{name} answered {answer.status_code}")
        size = len(answer.content)
    return {"ms": spent[1:], "bytes": size}


def measure(folder: Path) -> str:
    return measured_inside(folder, "bench.metrics_pages", "--inside")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.metrics_pages", description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--inside", action="store_true", help="in a process with the console's settings")
    options = parser.parse_args()
    print(json.dumps(inside()) if options.inside else measure(options.folder))


if __name__ == "__main__":
    main()
