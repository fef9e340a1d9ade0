"""Posted alerts and filtered listings, ours beside Alertmanager's in the same run.

`python -m bench.alertmanager --folder DIR` prints JSON. Each run: a fresh Alertmanager and a fresh console take 100,000 alerts over 8 connections
in batches of 64, once over 500 fingerprints (storm), once all different (unique). Then, at 100,000 active alerts, both answer a filter with one
hit, also right after 1,000 new silences; and ours is killed (`kill -9`) and counted again.
"""

import argparse
import json
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench.fleet import LateError, wait_until
from bench.peer import alertmanager, load
from bench.rig import Rig

BATCH = 64
SILENCES = 1000
GETS = 15
DECIDED_SECONDS = 120.0
REST_SECONDS = 30.0
# Everything that alerts leave behind; rules, roles and tokens stay.
EMPTY = """
TRUNCATE alerts_alert, alerts_silence, alerts_hourcount, alerts_minutetally, alerts_kindtally, alerts_submission, alerts_repeatbatch,
    alerts_postedalerts RESTART IDENTITY CASCADE
"""
STORED = "SELECT count(*), coalesce(sum(count), 0)::bigint FROM alerts_alert WHERE state = 'FIRING'"


class Peer:
    """One of both, at its port."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token

    def post(self, workload: str, *, alerts: int) -> dict[str, Any]:
        found = load(self.port, workload, alerts=alerts, batch=BATCH, token=self.token)
        milliseconds = sorted(found["milliseconds"])
        return {
            "per_second": alerts / found["seconds"],
            "failed": found["failed"],
            "p50_ms": milliseconds[len(milliseconds) // 2],
            "p99_ms": milliseconds[int(len(milliseconds) * 0.99)],
        }

    def ask(self, path: str, content: Any = None, **query: str) -> tuple[float, Any]:
        """The milliseconds, and the decoded body."""
        url = f"http://127.0.0.1:{self.port}/api/v2{path}?{urlencode(query)}"
        data = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        began = time.perf_counter()
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=120) as answer:
            body = answer.read()
        return 1000 * (time.perf_counter() - began), json.loads(body) if body.strip() else None

    def one_hit(self) -> float:
        elapsed, found = self.ask("/alerts", filter='instance="feed-4711:9100"')
        if len(found) != 1:
            raise RuntimeError(f"the filter found {len(found)} alerts instead of one")
        return elapsed

    def listings(self, *, gets: int) -> dict[str, Any]:
        """At 100,000 active alerts: one hit; and the first time after 1,000 new silences."""
        self.one_hit()
        found: dict[str, Any] = {"one_hit_ms": [self.one_hit() for _ in range(gets)]}
        for number in range(SILENCES):
            self.ask("/silences", _silence(number))
        found["after_silences_ms"] = self.one_hit()
        found["later_ms"] = [self.one_hit() for _ in range(gets)]
        return found


def _silence(number: int) -> dict[str, Any]:
    """Every second one with a pattern; none covers the alert that is asked for."""
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) for moment in (now - 60, now + 3600)]
    matchers = [
        {"name": "instance", "value": f"feed-{200_000 + number}:9100", "isRegex": False},
        {"name": "venue", "value": f"venue-{number}.*", "isRegex": True},
    ]
    return {
        "matchers": matchers[number % 2 :],
        "startsAt": stamp[0],
        "endsAt": stamp[1],
        "createdBy": "bench",
        "comment": "bench",
    }


def operator(rig: Rig) -> Peer:
    """The console with a token that may silence, too."""
    token = rig.manage("createtoken", "--user", "operator", "--name", "bench", "--role", "operator")
    return Peer(rig.port, token.strip().splitlines()[-1])


def stored(rig: Rig) -> tuple[int, int]:
    """Incidents that fire, and how often they were raised in all."""
    with psycopg.connect(rig.environ["DATABASE_URL"]) as connection:
        row = connection.execute(STORED).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def fresh(rig: Rig) -> None:
    rig.web.stop()
    with psycopg.connect(rig.environ["DATABASE_URL"]) as connection:
        connection.execute(EMPTY)
        connection.commit()
    rig.start_web()


def ours(rig: Rig, workload: str, *, alerts: int) -> dict[str, Any]:
    """One run, counted in the database when the last alert is decided: `decided_s` seconds after the last was answered."""
    fresh(rig)
    found = Peer(rig.port, rig.token).post(workload, alerts=alerts)
    return found | all_decided(rig, alerts=alerts)


def all_decided(rig: Rig, *, alerts: int) -> dict[str, Any]:
    began = time.monotonic()
    # If some were lost, the count says so.
    with suppress(LateError):
        wait_until(
            lambda: stored(rig)[1] >= alerts, "every alert is decided", seconds=DECIDED_SECONDS, every=0.2
        )
    incidents, raised = stored(rig)
    return {"incidents": incidents, "raised": raised, "decided_s": time.monotonic() - began}


def theirs(folder: Path, workload: str, *, alerts: int) -> dict[str, Any]:
    with alertmanager(folder) as port:
        found = Peer(port).post(workload, alerts=alerts)
        _, listed = Peer(port).ask("/alerts")
    return found | {"incidents": len(listed)}


def killed(rig: Rig, *, alerts: int) -> dict[str, int]:
    """`kill -9` right after the last of these was answered 200, when most are not decided yet: how many are listed, then and when all are decided."""
    fresh(rig)
    Peer(rig.port, rig.token).post("unique", alerts=alerts)
    rig.web.kill()
    rig.start_web()
    _, listed = Peer(rig.port, rig.token).ask("/alerts")
    incidents = all_decided(rig, alerts=alerts)["incidents"]
    return {"answered": alerts, "listed": len(listed), "decided": incidents}


def measure(folder: Path, *, runs: int, alerts: int, gets: int) -> dict[str, Any]:
    found: dict[str, Any] = {"alerts": alerts, "storm": [], "unique": []}
    with Rig(folder / "console", term=2.0, health=False) as rig:
        for number in range(runs):
            for workload in ("storm", "unique"):
                peer = theirs(folder / f"peer-{workload}-{number}", workload, alerts=alerts)
                found[workload].append({"alertmanager": peer, "console": ours(rig, workload, alerts=alerts)})
        # The last run was `unique`: everything is active now. PostgreSQL tidies up after so many new rows; then it is at rest.
        time.sleep(REST_SECONDS)
        found["console"] = operator(rig).listings(gets=gets)
        found["killed"] = killed(rig, alerts=alerts)
    with alertmanager(folder / "peer-listings") as port:
        Peer(port).post("unique", alerts=alerts)
        found["alertmanager"] = Peer(port).listings(gets=3)
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--gets", type=int, default=GETS)
    given = parser.parse_args()
    print(json.dumps(measure(given.folder, runs=given.runs, alerts=given.alerts, gets=given.gets)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
