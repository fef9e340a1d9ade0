"""What the hub notes about its streams and proofs."""

import datetime as dt
from pathlib import Path
from typing import Any

from tests.live.postgres import PostgresServer, wait_for
from tests.live.web import Change, OpenStream, WebServer


def client(postgres: PostgresServer, name: str = "AAPL") -> Any:
    with postgres.connect() as conn:
        return conn.execute(
            "SELECT hub, lease_until, clock_timestamp() FROM feed_client WHERE name = %s", [name]
        ).fetchone()


def settled(postgres: PostgresServer, epoch: int) -> list[Any]:
    with postgres.connect() as conn:
        return conn.execute(
            "SELECT waited, own_leases_until, at FROM feed_settled WHERE epoch = %s ORDER BY at", [epoch]
        ).fetchall()


def test_an_end_is_noted_with_the_last_lease(trader: OpenStream, postgres: PostgresServer) -> None:
    stream = trader()
    stream.until("lease")
    hub, lease_until, _ = client(postgres)
    assert hub
    stream.close()
    wait_for(lambda: client(postgres)[0] == "")
    _, ended_until, now = client(postgres)
    assert ended_until < lease_until
    assert now - dt.timedelta(seconds=5) < ended_until < now + dt.timedelta(seconds=0.5)


def test_the_end_of_a_replaced_stream_does_not_touch_the_newer_one(
    trader: OpenStream, postgres: PostgresServer
) -> None:
    older = trader("AAPL")
    older.until("lease")
    newer = trader("AAPL")
    older.until("bye")
    # The note of the older stream's end is written before this one's is.
    other = trader("IBM")
    other.until("lease")
    other.close()
    wait_for(lambda: client(postgres, "IBM")[0] == "")
    assert client(postgres)[0]
    newer.until("lease")


def test_ends_are_noted_once_the_database_is_back(
    trader: OpenStream, postgres: PostgresServer, web: WebServer
) -> None:
    stream = trader("MSFT")
    stream.until("lease")
    open_streams = web.health()["streams"]
    postgres.stop()
    stream.close()
    wait_for(lambda: web.health()["streams"] < open_streams)
    postgres.start()
    wait_for(lambda: client(postgres, "MSFT")[0] == "")


def test_open_streams_are_noted_again_and_again(trader: OpenStream, postgres: PostgresServer) -> None:
    stream = trader()
    stream.until("lease")
    first = client(postgres)[1]
    wait_for(lambda: client(postgres)[1] > first)
    _, lease_until, now = client(postgres)
    # It covers the leases until the next note.
    assert lease_until > now + dt.timedelta(seconds=5)


def test_a_stream_that_another_hub_has_taken_over_is_ended(
    trader: OpenStream, postgres: PostgresServer
) -> None:
    stream = trader()
    stream.until("lease")
    with postgres.connect() as conn:
        conn.execute("UPDATE feed_client SET hub = 'another'")
    assert stream.until("bye").data["why"] == "replaced"
    assert client(postgres)[0] == "another"


def test_proofs_are_settled_when_the_own_leases_are_over_and_after_a_full_term(
    trader: OpenStream, postgres: PostgresServer, change: Change
) -> None:
    stream = trader()
    stream.until("lease")
    epoch = change()
    wait_for(lambda: len(settled(postgres, epoch)) >= 2)
    (waited, until, at), (waited_fully, _, _) = settled(postgres, epoch)[:2]
    # The leases of this hub under the older epoch are over by the database's clock too.
    assert until < at
    assert waited < waited_fully
    # By this process's clock a full term, one per cent and ten milliseconds have passed.
    assert waited_fully >= 0.515


def test_a_term_after_the_start_everything_is_settled(
    postgres: PostgresServer, change: Change, tmp_path: Path
) -> None:
    epoch = change()
    with postgres.connect() as conn:
        conn.execute("DELETE FROM feed_settled")
    web = WebServer(postgres.url, tmp_path / "log")
    wait_for(lambda: any(waited >= 0.515 for waited, _, _ in settled(postgres, epoch)))
    web.kill()
