"""Each stage of the watchdog's way really fails: how long until the console names it, and until its own alert is at a webhook.

`python -m bench.health_watchdog --folder F [--rounds 1]` prints JSON: by stage the seconds from the failure to both. Beat and the worker are killed,
the worker stops taking the outbox's jobs, the address outside goes off the air. Components of health that would tell of the same are switched off, so
that the watchdog alone is measured.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg

from bench.delivery_receiver import Receiver
from bench.fleet import LateError, wait_until
from bench.rig import ROOT, Rig
from bench.telling import TELL_ALL

# For a stage to be named, and for the canary to come through again.
LONGEST = 240.0
ALONE = """
from monitoring.health.models import HealthComponent
from monitoring.health.watchdog.alarms import SAME
same = [kind for kinds in SAME.values() for kind in kinds]
HealthComponent.objects.filter(kind__in=[*same, "cpu"]).update(enabled=False)
"""


@dataclass(frozen=True, slots=True)
class Death:
    """`stage` of the watchdog, and `title` of its alert; `mend` undoes what `make` does."""

    stage: str
    title: str
    make: Callable[[], object]
    mend: Callable[[], object]


class Outside:
    """A service on loopback that expects a call each minute, and can go off the air. Its port stays the same."""

    def __init__(self) -> None:
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/ping"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _Answers)
        self._port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def deaths(rig: Rig, outside: Outside) -> list[Death]:
    return [
        Death("beat", "Watchdog: beat does not tick", rig.beat.kill, rig.beat.start),
        Death("worker", "Watchdog: no worker takes jobs", rig.worker.kill, rig.worker.start),
        Death(
            "outbox",
            "Watchdog: the outbox does not move",
            lambda: _tell_worker(rig, "cancel_consumer"),
            lambda: _tell_worker(rig, "add_consumer"),
        ),
        Death("outside", "Watchdog: no answer from outside", outside.stop, outside.start),
    ]


def _tell_worker(rig: Rig, what: str) -> None:
    """It goes on taking every other job."""
    command = [sys.executable, "-m", "celery", "-A", "opsconsole", "control", what, "alerts"]
    subprocess.run(command, cwd=ROOT, env=rig.environ, stdout=subprocess.DEVNULL, check=True)


def measure(folder: Path, *, rounds: int) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        outside = Outside()
        stack.callback(outside.stop)
        os.environ["OPSCONSOLE_WATCHDOG_URL"] = outside.url
        rig = stack.enter_context(Rig(folder, term=2.0, durable=False))
        receiver = Receiver()
        stack.callback(receiver.close)
        rig.manage("shell", "-c", TELL_ALL.format(url=receiver.url) + ALONE)
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        connection = stack.enter_context(psycopg.connect(rig.environ["DATABASE_URL"], autocommit=True))
        for number in range(rounds):
            for death in deaths(rig, outside):
                _wait_through(connection)
                found.setdefault(death.stage, []).append(_run(death, connection, receiver))
                print(
                    f"{death.stage}, round {number + 1} of {rounds}: {found[death.stage][-1]}",
                    file=sys.stderr,
                )
    return found


def _wait_through(connection: "psycopg.Connection[Any]") -> None:
    """Until a canary that flew from now on has come out, and nothing is told any more."""
    (since,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    query = (
        "SELECT EXISTS (SELECT FROM monitoring_canary WHERE worker_at > %s AND state = 'answered') AND EXISTS"
        " (SELECT FROM monitoring_watch WHERE late = '' AND told = '')"
    )
    wait_until(
        lambda: connection.execute(query, [since]).fetchone() == (True,),
        "a canary comes through",
        seconds=LONGEST,
        every=0.2,
    )


def _run(death: Death, connection: "psycopg.Connection[Any]", receiver: Receiver) -> dict[str, float]:
    began = time.monotonic()
    death.make()
    named: list[float] = []

    def is_named() -> bool:
        if connection.execute("SELECT late FROM monitoring_watch").fetchone() == (death.stage,):
            named.append(time.monotonic())
        return bool(named)

    def told_at() -> float | None:
        calls = [call.at for call in receiver.seen() if call.title == death.title and call.at >= began]
        return min(calls, default=None)

    try:
        wait_until(is_named, f"{death.stage}: it is named", seconds=LONGEST, every=0.05)
        wait_until(
            lambda: told_at() is not None, f"{death.stage}: somebody is told", seconds=LONGEST, every=0.05
        )
    finally:
        death.mend()
    return {"named": named[0] - began, "told": (told_at() or 0.0) - began}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.health_watchdog", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    try:
        print(json.dumps(measure(options.folder, rounds=options.rounds)))
    except LateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
