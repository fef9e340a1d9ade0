"""How long an alert takes from the console's answer to the first byte at a receiver.

`python -m bench.alert_latency --folder F [--idle 200] [--urgent 60] [--others 50000]` prints JSON, in milliseconds. First one alert at a time, with
nothing else to do; then CRITICAL ones while others are posted in bulk, as fast as the console takes them.
"""

import argparse
import http.client
import json
import threading
import time
from pathlib import Path
from typing import Any

from bench.delivery_faults import CONSOLE
from bench.delivery_receiver import Receiver
from bench.fleet import wait_until
from bench.rig import Rig

BULK = 500
BETWEEN_SECONDS = 0.25
ARRIVES_SECONDS = 60.0


class Poster:
    """Posts over one connection that stays open. `at`: when the answer to the alert of this title was there, in seconds."""

    def __init__(self, rig: Rig) -> None:
        self.at: dict[str, float] = {}
        self._connection = http.client.HTTPConnection(rig.host, rig.port, timeout=60)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {rig.token}"}

    def post(self, *titles: str, priority: str, category: str) -> None:
        alerts = [
            {"category": category, "priority": priority, "title": title, "labels": {"title": title}}
            for title in titles
        ]
        body = json.dumps({"alerts": alerts})
        self._connection.request("POST", "/monitoring/alerts", body, self._headers)
        answer = self._connection.getresponse()
        found = answer.read()
        now = time.monotonic()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the console answered {answer.status}: {found[:200]!r}")
        self.at.update(dict.fromkeys(titles, now))


def delays(poster: Poster, receiver: Receiver, prefix: str, count: int) -> list[float]:
    """Milliseconds of each; an alert that was there before its answer took none. Raises LateError."""

    def arrivals() -> dict[str, float]:
        return {call.title: call.at for call in receiver.seen() if call.title.startswith(prefix)}

    wait_until(
        lambda: len(arrivals()) >= count, f"{count} alerts have arrived", seconds=ARRIVES_SECONDS, every=0.1
    )
    return [max(0.0, 1000 * (at - poster.at[title])) for title, at in arrivals().items()]


def idle(rig: Rig, receiver: Receiver, *, count: int) -> list[float]:
    poster = Poster(rig)
    for number in range(count):
        priority = "CRITICAL" if number % 2 else "HIGH"
        poster.post(f"idle {number}", priority=priority, category="SYSTEM_ERROR")
        time.sleep(BETWEEN_SECONDS)
    return delays(poster, receiver, "idle", count)


def stormy(rig: Rig, receiver: Receiver, *, count: int, others: int) -> list[float]:
    """CRITICAL ones while `others` are posted, and until the last of these is accepted."""
    ended = threading.Event()

    def storm() -> None:
        bulk = Poster(rig)
        for first in range(0, others, BULK):
            titles = [f"other {number}" for number in range(first, min(first + BULK, others))]
            bulk.post(*titles, priority="MEDIUM", category="PERFORMANCE")
        ended.set()

    thread = threading.Thread(target=storm)
    thread.start()
    poster, number = Poster(rig), 0
    while not ended.is_set() or number < count:
        poster.post(f"urgent {number}", priority="CRITICAL", category="SYSTEM_ERROR")
        number += 1
        time.sleep(BETWEEN_SECONDS)
    thread.join()
    return delays(poster, receiver, "urgent", number)


def measure(folder: Path, *, idle_count: int, urgent: int, others: int) -> dict[str, Any]:
    receiver = Receiver()
    with Rig(folder, term=2.0, health=False) as rig:
        rig.manage("shell", "-v", "0", "-c", CONSOLE.format(names=["desk"], url=receiver.url))
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        # Until both workers are there: their first sends are not what is measured.
        first = Poster(rig)
        first.post("warm 1", priority="CRITICAL", category="SYSTEM_ERROR")
        first.post("warm 2", priority="HIGH", category="SYSTEM_ERROR")
        delays(first, receiver, "warm", 2)
        time.sleep(5)
        found = {"idle_ms": idle(rig, receiver, count=idle_count)}
        found["urgent_ms"] = stormy(rig, receiver, count=urgent, others=others)
    receiver.close()
    return {**found, "others": others}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.alert_latency")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--urgent", type=int, default=60)
    parser.add_argument("--others", type=int, default=50_000)
    options = parser.parse_args()
    found = measure(options.folder, idle_count=options.idle, urgent=options.urgent, others=options.others)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
