"""A pytest plugin, loaded before Django's settings: a PostgreSQL and a Valkey of the run's own, unless the environment names some.

The first process of the run starts them; those that pytest-xdist makes inherit their addresses. Each of these has a test
database and a Valkey database of its own on the shared servers. Nothing is kept, so durability is off.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from opsconsole import prepare
from opsconsole.embedded import servers
from opsconsole.embedded.folder import DataFolder

VALKEY_DATABASES = 16


def temporary_folder() -> Path:
    """A new folder under /tmp which, for root, PostgreSQL's user can pass through too."""
    path = Path(tempfile.mkdtemp(prefix="opsconsole-tests-"))
    if os.geteuid() == 0:
        path.chmod(0o711)
    return path


def quiet(_text: str) -> None:
    """The servers' preparation is of no interest in a test run."""


class Servers:
    """The servers of this run, from the first process's point of view."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.path = temporary_folder()
        self._stack.callback(shutil.rmtree, self.path, ignore_errors=True)
        self._folder = DataFolder(self.path / "data")
        self._folder.hold("script/test")
        self._stack.callback(self._folder.release)
        self._servers = servers.prepare(self._folder, os.environ, quiet, durable=False)
        os.environ.update(self._servers.environ())
        os.environ["OPSCONSOLE_DATA"] = str(self._folder.path)
        os.environ.setdefault("OPSCONSOLE_SECRET_KEY", self._folder.secret_key())

    def start(self) -> None:
        log = self._stack.enter_context((self.path / "servers.log").open("wb"))
        self._stack.enter_context(servers.running(self._folder, self._servers, log, for_tests=True))

    def stop(self) -> None:
        self._stack.close()


def own_valkey_database(url: str, worker: str) -> str:
    """The URL with the database number of one pytest-xdist process: `gw3` has 4, the first process of a run 0."""
    parts = urlsplit(url)
    number = (int(worker.removeprefix("gw")) + 1) % VALKEY_DATABASES
    if parts.scheme == "redis+socket":
        # Some releases of Python put it together without the slashes of an empty host.
        return f"{url.partition('?')[0]}?virtual_host={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def is_first_process() -> bool:
    return "PYTEST_XDIST_WORKER" not in os.environ


# The settings are read before any hook could set the addresses, hence here.
if is_first_process():
    SERVERS = Servers()
    # Also when pytest ends early, on a conftest that cannot be imported.
    atexit.register(SERVERS.stop)
else:
    os.environ["REDIS_URL"] = own_valkey_database(os.environ["REDIS_URL"], os.environ["PYTEST_XDIST_WORKER"])


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers, and collect the static files once, since pages name them by their digests."""
    if is_first_process() and not session.config.option.collectonly:
        SERVERS.start()
        prepare.collect_static(SERVERS.path / "data")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if is_first_process():
        SERVERS.stop()
