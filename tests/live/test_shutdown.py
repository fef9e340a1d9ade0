"""The web process's start and end."""

import socket
from pathlib import Path

from tests.live.postgres import PostgresServer, wait_for
from tests.live.web import OpenStream, WebServer


def test_everybody_is_told_and_the_process_ends_soon(own_web: WebServer, trader: OpenStream) -> None:
    streams = [trader(f"T{number}", at=own_web) for number in range(5)]
    for stream in streams:
        stream.until("lease")
    seconds = own_web.stop()
    assert [stream.until("bye").data["why"] for stream in streams] == ["shutdown"] * 5
    assert own_web.process.returncode in {0, -15}
    # The server's own patience would be 2 seconds more; nothing here had to wait for it.
    assert "graceful shutdown exceeded" not in own_web.log.read_text()
    assert seconds < 20


def test_ends_are_noted_at_shutdown(own_web: WebServer, trader: OpenStream, postgres: PostgresServer) -> None:
    trader("GOOG", at=own_web).until("lease")
    own_web.stop()
    with postgres.connect() as conn:
        assert conn.execute("SELECT hub FROM feed_client WHERE name = 'GOOG'").fetchone() == ("",)


def test_a_frozen_database_does_not_keep_it_alive(
    own_web: WebServer, trader: OpenStream, postgres: PostgresServer
) -> None:
    trader(at=own_web).until("lease")
    postgres.freeze()
    try:
        # This one hangs in the database, in a thread that nobody can end.
        with socket.create_connection(("127.0.0.1", own_web.port)) as conn:
            conn.sendall(
                b"GET /monitoring/stream?name=x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer right\r\n\r\n"
            )
        wait_for(lambda: not own_web.health()["database"])
        own_web.stop()
    finally:
        postgres.thaw()
    assert own_web.process.returncode in {0, -15}


def test_it_starts_without_a_database(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.stop()
    try:
        web = WebServer(postgres.url, tmp_path / "web.log", with_database=False)
        assert web.health()["database"] is False
    finally:
        postgres.start()
    wait_for(lambda: web.health()["database"])
    web.kill()
