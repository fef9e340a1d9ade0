"""The simulated venue, a process of its own: plays the tape of 2008, takes orders, and keeps a journal of
each.

It speaks lines of JSON over one loopback connection for each trader. A request is `{"id", "op", ...}`,
answered by `{"id", ...}`; each day's bar is pushed as `{"bar", "fills", "position", "profit", "first"}`, and `{"end":
true}` says that the last day has been played.

    hello ticker                              → ok: names the trader; the tape starts with the first
    place side quantity limit checked epoch   → order
    cancel [order]                            → cancelled
    close                                     → closed (shares)
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demo.exchange import Exchange, RejectedError
from demo.journal import Journal
from demo.prices import Bar, first_day, load
from demo.stdin import closed

Request = dict[str, Any]


class Venue:
    """One market, its traders' connections and its journal."""

    def __init__(
        self,
        tapes: dict[str, list[Bar]],
        journal: Journal,
        *,
        day_seconds: float,
        days: int | None,
        start: str = "",
    ) -> None:
        self.exchange = Exchange(tuple(tapes))
        self._tapes = tapes
        self._journal = journal
        self._day_seconds = day_seconds
        self._days = days
        self._played = 0
        # The tape begins with this day, and the next time with its own first.
        self._offset = first_day(tapes, start)
        # Of the last day that was played.
        self._date: str | None = None
        self._orders: Counter[str] = Counter()
        self._fills: Counter[str] = Counter()
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._opened = asyncio.Event()
        self._ended = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One trader's connection, until it hangs up."""
        ticker = ""
        try:
            while line := await reader.readline():
                request = json.loads(line)
                if request["op"] == "hello":
                    ticker = self._hello(request, writer)
                _send(writer, {"id": request["id"], **self._answer(ticker, request)})
                if self._ended and request["op"] == "hello":
                    # It came after the last day.
                    _send(writer, {"end": True})
                await writer.drain()
        except (ConnectionError, ValueError, KeyError) as error:
            self._journal.write("broken", client=ticker, error=repr(error))
        finally:
            if self._writers.get(ticker) is writer:
                del self._writers[ticker]
            writer.close()

    async def play(self) -> None:
        """One day after the other, from the first trader's arrival until the given number of days."""
        await self._opened.wait()
        length = len(next(iter(self._tapes.values())))
        while self._days is None or self._played < self._days:
            await asyncio.sleep(self._day_seconds)
            day = (self._offset + self._played) % length
            if day == 0 and self._played:
                self.exchange.end_year()
            for tape in self._tapes.values():
                self._play_day(tape[day], first=day == 0 or not self._played)
            self._played += 1
            self._date = next(iter(self._tapes.values()))[day].date
            self.note_totals()
        self._ended = True
        for writer in self._writers.values():
            _send(writer, {"end": True})

    def _play_day(self, bar: Bar, *, first: bool) -> None:
        fills = self.exchange.trade_day(bar)
        for fill in fills:
            self._journal.write("fill", client=bar.ticker, **asdict(fill))
            self._fills[bar.ticker] += 1
        if writer := self._writers.get(bar.ticker):
            account = self.exchange.accounts[bar.ticker]
            state = {"position": account.position, "profit": account.profit}
            _send(
                writer,
                {"bar": asdict(bar), "fills": [asdict(fill) for fill in fills], **state, "first": first},
            )

    def note_totals(self) -> None:
        """All of it since the start: the journal forgets its oldest part."""
        profits = {ticker: round(account.profit, 2) for ticker, account in self.exchange.accounts.items()}
        totals = {"profits": profits, "orders": self._orders, "fills": self._fills}
        self._journal.write("totals", played=self._played, date=self._date, **totals)

    def _hello(self, request: Request, writer: asyncio.StreamWriter) -> str:
        ticker = str(request["ticker"])
        if ticker not in self._tapes:
            raise ValueError(f"ticker must be one of {', '.join(self._tapes)}")
        self._writers[ticker] = writer
        self._opened.set()
        return ticker

    def _answer(self, ticker: str, request: Request) -> dict[str, Any]:
        operations: dict[str, Callable[[str, Request], dict[str, Any]]] = {
            "hello": lambda ticker, _request: {"ok": True, "day_seconds": self._day_seconds},
            "place": self._place,
            "cancel": self._cancel,
            "close": self._close,
        }
        if not ticker or request["op"] not in operations:
            return {"error": "op must be hello, and then one of place, cancel, close"}
        return operations[request["op"]](ticker, request)

    def _place(self, ticker: str, request: Request) -> dict[str, Any]:
        side, quantity, limit = str(request["side"]), int(request["quantity"]), float(request["limit"])
        noted = {"side": side, "quantity": quantity, "limit": limit}
        noted |= {"checked": request.get("checked"), "epoch": request.get("epoch")}
        # Noted before it is looked at: an order that should not have been sent counts, whether it is taken or
        # not.
        self._journal.write("order", client=ticker, **noted)
        self._orders[ticker] += 1
        try:
            order = self.exchange.place(ticker, side, quantity, limit)
        except RejectedError as refusal:
            return {"error": str(refusal)}
        return {"order": order.id}

    def _cancel(self, ticker: str, request: Request) -> dict[str, Any]:
        count = self.exchange.cancel(ticker, request.get("order"))
        self._journal.write("cancel", client=ticker, order=request.get("order"), count=count)
        return {"cancelled": count}

    def _close(self, ticker: str, _request: Request) -> dict[str, Any]:
        fill = self.exchange.close(ticker)
        if fill is None:
            return {"closed": 0}
        self._journal.write("close", client=ticker, side=fill.side, quantity=fill.quantity, price=fill.price)
        return {"closed": fill.quantity}


def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")


async def run(journal: Journal, *, day_seconds: float, days: int | None, start: str = "") -> None:
    """Serve on a free loopback port, said on standard output, until standard input closes."""
    venue = Venue(load(), journal, day_seconds=day_seconds, days=days, start=start)
    server = await asyncio.start_server(venue.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    tape = asyncio.create_task(venue.play())
    await closed(sys.stdin)
    tape.cancel()
    venue.note_totals()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="demo.venue", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--day-seconds", type=float, required=True)
    parser.add_argument("--days", type=int)
    parser.add_argument("--from", dest="start", default="")
    options = parser.parse_args()
    journal = Journal(options.journal)
    try:
        asyncio.run(run(journal, day_seconds=options.day_seconds, days=options.days, start=options.start))
    finally:
        journal.close()


if __name__ == "__main__":
    main()
