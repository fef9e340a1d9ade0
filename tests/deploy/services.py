"""The services as Debian's docker-compose reads them."""

import os
import subprocess
from typing import Any

import pytest
import yaml

from tests.alerts.alertmanager.programs import program
from tests.deploy import files

Services = dict[str, dict[str, Any]]
SECRETS = {"OPSCONSOLE_SECRET_KEY": "x" * 50, "OPSCONSOLE_DB_PASSWORD": "letters1"}


def config(*, environ: dict[str, str], fails: bool = False) -> str:
    """What `docker-compose config` says with just these variables."""
    done = subprocess.run(
        [program("docker-compose"), "--file", str(files.ROOT / "docker-compose.yml"), "config"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


def read(**environ: str) -> Services:
    """With the two secrets that it wants, and these variables."""
    found: Services = yaml.safe_load(config(environ=SECRETS | environ))["services"]
    return found


@pytest.fixture(scope="session")
def services() -> Services:
    return read()
