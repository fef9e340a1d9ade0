"""A PostgreSQL server of a test's own, which it may stop, freeze and start again."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.rig import Server
from opsconsole.embedded import postgres
from opsconsole.embedded.folder import DataFolder
from tests.servers import quiet

# Ready within this many seconds, or the test fails.
PATIENCE = 20.0


class PostgresServer:
    """The console's own embedded server, not durable, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = DataFolder(folder)
        self._folder.hold("tests/live")
        self._cluster = postgres.prepare(self._folder, self._folder.make_directory(), quiet)
        self._server = Server(self._cluster.program(durable=False), folder / "postgres.log")
        self.start()
        self._cluster.ensure_database()

    @property
    def url(self) -> str:
        return self._cluster.url

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url, autocommit=True, connect_timeout=2)

    def start(self) -> None:
        self._server.start()
        wait_for(self._cluster.answers)

    def stop(self) -> None:
        """At once; every connection is lost."""
        if self._server.is_running():
            self._server.thaw()
            self._server.stop()

    def freeze(self) -> None:
        """Every process of the server is suspended: connections stay, nothing answers."""
        self._server.freeze()

    def thaw(self) -> None:
        self._server.thaw()

    def remove(self) -> None:
        self.stop()
        self._folder.release()


def wait_for(condition: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Poll until it holds; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
