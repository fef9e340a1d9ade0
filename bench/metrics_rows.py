"""What reading and tidying minute rows costs: `python -m bench.metrics_rows --folder DIR` prints JSON.

A tenth of a month: 1,000 series, a row a minute each, for 3 days (4.32 million rows) instead of 30 (43.2 million). A chart reads one series of one
or two days, each of which is a partition of its own with an index of its own, so that more days change nothing for it: each partition is as large
as in the whole month. Rolling up an hour and dropping a day are measured while batches come in.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg

from bench.metrics_ingest import load
from bench.rig import ROOT, Rig

SERIES, DAYS, CHARTS = 1000, 3, 200
BATCHES, PAUSE, SIZE = 200, 0.02, 100

# A quarter of them histograms, a quarter gauges, half counters.
NEW_SERIES = """
INSERT INTO monitoring_series (key, name, client, labels, value, count, first_at, at, received_at)
SELECT gen_random_uuid(), 'made', 'made-' || n, '{{}}', 0, 0, now(), now(), now() FROM generate_series(1, {series}) n RETURNING id
"""
# In the order in which they come: all series of a minute, then those of the next.
NEW_MINUTES = """
INSERT INTO monitoring_minute (series_id, at, total, count, low, high, last, buckets)
SELECT id, minute, 3, CASE WHEN mod(id, 4) < 2 THEN 0 ELSE 60 END, CASE WHEN mod(id, 4) = 2 THEN 1 END, CASE WHEN mod(id, 4) = 2 THEN 9 END,
    CASE WHEN mod(id, 4) = 2 THEN random() END, CASE WHEN mod(id, 4) = 3 THEN array_fill(4::bigint, ARRAY[16]) END
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 minute', interval '1 minute') minute,
    unnest(%(ids)s::bigint[]) id
ORDER BY minute, id
"""
CHART = """
EXPLAIN (ANALYZE, FORMAT JSON) SELECT at, total, count, low, high, last, buckets FROM monitoring_minute
WHERE series_id = %(id)s AND at >= %(start)s AND at < %(end)s ORDER BY at
"""
SIZES = """
SELECT count(*), sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'monitoring_minute'::regclass
"""
DROP, ROLL_UP = "drop", "roll-up"


def fill(connection: "psycopg.Connection[Any]", *, days: int, today: datetime) -> list[int]:
    """The ids of the series; with rows for the last `days` before `today`."""
    ids = [pk for (pk,) in connection.execute(NEW_SERIES.format(series=SERIES)).fetchall()]
    for number in range(1, days + 1):
        start = today - timedelta(days=number)
        connection.execute(NEW_MINUTES, {"start": start, "end": start + timedelta(days=1), "ids": ids})
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM (ANALYZE)")
    return ids


def charts(connection: "psycopg.Connection[Any]", ids: list[int], *, end: datetime) -> list[float]:
    """Milliseconds of SQL, planning too, of a day of one series; each over two partitions."""
    found = []
    for series_id in ids[:: max(1, len(ids) // CHARTS)]:
        values = {"id": series_id, "start": end - timedelta(days=1), "end": end}
        row = connection.execute(CHART, values).fetchone()
        assert row is not None
        (plan,) = row[0]
        if plan["Plan"]["Actual Rows"] != 24 * 60:
            raise RuntimeError(f"a chart has {plan['Plan']['Actual Rows']} rows")
        found.append(plan["Planning Time"] + plan["Execution Time"])
    return found


def inside(rig: Rig, what: str, *options: str) -> Any:
    """A piece of housekeeping in a process with the console's settings."""
    command = [sys.executable, "-m", "bench.metrics_tidying", what, *options]
    done = subprocess.run(command, env=rig.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def beside(rig: Rig, what: str) -> dict[str, Any]:
    """The housekeeping, and what batches took that came meanwhile."""
    pushed: list[Any] = []
    pushing = Thread(
        target=lambda: pushed.append(load(rig, series=SIZE, batches=BATCHES, clients=1, pause=PAUSE))
    )
    pushing.start()
    time.sleep(1)
    found = inside(rig, what)
    pushing.join()
    return {"found": found, "batch_ms": pushed[0]["milliseconds"], "failed": pushed[0]["failed"]}


def measure(folder: Path, *, days: int) -> dict[str, Any]:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with (
        Rig(folder, term=2.0, durable=False) as rig,
        psycopg.connect(rig.environ["DATABASE_URL"]) as connection,
    ):
        inside(rig, "make", "--days", "30")
        ids = fill(connection, days=days, today=today)
        row = connection.execute(SIZES).fetchone()
        assert row is not None
        return {
            "rows": SERIES * days * 24 * 60,
            "partitions": row[0],
            "bytes": int(row[1]),
            "chart_ms": charts(connection, ids, end=today - timedelta(hours=7)),
            "load": load(rig, series=SIZE, batches=2, clients=1)["failed"],
            ROLL_UP: beside(rig, ROLL_UP),
            DROP: beside(rig, DROP),
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.metrics_rows", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--days", type=int, default=DAYS)
    given = parser.parse_args()
    print(json.dumps(measure(given.folder, days=given.days)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
