"""Prometheus with the files of `deploy/`, started by the command of docker-compose.yml: only addresses, paths and intervals are of the test."""

import json
import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.embedded.processes import wait_until
from opsconsole.supervisor.programs import ROOT
from tests.alerts.alertmanager.programs import program
from tests.console import free_port
from tests.deploy import files

START_SECONDS = 30.0
# What the files say, and docker-compose.yml provides.
TARGET = "web:8000"
TOKEN = "/run/opsconsole/prometheus.token"


@dataclass(frozen=True)
class Prometheus:
    url: str

    def ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/-/ready", timeout=1).close()
        except OSError:
            return False
        return True

    def ask(self, path: str, **parameters: str) -> Any:
        """What it answers as data; fails with its own words when it refuses."""
        query = urllib.parse.urlencode(
            [(name.replace("match", "match[]"), value) for name, value in parameters.items()]
        )
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(json.load(refused)["error"]) from None

    def values(self, expression: str) -> list[float]:
        """Of every series that the expression has now."""
        return [float(one["value"][1]) for one in self.ask("query", query=expression)["result"]]

    def finds(self, expression: str) -> bool:
        """Whether there are values, each of them a number."""
        values = self.values(expression)
        return bool(values) and all(math.isfinite(value) for value in values)


def configure(folder: Path, *, target: str, token: str) -> Path:
    """A copy of `deploy/prometheus` that reads and alerts the console at `target` (host:port) each second; its prometheus.yml."""
    copy = folder / "prometheus"
    shutil.copytree(files.PROMETHEUS, copy)
    secret = folder / "prometheus.token"
    secret.write_text(token)
    config = copy / "prometheus.yml"
    text = config.read_text()
    assert text.count(TARGET) == text.count(TOKEN) == 2
    text = text.replace(TARGET, target).replace(TOKEN, str(secret))
    for name, seconds in (("scrape_interval", "1s"), ("scrape_timeout", "1s"), ("evaluation_interval", "1s")):
        before = f"{name}: {files.load(files.PROMETHEUS / 'prometheus.yml')['global'][name]}"
        text = text.replace(before, f"{name}: {seconds}")
    config.write_text(text)
    return config


def command(folder: Path, config: Path, port: int) -> list[str]:
    """That of docker-compose.yml, with this machine's places for the container's."""
    places = {
        "--config.file=/etc/prometheus/prometheus.yml": f"--config.file={config}",
        "--storage.tsdb.path=/prometheus": f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=:9090": f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=${OPSCONSOLE_PROMETHEUS_RETENTION:-30d}": "--storage.tsdb.retention.time=30d",
        "--web.external-url=${OPSCONSOLE_PROMETHEUS_URL:-http://localhost:9090}": f"--web.external-url=http://127.0.0.1:{port}",
    }
    given = files.load(ROOT / "docker-compose.yml")["services"]["prometheus"]["command"]
    return [program("prometheus"), *(places[argument] for argument in given), "--log.level=warn"]


@contextmanager
def running(folder: Path, *, target: str, token: str) -> Iterator[Prometheus]:
    """A Prometheus that reads the console at `target` with this bearer token."""
    config = configure(folder, target=target, token=token)
    port = free_port()
    log_path = folder / "prometheus.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command(folder, config, port), stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
    found = Prometheus(f"http://127.0.0.1:{port}")
    try:
        assert wait_until(
            lambda: process.poll() is not None or found.ready(), seconds=START_SECONDS, interval=0.1
        )
        assert process.poll() is None, log_path.read_text()[-4000:]
        yield found
    finally:
        process.kill()
        process.wait(10)
