"""Real failures, and how long until the status has changed and somebody is told.

`python -m bench.health_faults --folder F [--rounds 10]` prints JSON: by kind of failure, the seconds from it to the change of status and to the
first byte of the alert at a webhook. Each comes at a random moment between two checks, and is mended before the next.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.delivery_receiver import Receiver
from bench.fleet import LateError, wait_until
from bench.rig import ROOT, Rig
from bench.telling import TELL_ALL

# Seconds between two checks, here and in the figures.
INTERVAL = 5
BUDGET = 1.5
# For a failure to be told of, and for everything to be well again.
LONGEST = 60.0
CONSOLE = """
from monitoring.health.models import HealthComponent
HealthComponent.objects.filter(budget_seconds__gt={budget}).update(budget_seconds={budget})
HealthComponent.objects.update(interval_seconds={interval})
HealthComponent.objects.filter(slug="cpu").update(enabled=False)
HealthComponent.objects.filter(slug="disk-space").update(settings={{"paths": "{disk}"}})
"""


TRADER = """
import os, sys
from opsclient import OpsConsole
with OpsConsole(os.environ["OPSCLIENT_URL"], token=os.environ["OPSCLIENT_TOKEN"], name="bench"):
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """`component` is what must change, and `title` of its alert; `mend` undoes what `make` does."""

    name: str
    component: str
    title: str
    make: Callable[[], None]
    mend: Callable[[], None]


class Trader:
    """A trading process that can be killed."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", TRADER],
            stdin=subprocess.PIPE,
            env=os.environ | self._rig.client_environ(),
            cwd=ROOT,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb") as file:
        try:
            while True:
                file.write(bytes(65_536))
                file.flush()
        except OSError:
            return


def empty(folder: Path) -> None:
    (folder / "ballast").unlink(missing_ok=True)


@contextmanager
def small_mount(folder: Path) -> Iterator[Path | None]:
    """A file system of 4 MB; None where this account may not mount one."""
    place = folder / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0777", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    try:
        yield place if mounted.returncode == 0 else None
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=False)


def faults(rig: Rig, trader: Trader, disk: Path | None) -> list[Fault]:
    found = [
        Fault(
            "valkey stopped",
            "redis",
            "Redis is unhealthy",
            lambda: _void(rig.valkey.kill()),
            rig.valkey.start,
        ),
        Fault(
            "worker killed",
            "celery-worker",
            "Celery Worker is unhealthy",
            lambda: _void(rig.worker.kill()),
            rig.worker.start,
        ),
        Fault(
            "beat killed", "beat", "Celery Beat is unhealthy", lambda: _void(rig.beat.kill()), rig.beat.start
        ),
        Fault("client killed", "client-bench", "No contact: bench", trader.kill, trader.start),
    ]
    if disk is not None:
        found.append(
            Fault(
                "disk filled",
                "disk-space",
                "Disk Space is unhealthy",
                lambda: fill(disk),
                lambda: empty(disk),
            )
        )
    return found


def _void(_value: object) -> None:
    pass


class Watch:
    """What the database and the receiver say."""

    def __init__(self, rig: Rig, connection: "psycopg.Connection[Any]", receiver: Receiver) -> None:
        self._rig = rig
        self._connection = connection
        self._receiver = receiver

    def status(self, component: str) -> str:
        row = self._connection.execute(
            "SELECT status FROM monitoring_healthcomponent WHERE slug = %s", [component]
        ).fetchone()
        return str(row[0]) if row else "unknown"

    def all_well(self) -> bool:
        """Healthy for certain, and nothing is told any more."""
        row = self._connection.execute(
            "SELECT count(*) FROM monitoring_healthcomponent WHERE enabled AND retired_at IS NULL"
            " AND (status <> 'healthy' OR result <> 'healthy' OR told <> '')"
        ).fetchone()
        return row == (0,)

    def told_at(self, title: str, since: float) -> float | None:
        calls = [call.at for call in self._receiver.seen() if call.title == title and call.at >= since]
        return min(calls, default=None)


def run(fault: Fault, watch: Watch) -> dict[str, float]:
    began = time.monotonic()
    fault.make()
    changed: list[float] = []

    def is_changed() -> bool:
        if watch.status(fault.component) == "unhealthy":
            changed.append(time.monotonic())
        return bool(changed)

    try:
        wait_until(is_changed, f"{fault.name}: the status has changed", seconds=LONGEST, every=0.02)
        wait_until(
            lambda: watch.told_at(fault.title, began) is not None,
            f"{fault.name}: somebody is told",
            seconds=LONGEST,
            every=0.02,
        )
    finally:
        fault.mend()
    return {"changed": changed[0] - began, "told": (watch.told_at(fault.title, began) or 0.0) - began}


def measure(folder: Path, *, rounds: int, seed: int = 1) -> dict[str, Any]:
    chance = random.Random(seed)
    found: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        rig = stack.enter_context(Rig(folder, term=2.0, durable=False))
        receiver = Receiver()
        stack.callback(receiver.close)
        disk = stack.enter_context(small_mount(folder))
        settings = CONSOLE.format(interval=INTERVAL, budget=BUDGET, disk=disk or "")
        rig.manage("shell", "-c", TELL_ALL.format(url=receiver.url) + settings)
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        trader = Trader(rig)
        trader.start()
        stack.callback(trader.kill)
        connection = stack.enter_context(psycopg.connect(rig.environ["DATABASE_URL"], autocommit=True))
        watch = Watch(rig, connection, receiver)
        wait_until(
            lambda: watch.status("client-bench") == "healthy" and watch.all_well(),
            "everything is well",
            seconds=LONGEST,
            every=0.1,
        )
        _quicken(connection)
        for _ in range(rounds):
            for fault in faults(rig, trader, disk):
                time.sleep(chance.uniform(0, INTERVAL))
                found.setdefault(fault.name, []).append(run(fault, watch))
                wait_until(
                    watch.all_well, f"after {fault.name}, everything is well", seconds=LONGEST, every=0.1
                )
    return {"interval": INTERVAL, "rounds": found}


def _quicken(connection: "psycopg.Connection[Any]") -> None:
    """The client's own component came after the others."""
    connection.execute(
        "UPDATE monitoring_healthcomponent SET interval_seconds = %s, budget_seconds = LEAST(budget_seconds, %s)",
        [INTERVAL, BUDGET],
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.health_faults", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    try:
        print(json.dumps(measure(options.folder, rounds=options.rounds)))
    except LateError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(options.folder / "small", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
