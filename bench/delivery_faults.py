"""Nothing is lost: deliveries to a receiver on its bad days, while worker, web, beat and Valkey are killed in a loop.

`python -m bench.delivery_faults --folder F [--deliveries 10000] [--every 100]` prints JSON. Alerts are posted to the web process (again, when
it was killed); each goes to four channels. At the end every delivery that was written must have arrived, and what arrived
again must be marked.
"""

import argparse
import json
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from bench.delivery_receiver import BAD_DAY, Arrival, Receiver
from bench.rig import Rig, Server

CHANNELS = 4
BATCH = 25
URGENT_EVERY = 10
# After the last alert; a claim of a killed worker runs out after 45 s.
FINISH_SECONDS = 300.0
DOWN_SECONDS = 0.5
# Without any call for so long, something is killed even so.
PATIENCE_SECONDS = 30.0
CONSOLE = """
from django.utils import timezone
from alerts.locking import bump_policy, lock_decisions
from alerts.models import AlertRule, Channel
from alerts.sealing import seal
from django.db import transaction
now = timezone.now()
with transaction.atomic():
    lock_decisions()
    AlertRule.objects.update(max_per_hour=100000, quiet_start=0, quiet_end=0)
    bump_policy()
    for name in {names}:
        Channel.objects.create(name=name, kind="webhook", secrets=seal({{"url": "{url}"}}), created_at=now, updated_at=now)
"""
DELIVERIES = "SELECT key::text, state, attempts, maybe_duplicate FROM alerts_delivery WHERE kind = 'firing'"
DIED = """
SELECT DISTINCT d.key::text FROM alerts_delivery d JOIN alerts_deliveryattempt a ON a.delivery_id = d.id
WHERE a.error LIKE 'The process that was sending it ended%'
"""


class Killer:
    """Kills one of the console's programs after every so many calls, and starts it again, in the calling thread: a program ends with
    the thread that started it.

    By calls, not by time: so it always happens while something is being sent, and a slow machine gets on, too.
    """

    def __init__(self, rig: Rig, receiver: Receiver, *, every: int, seed: int = 1) -> None:
        self.kills: Counter[str] = Counter()
        # Those that ended without being killed.
        self.ended: Counter[str] = Counter()
        self._receiver = receiver
        self._every = every
        self._random = random.Random(seed)
        self._programs: dict[str, tuple[Server, Callable[[], None]]] = {
            "worker": (rig.worker, rig.worker.start),
            "urgent": (rig.urgent, rig.urgent.start),
            "web": (rig.web, rig.start_web),
            "beat": (rig.beat, rig.beat.start),
            "valkey": (rig.valkey, rig.valkey.start),
        }

    def run(self, *, until: Callable[[], bool]) -> None:
        while self._progress(until):
            name = self._random.choice(list(self._programs))
            server, start = self._programs[name]
            if server.is_running():
                server.kill()
                self.kills[name] += 1
                time.sleep(DOWN_SECONDS)
            start()
        self._restart()

    def _progress(self, until: Callable[[], bool]) -> bool:
        """Wait for more calls, or for long. False: it is over."""
        before, latest = len(self._receiver.seen()), time.monotonic() + PATIENCE_SECONDS
        while len(self._receiver.seen()) < before + self._every and time.monotonic() < latest:
            if until():
                return False
            self._restart()
            time.sleep(0.02)
        return not until()

    def _restart(self) -> None:
        """What ended by itself (a worker may, when its queue has gone): a console's supervisor starts it again, too."""
        for name, (server, start) in self._programs.items():
            if not server.is_running():
                self.ended[name] += 1
                start()


def post_all(rig: Rig, count: int) -> None:
    for first in range(0, count, BATCH):
        post(rig, range(first, min(first + BATCH, count)))


def post(rig: Rig, numbers: range) -> None:
    """Raise these alerts, again until they are accepted: an alert that was raised before is a duplicate."""
    alerts = [
        {
            "category": "SYSTEM_ERROR",
            "priority": "CRITICAL" if number % URGENT_EVERY == 0 else "MEDIUM",
            "title": f"alert {number}",
            "labels": {"number": str(number)},
        }
        for number in numbers
    ]
    request = urllib.request.Request(
        f"{rig.url}/monitoring/alerts",
        json.dumps({"alerts": alerts}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {rig.token}"},
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                if json.load(answer)["rejected"]:
                    raise RuntimeError("the console refused alerts")
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def finished(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM alerts_delivery WHERE state IN ('PENDING', 'SENDING')"
    ).fetchone()
    return row == (0,)


def judge(
    arrivals: list[Arrival], rows: list[tuple[str, str, int, bool]], died: set[str], expected: int
) -> dict[str, Any]:
    """What must be zero, and what is worth knowing."""
    by_key: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_key.setdefault(arrival.key, []).append(arrival)
    unmarked = unexplained = again = 0
    for key, calls in by_key.items():
        for index, call in enumerate(calls):
            taken = [earlier for earlier in calls[:index] if earlier.took]
            again += bool(taken)
            unmarked += bool(taken) and not call.marked
            unexplained += any(earlier.answer == "200" for earlier in taken) and key not in died
    arrived = {key for key, calls in by_key.items() if any(call.answer == "200" for call in calls)}
    return {
        "written": len(rows),
        "missing": expected - len(rows),
        "lost": sum(key not in arrived for key, _, _, _ in rows),
        "not_sent": sum(state != "SENT" for _, state, _, _ in rows),
        "again": again,
        "unmarked": unmarked,
        "unexplained": unexplained,
        "died": len(died),
        "calls": len(arrivals),
        "answers": Counter(call.answer for call in arrivals),
        "most_tries": max((attempts for _, _, attempts, _ in rows), default=0),
    }


def measure(folder: Path, *, deliveries: int, every: int) -> dict[str, Any]:
    receiver = Receiver(BAD_DAY)
    count = deliveries // CHANNELS
    with Rig(folder, term=2.0, durable=False, health=False) as rig:
        names = [f"channel-{number}" for number in range(CHANNELS)]
        rig.manage("shell", "-v", "0", "-c", CONSOLE.format(names=names, url=receiver.url))
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        began = time.monotonic()
        killer = Killer(rig, receiver, every=every)
        with ThreadPoolExecutor(1) as poster:
            posted = poster.submit(post_all, rig, count)
            # Until most has arrived.
            killer.run(until=lambda: posted.done() and len(receiver.seen()) >= 0.9 * deliveries)
            posted.result()
        with psycopg.connect(rig.environ["DATABASE_URL"], autocommit=True) as connection:
            deadline = time.monotonic() + FINISH_SECONDS
            while not finished(connection) and time.monotonic() < deadline:
                time.sleep(0.5)
            rows = connection.execute(DELIVERIES).fetchall()
            died = {key for (key,) in connection.execute(DIED).fetchall()}
        seconds = time.monotonic() - began
    receiver.close()
    found = judge(receiver.seen(), rows, died, deliveries)
    return {**found, "seconds": seconds, "kills": killer.kills, "ended": killer.ended}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery_faults")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=100, help="calls between two kills")
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, deliveries=options.deliveries, every=options.every)))


if __name__ == "__main__":
    main()
