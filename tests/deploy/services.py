"""The services as Debian's docker-compose reads them."""

import os
import subprocess
from typing import Any

import pytest
import yaml

from opsconsole.supervisor.programs import ROOT
from tests.alerts.alertmanager.programs import program

Services = dict[str, dict[str, Any]]
SECRETS = {"OPSCONSOLE_SECRET_KEY": "x" * 50, "OPSCONSOLE_DB_PASSWORD": "letters1"}


def config(*, environ: dict[str, str], fails: bool = False) -> str:
    """What `docker-compose config` says with just these variables."""
    done = subprocess.run(
        [program("docker-compose"), "--file", str(ROOT / "docker-compose.yml"), "config"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode != 0) is fails, done.stderr
    said: str = done.stderr if fails else done.stdout
    return said


def read(**environ: str) -> Services:
    """With the two secrets that it wants, and these variables."""
    found: Services = yaml.safe_load(config(environ=SECRETS | environ))["services"]
    return found


@pytest.fixture(scope="session")
def services() -> Services:
    return read()
