"""What the desk needs of the world outside, as a process of its own on loopback: Yahoo Finance, SEC EDGAR and Claude's API.

They answer from the tape of 2008, the same each time, and fail on demand; so does the traders' database, whose file is locked then.

    GET  /v8/finance/chart/AAPL?date=2008-09-29   → the day's prices (Yahoo Finance)
    GET  /submissions/AAPL.json?date=…            → what was filed until then (SEC EDGAR)
    POST /v1/messages model, messages             → what the call used (Claude's API)
    POST /control {break, seconds}, {heal} or {}  → said: for the demo alone, by its token
"""

import argparse
import asyncio
import os
import socket
import sqlite3
import struct
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo import failures
from demo.analyst import calls_of
from demo.failures import LONGEST_S, SERVICES, Failure, known, parse
from demo.prices import Bar, load
from demo.stdin import closed
from demo.wire import HOST, Request, ServiceError, answer, receive

SLOW_S = 1.5
# How long a lock on the database may wait for whoever writes at that moment.
LOCK_S = 5.0
# A company's quarterly report comes in these months.
QUARTERS = ("02", "05", "08", "11")
PREFIXES = {"v8": "yahoo_finance", "submissions": "sec_edgar", "v1": "claude_api"}
# Closing with this option set tells the other side by a reset.
RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class _Failing:
    kind: str
    timer: asyncio.TimerHandle
    # Set when it works again: whoever hangs is let go.
    over: asyncio.Event = field(default_factory=asyncio.Event)
    # Holds the database's lock.
    lock: sqlite3.Connection | None = None


class Outside:
    """The services, and which of them fail at the moment. Used from one event loop."""

    def __init__(self, tapes: dict[str, list[Bar]], *, database: Path, token: str) -> None:
        self._bars = {(bar.ticker, bar.date): bar for tape in tapes.values() for bar in tape}
        self._dates = [bar.date for bar in next(iter(tapes.values()))]
        self._database = database
        self._token = token
        self._failing: dict[str, _Failing] = {}

    def break_(self, failure: Failure, seconds: float) -> None:
        """Let it fail from now on, for so long. Raises sqlite3.Error when the database cannot be locked."""
        self.heal(failure.service)
        lock = _lock(self._database) if failure.service == "database" else None
        timer = asyncio.get_running_loop().call_later(seconds, self.heal, failure.service)
        self._failing[failure.service] = _Failing(failure.kind, timer, lock=lock)
        print(f"outside: {failure} for {seconds:g} s", file=sys.stderr, flush=True)

    def heal(self, service: str) -> None:
        """Let it work again, if it does not."""
        failing = self._failing.pop(service, None)
        if failing is None:
            return
        failing.timer.cancel()
        failing.over.set()
        if failing.lock is not None:
            failing.lock.close()
        print(f"outside: {service} works again", file=sys.stderr, flush=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, hence one request."""
        try:
            request = await receive(reader)
            service = PREFIXES.get(request.path.split("/")[1] if "/" in request.path else "", "")
            if await self._fails(service, writer):
                return
            writer.write(answer(*self._answer(service, request)))
            await writer.drain()
        except (OSError, ServiceError):
            pass  # whoever asked has gone, or speaks something else
        finally:
            writer.close()

    async def _fails(self, service: str, writer: asyncio.StreamWriter) -> bool:
        failing = self._failing.get(service)
        if failing is None:
            return False
        match failing.kind:
            case failures.SLOW:
                await _wait(failing.over, SLOW_S)
                return False
            case failures.ERRORS:
                writer.write(answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "out of order"}))
                await writer.drain()
            case failures.HANGS:
                await failing.over.wait()
                _reset(writer)
            case _:
                _reset(writer)
        return True

    def _answer(self, service: str, request: Request) -> tuple[HTTPStatus, dict[str, Any]]:
        parts = urlsplit(request.path)
        name = parts.path.rpartition("/")[2].removesuffix(".json")
        date = parse_qs(parts.query).get("date", [""])[0]
        match service:
            case "yahoo_finance":
                return self._chart(name, date)
            case "sec_edgar":
                return self._filings(name, date)
            case "claude_api":
                return _message(request.body)
        if parts.path == "/control" and request.method == "POST":
            return self._control(request)
        return HTTPStatus.NOT_FOUND, {"error": f"there is no {parts.path}"}

    def _chart(self, ticker: str, date: str) -> tuple[HTTPStatus, dict[str, Any]]:
        bar = self._bars.get((ticker, date))
        if bar is None:
            return HTTPStatus.NOT_FOUND, {"error": f"no prices of {ticker} on {date}"}
        names = ("open", "high", "low", "close", "volume")
        quote = {name: [getattr(bar, name)] for name in names}
        result = {"meta": {"symbol": ticker, "currency": "USD"}, "indicators": {"quote": [quote]}}
        return HTTPStatus.OK, {"chart": {"result": [result], "error": None}}

    def _filings(self, ticker: str, date: str) -> tuple[HTTPStatus, dict[str, Any]]:
        """A quarterly report on the first trading day of its month."""
        firsts = {day[:7]: day for day in reversed(self._dates) if day[5:7] in QUARTERS and day <= date}
        filed = sorted(firsts.values())
        recent = {"form": ["10-Q"] * len(filed), "filingDate": filed}
        return HTTPStatus.OK, {"tickers": [ticker], "filings": {"recent": recent}}

    def _control(self, request: Request) -> tuple[HTTPStatus, dict[str, Any]]:
        if request.token != self._token:
            return HTTPStatus.FORBIDDEN, {"error": "the demo's token is needed"}
        try:
            return HTTPStatus.OK, {"said": self._do(request.body)}
        except (ValueError, sqlite3.Error) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _do(self, body: dict[str, Any]) -> str:
        if "break" in body:
            failure, seconds = parse(str(body["break"])), float(body["seconds"])
            if not 0 < seconds <= LONGEST_S:
                raise ValueError(f"seconds must lie between 0 and {LONGEST_S:g}")
            self.break_(failure, seconds)
            return f"{failure} for {seconds:g} s"
        if "heal" not in body:
            return (
                ", ".join(f"{Failure(name, one.kind)}" for name, one in self._failing.items()) or "all works"
            )
        service = str(body["heal"])
        for name in [known(service)] if service else list(self._failing):
            self.heal(name)
        return f"{service or 'Every service'} works"


def _message(body: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
    """Claude's answer, with what it used. The question names ticker and date."""
    try:
        ticker, date = str(body["messages"][0]["content"]).split()[:2]
        call = next(call for call in calls_of(ticker, date) if call.model == body["model"])
    except (KeyError, IndexError, TypeError, ValueError, StopIteration):
        return HTTPStatus.BAD_REQUEST, {"error": "the first message must name a ticker and a date"}
    if call.status != "success":
        return HTTPStatus.SERVICE_UNAVAILABLE, {"error": "overloaded"}
    usage = {
        "input_tokens": call.input_tokens,
        "cache_read_input_tokens": call.cached_tokens,
        "output_tokens": call.output_tokens,
    }
    return HTTPStatus.OK, {
        "model": call.model,
        "content": [{"type": "text", "text": "Hold."}],
        "usage": usage,
    }


def _lock(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=LOCK_S, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def run(outside: Outside) -> None:
    """Serve on a free loopback port, said on standard output, until standard input closes."""
    server = await asyncio.start_server(outside.serve, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await closed(sys.stdin)
    server.close()
    for service in SERVICES:
        outside.heal(service)


def main() -> None:
    parser = argparse.ArgumentParser(prog="demo.outside", description="The services outside of the desk.")
    parser.add_argument("--database", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(run(Outside(load(), database=options.database, token=os.environ["DEMO_CONTROL_TOKEN"])))


if __name__ == "__main__":
    main()
