"""A data folder in a place that PostgreSQL's user can reach, and one run of the embedded servers on it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from opsconsole.embedded import servers
from opsconsole.embedded.folder import DataFolder
from tests.servers import temporary_folder


class Run(Protocol):
    def __call__(self, path: Path) -> AbstractContextManager[dict[str, str]]: ...


@pytest.fixture
def place() -> Iterator[Path]:
    """Unlike `tmp_path` open to be passed through, with a space in its name."""
    outer = temporary_folder()
    inner = outer / "a place"
    inner.mkdir()
    yield inner
    shutil.rmtree(outer)


@pytest.fixture
def messages() -> list[str]:
    """What the runs of this test have told the person at the terminal."""
    return []


@pytest.fixture
def run(place: Path, messages: list[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Hold a data folder and run its servers for the length of a block, which gets the variables that lead to them."""
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("OPSCONSOLE_STATE_DIR", str(place / "state"))

    @contextmanager
    def running(path: Path) -> Iterator[dict[str, str]]:
        folder = DataFolder(path)
        folder.hold("a test")
        try:
            folder.reclaim(messages.append)
            prepared = servers.prepare(folder, os.environ, messages.append, durable=False)
            with (place / "servers.log").open("ab") as log, servers.running(folder, prepared, log) as environ:
                yield environ
        finally:
            folder.release()

    return running
