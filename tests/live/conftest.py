import contextlib
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.app.feed import TABLES
from tests.live.postgres import PostgresServer
from tests.live.web import Change, OpenStream, StreamReader, WebServer, migrate, trading_stream
from tests.servers import temporary_folder

EPOCHS = itertools.count(2)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that a test may stop or freeze, if it brings it back."""
    folder = temporary_folder()
    server = PostgresServer(folder)
    with server.connect() as conn:
        conn.execute(TABLES)
    migrate(server.url)
    yield server
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def web(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web process with a lease term of half a second and two threads, for tests that leave it running."""
    server = WebServer(postgres.url, tmp_path_factory.mktemp("web") / "log")
    yield server
    server.kill()


@pytest.fixture
def own_web(postgres: PostgresServer, tmp_path: Path) -> Iterator[WebServer]:
    """A web process for one test, which may end it."""
    server = WebServer(postgres.url, tmp_path / "log")
    yield server
    server.kill()


@pytest.fixture
def trader(web: WebServer) -> Iterator[OpenStream]:
    """`trader(name)` opens the stream of a trading process."""
    with contextlib.ExitStack() as stack:

        def open_stream(name: str = "AAPL", *, at: WebServer = web, **options: int) -> StreamReader:
            reader = trading_stream(at.port, name, **options)
            stack.callback(reader.close)
            return reader

        yield open_stream


@pytest.fixture
def change(postgres: PostgresServer) -> Change:
    """`change(announce=True, switches=…)` commits a new state, as an app's service does, and returns its epoch."""

    def commit(*, announce: bool = True, epoch: int | None = None, **state: Any) -> int:
        epoch = epoch or next(EPOCHS)
        content = {"switches": [], "drills": [], "commands": []} | state
        with postgres.connect() as conn, conn.transaction():
            conn.execute("UPDATE feed_state SET epoch = %s, state = %s", [epoch, json.dumps(content)])
            if announce:
                conn.execute('SELECT pg_notify(\'opsconsole\', \'{"topic": "state", "ids": []}\')')
        return epoch

    return commit
