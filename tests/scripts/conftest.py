"""A console under its real supervisor, started and watched from outside as a person would."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Identity, wait_until
from opsconsole.supervisor.programs import ROOT
from tests.servers import temporary_folder

READY = re.compile(r"^Console ready: (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
START_SECONDS = 60.0
# For `manage.py shell`: when the database server started.
QUERY = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT pg_postmaster_start_time()'); print(k.fetchone())"
# Set for the tests themselves; a console started by them is to find its own.
INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "OPSCONSOLE_DATA",
    "OPSCONSOLE_SECRET_KEY",
    "OPSCONSOLE_EMBEDDED",
    "OPSCONSOLE_EMBEDDED_BROKER",
)


def clean_environ(**changes: str) -> dict[str, str]:
    """The environment of someone who has just opened a terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in INHERITED}
    return kept | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])} | changes


def manage(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`script/manage` on this data folder, without the virtual environment's part."""
    command = [sys.executable, "-m", "opsconsole.supervisor.manage", *arguments]
    environ = clean_environ(OPSCONSOLE_DATA=str(data))
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


class Supervised:
    """One run of `script/server`, without the virtual environment's part."""

    def __init__(
        self, data: Path, *, user: tuple[str, ...] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.text = ""
        command = [*user, sys.executable, "-m", "opsconsole.supervisor", "--port", "0", "--data", str(data)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=data.parent,
            env=clean_environ(**(environ or {})),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def ready(self) -> str:
        """Wait for the console and return its address."""
        wait_until(
            lambda: self.process.poll() is not None or bool(READY.search(self.text)), seconds=START_SECONDS
        )
        found = READY.search(self.text)
        assert found, f"the console did not get ready:\n{self.text[-4000:]}"
        return found[1]

    def children(self) -> dict[str, Identity]:
        """The programs by name, as recorded in the data folder."""
        entries = DataFolder(self.data).facts()["processes"].items()
        return {name: Identity(entry["pid"], entry["started"]) for name, entry in entries}

    def living(self) -> list[psutil.Process]:
        """All its descendants now."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its return code; fails when it takes far longer than promised."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self._reader.join(timeout=5)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Open to be passed through by PostgreSQL's user, with a space in its name."""
    outer = temporary_folder()
    inner = outer / "a place"
    inner.mkdir()
    yield inner
    shutil.rmtree(outer)


class Runs:
    """The consoles on one data folder, one after the other, since each start takes seconds."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._current: Supervised | None = None

    def current(self) -> Supervised:
        """The one that runs, or a new one; it is ready."""
        if self._current is None or self._current.process.poll() is not None:
            self._current = Supervised(self._data)
            self._current.ready()
        return self._current

    def close(self) -> None:
        if self._current:
            self._current.close()


@pytest.fixture(scope="session")
def runs(place: Path) -> Iterator[Runs]:
    made = Runs(place / "data")
    yield made
    made.close()


@pytest.fixture
def server(runs: Runs) -> Supervised:
    """A console that is ready. A test may end it: the next test gets a new one."""
    return runs.current()
