"""Each service's command of docker-compose.yml by hand, with the environment that it gives: only servers, address and port are of the test."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from opsconsole.celery import app
from opsconsole.embedded.processes import wait_until
from opsconsole.supervisor.programs import ROOT
from tests.console import database_url, free_port
from tests.deploy.services import Services, services

__all__ = ["services"]

PATIENCE = 30.0
QUEUES = ("default", "alerts", "critical")
pytestmark = pytest.mark.django_db(transaction=True)


def image_command() -> list[str]:
    """The Dockerfile's, which `web` has."""
    written = re.search(r"^CMD (\[.*?\])$", (ROOT / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE)
    assert written
    found: list[str] = json.loads(written[1].replace("\\\n", ""))
    return found


def by_hand(services: Services, name: str, **places: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a service, with `places` of this machine for the container's."""
    service = services[name]
    command = [places.get(word, word) for word in service.get("command") or image_command()]
    assert command[0] == "python"
    environ = {
        **service["environment"],
        "DATABASE_URL": database_url(connection.settings_dict),
        "REDIS_URL": settings.REDIS_URL,
        "OPSCONSOLE_DATA": os.environ["OPSCONSOLE_DATA"],
        # As the Dockerfile sets them.
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'client'}",
        "DJANGO_SETTINGS_MODULE": "opsconsole.settings",
        "PATH": os.environ["PATH"],
    }
    return [sys.executable, *command[1:]], environ


@contextmanager
def running(services: Services, name: str, folder: Path, **places: str) -> Iterator[Path]:
    """The service's command in the background. Yields its log; asserts that it runs to the end of the block, and ends when asked."""
    command, environ = by_hand(services, name, **places)
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield log_path
        assert process.poll() is None, log_path.read_text()[-4000:]
        process.terminate()
        process.wait(20)
    finally:
        process.kill()
        process.wait(10)


def test_migrate_finds_nothing_left_to_do(services: Services) -> None:
    command, environ = by_hand(services, "migrate")
    done = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "No migrations to apply" in done.stdout


def test_web_gets_healthy(services: Services, tmp_path: Path) -> None:
    """By the health check that Compose runs."""
    port = str(free_port())
    _, python, option, check = services["web"]["healthcheck"]["test"]
    assert (python, option) == ("python", "-c")
    checked = [sys.executable, "-c", check.replace(":8000/", f":{port}/")]
    with running(services, "web", tmp_path, **{"0.0.0.0": "127.0.0.1", "8000": port}):
        assert wait_until(
            lambda: subprocess.run(checked, capture_output=True, timeout=10, check=False).returncode == 0,
            seconds=PATIENCE,
        )


@pytest.mark.parametrize("name", ["worker", "urgent"])
def test_a_worker_takes_work(services: Services, tmp_path: Path, name: str) -> None:
    queues = services[name]["command"][services[name]["command"].index("--queues") + 1].split(",")

    def taken() -> set[str]:
        answers = app.control.inspect(timeout=1).active_queues() or {}
        return {queue["name"] for answer in answers.values() for queue in answer}

    with running(services, name, tmp_path):
        assert wait_until(lambda: taken() == set(queues), seconds=PATIENCE)


def test_between_them_the_workers_take_every_queue(services: Services) -> None:
    taken = [
        queue
        for name in ("worker", "urgent")
        for queue in services[name]["command"][services[name]["command"].index("--queues") + 1].split(",")
    ]
    assert sorted(taken) == sorted(QUEUES)


def test_beat_asks_for_work(services: Services, tmp_path: Path) -> None:
    with app.connection_for_read() as connected:
        broker = connected.default_channel.client
        broker.delete(*QUEUES)
        with running(services, "beat", tmp_path, **{"/tmp/schedule": str(tmp_path / "schedule")}):
            assert wait_until(lambda: broker.exists(*QUEUES) > 0, seconds=PATIENCE, interval=0.1)
        broker.delete(*QUEUES)
