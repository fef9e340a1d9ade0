"""The venue as a process of its own: the conversation with a trader, its journal, and that it ends with its
parent.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo import journal
from demo.connection import VenueConnection, VenueError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "demo.venue",
        "--journal",
        str(tmp_path / "venue.jsonl"),
        "--day-seconds",
        "0.02",
    ]
    with subprocess.Popen(
        [*command, "--days", "8"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [record for record in journal.read(folder / "venue.jsonl") if record["kind"] == kind]


async def talk(port: int) -> list[dict[str, Any]]:
    connection = await VenueConnection.open(port)
    with pytest.raises(VenueError, match="hello"):
        await connection.call("place", side="buy", quantity=100, limit=500.0)
    await connection.call("hello", ticker="IBM")
    with pytest.raises(VenueError, match="quantity"):
        await connection.call("place", side="buy", quantity=0, limit=500.0)
    bought = await connection.call("place", side="buy", quantity=100, limit=500.0, checked=1, epoch=3)
    rests = await connection.call("place", side="buy", quantity=100, limit=0.01)
    pushed = []
    while (message := await connection.pushed()) is not None and "end" not in message:
        pushed.append(message)
    assert [fill["order"] for fill in pushed[0]["fills"]] == [bought["order"]]
    assert (await connection.call("cancel"))["cancelled"] == 1
    assert (await connection.call("cancel", order=rests["order"]))["cancelled"] == 0
    assert (await connection.call("close"))["closed"] == 100
    connection.close()
    return pushed


def test_a_trader_s_conversation(venue: subprocess.Popen[str], tmp_path: Path) -> None:
    pushed = asyncio.run(asyncio.wait_for(talk(port_of(venue)), 20))
    assert [message["position"] for message in pushed] == [100] * 8
    assert [message["first"] for message in pushed] == [True] + [False] * 7
    assert pushed[0]["bar"]["date"] == "2008-06-02"
    # An order that the venue turned down is noted all the same.
    assert [(noted["quantity"], noted["epoch"]) for noted in records(tmp_path, "order")] == [
        (0, None),
        (100, 3),
        (100, None),
    ]
    assert [noted["played"] for noted in records(tmp_path, "totals")] == list(range(1, 9))
    assert records(tmp_path, "totals")[-1]["orders"] == {"IBM": 3}
    assert records(tmp_path, "totals")[-1]["fills"] == {"IBM": 1}
    assert [noted["quantity"] for noted in records(tmp_path, "close")] == [100]
    boots = [record["boot"] for record in journal.read(tmp_path / "venue.jsonl")]
    assert boots == sorted(boots)


def test_who_comes_after_the_last_day_is_told_at_once(venue: subprocess.Popen[str]) -> None:
    port = port_of(venue)

    async def come(ticker: str) -> list[dict[str, Any]]:
        connection = await VenueConnection.open(port)
        await connection.call("hello", ticker=ticker)
        pushed = []
        while (message := await connection.pushed()) is not None:
            pushed.append(message)
            if "end" in message:
                break
        connection.close()
        return pushed

    assert len(asyncio.run(asyncio.wait_for(come("IBM"), 20))) == 9
    assert asyncio.run(asyncio.wait_for(come("AAPL"), 20)) == [{"end": True}]


def test_it_ends_when_its_parent_is_gone(venue: subprocess.Popen[str]) -> None:
    port_of(venue)
    assert venue.stdin is not None
    venue.stdin.close()
    assert venue.wait(10) == 0


def test_the_journal_keeps_one_older_part_and_skips_a_line_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "venue.jsonl"
    written = journal.Journal(path, rotate_at=2_000)
    for number in range(100):
        written.write("totals", played=number)
    written.close()
    with path.open("ab") as file:
        file.write(b'{"kind": "tot')
    kept = [record["played"] for record in journal.read(path)]
    assert kept == list(range(kept[0], 100))
    assert path.stat().st_size + journal.older(path).stat().st_size < 5_000
