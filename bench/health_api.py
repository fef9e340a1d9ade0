"""The three addresses that probes and desks ask all day, beside gunicorn serving an empty DRF view, while the demo trades.

`python -m bench.health_api --folder F [--rounds 5] [--requests 3000]` prints JSON: of each round and each address the requests a second and
each request's milliseconds. All take turns in every round, so that a busy moment of the machine meets all of them.
"""

import argparse
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.fleet import wait_until
from bench.rig import ROOT, Rig
from opsconsole.supervisor.console import free_port

PATHS = ("/monitoring/health", "/monitoring/system/status", "/monitoring/kill-switch")
FLOOR = "gunicorn"
CONNECTIONS = 16
TRADERS = 4


@contextmanager
def gunicorn() -> Iterator[int]:
    """An empty DRF view with one worker and four threads, as the console has one process. Yields its port."""
    port = free_port("127.0.0.1", 0)
    command = [
        *(sys.executable, "-m", "gunicorn", "bench.drf_floor:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", "4", "--log-level", "error"),
    ]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/"), "gunicorn answers", every=0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def demo(rig: Rig, folder: Path) -> Iterator[None]:
    """Four traders, as `script/demo` runs them."""
    command = [sys.executable, "-m", "demo", "--data", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=rig.environ | rig.client_environ(), stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: len(_status(rig)["clients"]) >= TRADERS, "the demo trades", every=0.2, seconds=60)
        yield
    finally:
        process.terminate()
        process.wait(30)


def load(port: int, path: str, *, requests: int, token: str = "") -> dict[str, Any]:
    """In a process of its own."""
    options = {"port": port, "workload": "get", "path": path, "alerts": requests, "connections": CONNECTIONS}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "bench.load", *words, *(["--token", token] if token else [])]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"per_second": requests / found["seconds"]}


def measure(folder: Path, *, rounds: int, requests: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (FLOOR, *PATHS)}
    with Rig(folder, term=2.0, durable=False) as rig, gunicorn() as floor:
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        with demo(rig, folder):
            wait_until(lambda: _is_well(rig), "the console is well", every=0.5, seconds=60)
            for number in range(rounds + 1):
                for name, measured in found.items():
                    port, path, token = (floor, "/", "") if name == FLOOR else (rig.port, name, rig.token)
                    one = load(port, path, requests=requests, token=token)
                    if number:  # the first one warms up
                        measured.append(one)
    return found


def _is_well(rig: Rig) -> bool:
    request = urllib.request.Request(
        f"{rig.url}/monitoring/health/summary", headers={"Authorization": f"Bearer {rig.token}"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found = json.load(answer)
    return found["status"] in ("healthy", "degraded") and not found["stale"]


def _status(rig: Rig) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{rig.url}/monitoring/kill-switch", headers={"Authorization": f"Bearer {rig.token}"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.health_api", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3000)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, rounds=options.rounds, requests=options.requests)))


if __name__ == "__main__":
    main()
