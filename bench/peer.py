"""Alertmanager beside the console: the same load, the same machine, one after the other."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.fleet import wait_until
from bench.rig import ROOT
from opsconsole.supervisor.console import free_port

CONFIG = "route:\n  receiver: none\nreceivers:\n- name: none\n"
NAMES = ("prometheus-alertmanager", "alertmanager")


def program() -> str | None:
    """Debian's, or one of the name that the project itself gives it."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def alertmanager(folder: Path) -> Iterator[int]:
    """A fresh one, without integrations. Yields its port."""
    path = program()
    if path is None:
        raise RuntimeError(
            "no Alertmanager to compare with: install Debian's package prometheus-alertmanager"
        )
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text(CONFIG)
    port = free_port("127.0.0.1", 0)
    options = [
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen([path, *options], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _is_ready(port), "Alertmanager answers", every=0.05)
        yield port
    finally:
        process.kill()
        process.wait(10)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def load(port: int, workload: str, *, alerts: int, batch: int, connections: int = 8, token: str = "") -> Any:
    """What `bench.load` measured, in a process of its own."""
    options = {
        "--port": port,
        "--workload": workload,
        "--alerts": alerts,
        "--batch": batch,
        "--connections": connections,
        "--token": token,
    }
    words = [str(word) for pair in options.items() for word in pair]
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)
