import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.live.app.feed import TABLES, set_state
from tests.live.postgres import PostgresServer
from tests.live.web import StreamReader, WebServer, trading_stream

Announce = Callable[..., None]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> PostgresServer:
    """The server, running, with fresh tables."""
    with postgres_server.connect() as conn:
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")
        conn.execute(TABLES)
    return postgres_server


@pytest.fixture
def web(postgres: PostgresServer, tmp_path: Path) -> Iterator[WebServer]:
    """A web process with a lease term of half a second and two threads."""
    server = WebServer(postgres.url, tmp_path / "web.log")
    yield server
    server.kill()


@pytest.fixture
def trader(web: WebServer) -> Iterator[Callable[..., StreamReader]]:
    """`trader(name)` opens the stream of a trading process."""
    with contextlib.ExitStack() as stack:

        def open_stream(name: str = "AAPL", **options: int) -> StreamReader:
            reader = trading_stream(web.port, name, **options)
            stack.callback(reader.close)
            return reader

        yield open_stream


@pytest.fixture
def change(postgres: PostgresServer) -> Announce:
    """`change(epoch, announce=True, switches=…)` commits a new state."""

    def commit(epoch: int, *, announce: bool = True, **state: object) -> None:
        with psycopg.connect(postgres.conninfo()) as conn:
            set_state(conn.execute, epoch, **state)
            if announce:
                conn.execute('SELECT pg_notify(\'opsconsole\', \'{"topic": "state", "ids": []}\')')

    return commit
