"""Eight processes raise 100,000 alerts at the same time; their counts must be exactly those of one that raises them in a row.

`python -m bench.exactness --folder DIR` prints JSON: by category and decision the counts of the console and of the oracle. Alerts come in
phases, ten minutes of their own time apart, over three hours, so that windows of dedupe end and hours begin; within a phase the writers work
against each other. Every incident is raised equally often, so the counts do not depend on who is first.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import psycopg

from bench.rig import ROOT, Rig

WRITERS = 8
PHASES = 18
BATCH = 50
INCIDENTS = 100
CATEGORIES = ("RISK_WARNING", "DATA_QUALITY", "SYSTEM_ERROR", "COST_ALERT")
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STEP = timedelta(minutes=10)
# The rules that a console begins with.
WINDOW = timedelta(minutes=15)
LIMIT = 20

COUNTED = "SELECT category, decision, sum(count)::bigint FROM alerts_minutetally GROUP BY category, decision"
RAISED = (
    "SELECT coalesce(sum(count), 0)::bigint, count(*), coalesce(sum(sent_count), 0)::bigint FROM alerts_alert"
)
HOURS = "SELECT coalesce(max(sent), 0), coalesce(sum(sent), 0)::bigint FROM alerts_hourcount"

Counts = Counter[tuple[str, str]]


def each_raised(alerts: int) -> int:
    """How often one writer raises one incident in one phase."""
    return max(1, round(alerts / (PHASES * WRITERS * INCIDENTS)))


def oracle(alerts: int) -> Counts:
    """The same alerts one after the other, by the rules alone."""
    counts: Counts = Counter()
    sent_at: dict[int, datetime] = {}
    in_hour: Counter[tuple[str, datetime]] = Counter()
    for phase in range(PHASES):
        now = START + phase * STEP
        hour = now.replace(minute=0)
        for _ in range(WRITERS * each_raised(alerts)):
            for incident in range(INCIDENTS):
                category = CATEGORIES[incident % len(CATEGORIES)]
                last = sent_at.get(incident)
                if last is not None and now - last < WINDOW:
                    counts[category, "DEDUPED"] += 1
                elif in_hour[category, hour] >= LIMIT:
                    counts[category, "RATE_LIMITED"] += 1
                else:
                    counts[category, "SENT"] += 1
                    sent_at[incident] = now
                    in_hour[category, hour] += 1
    return counts


# One writer


def write(number: int, alerts: int) -> None:
    """One line on stdin begins a phase; one line on stdout says that it is done."""
    django.setup()
    raise_alerts, raised_alert, actor = _services()
    for phase, _ in enumerate(sys.stdin):
        now = START + phase * STEP
        waiting = []
        for incident in _mixed(number, phase, each_raised(alerts)):
            waiting.append(
                raised_alert(
                    category=CATEGORIES[incident % len(CATEGORIES)],
                    priority="HIGH",
                    title=f"Incident {incident}",
                    source="bench",
                    starts_at=START,
                )
            )
            if len(waiting) == BATCH:
                raise_alerts(actor=actor, alerts=waiting, now=now)
                waiting = []
        if waiting:
            raise_alerts(actor=actor, alerts=waiting, now=now)
        print("done", flush=True)


def _services() -> tuple[Any, Any, Any]:
    # Models can only be imported once Django is set up.
    from alerts.services.raised import RaisedAlert  # noqa: PLC0415
    from alerts.services.raising import raise_alerts  # noqa: PLC0415
    from opsconsole.audit.actor import Actor  # noqa: PLC0415

    return raise_alerts, RaisedAlert, Actor.system("bench")


def _mixed(number: int, phase: int, times: int) -> Iterator[int]:
    """Each writer goes through the incidents in an order of its own."""
    for turn in range(times):
        start = (number * 37 + phase * 11 + turn * 7) % INCIDENTS
        step = (3, 7, 9, 11, 13, 17, 19, 21)[number % WRITERS]
        for place in range(INCIDENTS):
            yield (start + place * step) % INCIDENTS


# All of them


def measure(folder: Path, alerts: int) -> dict[str, Any]:
    with Rig(folder / "console", term=2.0, health=False) as rig:
        rig.web.stop()
        began = datetime.now(UTC)
        _run_writers(rig, alerts)
        seconds = (datetime.now(UTC) - began).total_seconds()
        with psycopg.connect(rig.environ["DATABASE_URL"]) as connection:
            counted = {(row[0], row[1]): int(row[2]) for row in connection.execute(COUNTED).fetchall()}
            totals = connection.execute(RAISED).fetchone()
            hours = connection.execute(HOURS).fetchone()
    assert totals is not None
    assert hours is not None
    expected = oracle(alerts)
    return {
        "seconds": seconds,
        "raised": int(totals[0]),
        "incidents": int(totals[1]),
        "sent": int(totals[2]),
        "most_in_an_hour": int(hours[0]),
        "sent_in_hours": int(hours[1]),
        "counts": {
            f"{category} {decision}": [counted.get((category, decision), 0), expected[category, decision]]
            for category, decision in sorted(counted.keys() | expected.keys())
        },
    }


def _run_writers(rig: Rig, alerts: int) -> None:
    command = [sys.executable, "-m", "bench.exactness", "--alerts", str(alerts), "--writer"]
    writers = [
        subprocess.Popen(
            [*command, str(number)],
            cwd=ROOT,
            env=rig.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    try:
        for _ in range(PHASES):
            for writer in writers:
                assert writer.stdin is not None
                print("go", file=writer.stdin, flush=True)
            for writer in writers:
                assert writer.stdout is not None
                if not writer.stdout.readline():
                    raise RuntimeError("a writer has ended; its message stands above")
    finally:
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.close()
            writer.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--writer", type=int)
    given = parser.parse_args()
    if given.writer is not None:
        write(given.writer, given.alerts)
        return 0
    print(json.dumps(measure(given.folder, given.alerts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
