"""Debian's amtool and Prometheus, run against the console's own web process."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.console import free_port

PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "docker-compose": "docker-compose",
}


def program(name: str) -> str:
    """Its path. Skips the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name}: install Debian's package {PACKAGES[name]}")
    return path


class Amtool:
    """amtool with a bearer token, as its HTTP configuration has it."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        self._program = program("amtool")
        self._url = url
        self._config = folder / "http.yml"
        self._config.write_text(f"authorization:\n  type: Bearer\n  credentials: {token}\n")

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        """Its output. Asserts that it succeeds, or fails."""
        options = [f"--alertmanager.url={self._url}", f"--http.config.file={self._config}"]
        done = subprocess.run(
            [self._program, *options, *arguments], capture_output=True, text=True, timeout=20, check=False
        )
        assert (done.returncode != 0) is fails, done.stderr + done.stdout
        return done.stderr if fails else done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self("-o", "json", *arguments))


@contextmanager
def prometheus(folder: Path, *, console_port: int, token: str, rules: Path) -> Iterator[int]:
    """A Prometheus with these rules, evaluated each second, that sends to the console. Yields its port."""
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{rules}]\n"
        "alerting:\n  alertmanagers:\n"
        f"  - authorization: {{credentials: {token}}}\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{console_port}']}}]\n"
    )
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        # What it sends before it has found the console is lost until it sends again.
        "--rules.alert.resend-delay=2s",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        yield port
    finally:
        process.kill()
        process.wait(10)
