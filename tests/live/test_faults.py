"""What the streams do when the database, its connection or the network fails."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from tests.live.postgres import PostgresServer, wait_for
from tests.live.web import Change, OpenStream, StreamReader, WebServer


def sequence(stream: StreamReader, *names: str) -> dict[str, Any]:
    """Read until the events of these names have come in this order; the last one's data."""
    for name in names:
        event = stream.until(name)
    return event.data


def hub_session(postgres: PostgresServer) -> tuple[int, str | None]:
    """The hub's process in the database, and what kind of thing it waits for."""
    with postgres.connect() as conn:
        found = conn.execute(
            "SELECT pid, wait_event_type FROM pg_stat_activity WHERE application_name = 'opsconsole-hub'"
            " ORDER BY backend_start DESC"
        ).fetchone()
    assert found is not None
    return found


def test_no_lease_while_the_database_is_down_and_leases_again_after(
    trader: OpenStream, postgres: PostgresServer
) -> None:
    stream = trader()
    stream.until("lease")
    postgres.stop()
    lost = sequence(stream, "nolease", "nolease", "nolease")
    assert lost["why"] == "the database does not answer"
    postgres.start()
    assert stream.until("lease").data["s"] > lost["s"]


def test_no_fresh_lease_while_the_database_is_frozen(
    trader: OpenStream, postgres: PostgresServer, web: WebServer
) -> None:
    stream = trader()
    stream.until("lease")
    postgres.freeze()
    try:
        frozen = sequence(stream, "nolease", "nolease")["s"]
        sequence(stream, *["nolease"] * 12)
        # The process itself goes on answering.
        assert web.health()["database"] is False
    finally:
        postgres.thaw()
    wait_for(lambda: stream.until("lease").data["s"] > frozen)


def test_a_stop_committed_while_the_hub_sleeps_is_seen_before_the_next_lease(
    trader: OpenStream, web: WebServer, change: Change
) -> None:
    stream = trader()
    stream.until("lease")
    web.process.send_signal(signal.SIGSTOP)
    try:
        epoch = change()
        committed = time.clock_gettime(time.CLOCK_BOOTTIME)
    finally:
        web.process.send_signal(signal.SIGCONT)
    for event in stream.events():
        if event.name == "state":
            break
        # Whatever the hub had read before is dated before the commit.
        assert event.data["s"] < committed
    assert event.data["epoch"] == epoch


def test_the_clock_is_read_before_the_database_is(
    trader: OpenStream, postgres: PostgresServer, change: Change
) -> None:
    """A read that has to wait is worth what it was worth when it began."""
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn, conn.transaction():
        conn.execute("LOCK TABLE feed_state IN ACCESS EXCLUSIVE MODE")
        wait_for(lambda: hub_session(postgres)[1] == "Lock")
        waiting = time.clock_gettime(time.CLOCK_BOOTTIME)
        conn.execute("UPDATE feed_state SET epoch = epoch + 100000")
    while (lease := stream.until("lease").data)["epoch"] < 100_000:
        pass
    assert lease["s"] < waiting
    change()


def test_a_connection_that_hangs_is_given_up(trader: OpenStream, postgres: PostgresServer) -> None:
    stream = trader()
    stream.until("lease")
    pid, _ = hub_session(postgres)
    os.kill(pid, signal.SIGSTOP)
    try:
        lost = sequence(stream, "nolease")["s"]
        assert stream.until("lease").data["s"] > lost
    finally:
        os.kill(pid, signal.SIGCONT)


def test_no_lease_from_a_server_that_takes_no_writes(trader: OpenStream, postgres: PostgresServer) -> None:
    """Such as a standby, which lags behind its primary."""
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn:
        conn.execute("ALTER DATABASE opsconsole SET default_transaction_read_only = on")
        try:
            conn.execute("SELECT pg_terminate_backend(%s)", [hub_session(postgres)[0]])
            sequence(stream, *["nolease"] * 5)
        finally:
            conn.execute("ALTER DATABASE opsconsole RESET default_transaction_read_only")
    stream.until("lease")


def test_an_announcement_does_not_wait_for_the_next_read(
    postgres: PostgresServer, trader: OpenStream, change: Change, tmp_path: Path
) -> None:
    with WebServer.running(postgres.url, tmp_path / "log", OPSCONSOLE_LEASE_TERM="60") as web:
        stream = trader("SLOW", at=web)
        stream.until("lease")
        # The next read is due in 15 seconds.
        stream.socket.settimeout(10)
        epoch = change()
        assert stream.until("state").data["epoch"] == epoch


def test_a_terminated_connection_is_made_anew_and_a_stop_arrives(
    trader: OpenStream, postgres: PostgresServer, change: Change
) -> None:
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn:
        ended = conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'opsconsole-hub'"
        ).fetchall()
    assert len(ended) == 1
    epoch = change()
    assert stream.until("state").data["epoch"] == epoch
    stream.until("lease")


def test_a_stop_arrives_without_listen(trader: OpenStream, postgres: PostgresServer, change: Change) -> None:
    """Announcements may be lost; reading goes on."""
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn:
        conn.execute("SELECT pg_notify('opsconsole', 'not JSON')")
    epoch = change(announce=False)
    assert stream.until("state").data["epoch"] == epoch


def test_no_new_stream_while_the_database_is_down(web: WebServer, postgres: PostgresServer) -> None:
    postgres.stop()
    try:
        status, headers, body = web.request(
            "GET", "/monitoring/stream?name=AAPL", headers={"Authorization": "Bearer right"}
        )
    finally:
        postgres.start()
    assert status == 503
    assert headers["Retry-After"] == "1"
    assert b'"code":"unavailable"' in body


def test_without_writes_no_leases(trader: OpenStream, postgres: PostgresServer) -> None:
    """A database that can be read but takes no writes could not take a stop either."""
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn:
        conn.execute("ALTER TABLE feed_client RENAME TO feed_client_gone")
        try:
            # A busy machine may miss a read before, which is another reason.
            while stream.until("nolease").data["why"] != "the database takes no writes":
                pass
        finally:
            conn.execute("ALTER TABLE feed_client_gone RENAME TO feed_client")
    stream.until("lease")
