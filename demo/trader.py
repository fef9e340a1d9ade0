"""One trading process: follows the console, trades one ticker on the simulated venue, and asks before each
order.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from opsclient import KillSwitch, OpsConsole
from opsclient.circuit_breaker import CircuitBreakerManager
from opsclient.metrics import MetricsCollector
from opsclient.smart_alerts import AlertResult, SmartAlertManager

from demo.analyst import calls_of
from demo.clock import boot_ns
from demo.connection import Message, VenueConnection, VenueError
from demo.services import CLAUDE, Services
from demo.stdin import closed
from demo.store import Store
from demo.strategy import Momentum, Quote
from demo.telling import Telling
from demo.watch import Signal, Watch

# A trader has little time to end in (demo.processes.GRACE); what it cannot tell by then stays in its spool.
LAST_ALERTS_S = 0.2
# As an HTTP interface of a venue would answer an order.
TAKEN, REFUSED = 201, 422
# A day for which no price has come by then is left out: there are newer ones to ask for.
LATE_DAYS = 20

logger = logging.getLogger(__name__)


class Trader:
    """The strategy, its orders at the venue, and what the kill switch may ask of them."""

    def __init__(
        self,
        ticker: str,
        venue: VenueConnection,
        kill_switch: KillSwitch,
        alerts: SmartAlertManager,
        telling: Telling,
        services: Services,
        *,
        day_seconds: float,
    ) -> None:
        self._ticker = ticker
        self._venue = venue
        self._kill_switch = kill_switch
        self._alerts = alerts
        self._telling = telling
        self._services = services
        self._strategy = Momentum()
        self._watch = Watch(window=self._strategy.window)
        # The day's orders are spread over the day, so that a stop finds the process at work.
        self._pause = day_seconds / (self._strategy.lots + 1)
        # When each was placed.
        self._open: dict[int, int] = {}
        self._position = 0
        self._last_order = ""
        self._day = 0
        # The day before; and how many days in a row there was no price.
        self._yesterday = ""
        self._unpriced = 0
        # Days are looked at in their order, whatever the answers take.
        self._turn = asyncio.Lock()
        # Kept, since the event loop holds its tasks only weakly.
        self._work: set[asyncio.Task[None]] = set()
        self._warning: AlertResult | None = None

    async def run(self) -> None:
        """Trade until the tape ends or the venue hangs up."""
        while (message := await self._venue.pushed()) is not None and "end" not in message:
            self._start_day(message)

    async def on_kill_switch_activate(self, _reason: str, _message: str, _metadata: dict[str, Any]) -> None:
        await self.cancel_all_orders()

    async def cancel_all_orders(self) -> dict[str, int]:
        answer = await self._venue.call("cancel")
        self._open.clear()
        return {"cancelled": answer["cancelled"], "left": 0, "unknown": 0}

    async def close_positions(self) -> dict[str, int]:
        await self.cancel_all_orders()
        answer = await self._venue.call("close")
        self._position = 0
        return {"cancelled": 1 if answer["closed"] else 0, "left": 0, "unknown": 0}

    def exposure(self) -> dict[str, Any]:
        """What this process has at the venue, for the console."""
        positions = {self._ticker: self._position} if self._position else {}
        return {"open_orders": len(self._open), "positions": positions, "last_order": self._last_order}

    def _start_day(self, message: Message) -> None:
        self._day += 1
        if message["first"]:
            self._open.clear()
        for fill in message["fills"]:
            placed = self._open.pop(fill["order"], None)
            seconds = None if placed is None else (boot_ns() - placed) / 1e9
            self._telling.filled(fill, open_price=message["bar"]["open"], seconds=seconds)
        self._position = message["position"]
        self._telling.closed(message)
        self._start(self._trade_day(self._day, message))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _trade_day(self, day: int, message: Message) -> None:
        """Ask for the day's price, and trade on it. Without one, nothing is ordered."""
        date = message["bar"]["date"]
        async with self._turn:
            close = await self._services.close_of(date) if self._day - day <= LATE_DAYS else None
            quotes = self._look(message, close)
            yesterday, self._yesterday = self._yesterday, date
            is_cached = quotes is None and await self._services.cached_day(date) == (yesterday or None)
        if quotes is not None and close is not None:
            self._start(self._services.keep(date, close))
            await self._trade(day, quotes)
        elif self._open and not is_cached:
            # What rests at the venue was priced by what nobody knows to be true any more.
            with contextlib.suppress(VenueError):
                await self.cancel_all_orders()

    def _look(self, message: Message, close: float | None) -> list[Quote] | None:
        """The day's orders. None: there is no price."""
        if message["first"]:
            self._forget()
        if close is None:
            self._note_price(None, message)
            self._after(message, signal=None, breach=False)
            return None
        if self._unpriced > self._strategy.window:
            self._forget()
        self._note_price(close, message)
        self._tell(message, close)
        return self._strategy.decide(close, self._position)

    def _forget(self) -> None:
        self._strategy.forget()
        self._watch.forget()

    def _note_price(self, close: float | None, message: Message) -> None:
        date = message["bar"]["date"]
        if close is None and not self._unpriced:
            logger.warning("there is no price of %s: nothing is ordered", date)
        elif close is not None and self._unpriced:
            logger.warning("there are prices again, from %s on", date)
        self._unpriced = 0 if close is not None else self._unpriced + 1

    def _tell(self, message: Message, close: float) -> None:
        """Raise what people should know of the day. Inside the event loop none of it waits for the console."""
        self._watch.close(close)
        signal = self._watch.signal()
        if signal is not None:
            details = {"close": signal.close, "average": signal.average}
            self._alerts.alert_trading_signal_sync(
                self._ticker, signal.side.upper(), signal.confidence, details
            )
        if (volatility := self._watch.volatility()) is not None:
            said = f"{self._watch.days}-day volatility {volatility.yearly:.0%} a year, limit {self._watch.limit:.0%}"
            if volatility.over:
                score = min(1.0, volatility.yearly)
                self._warning = self._alerts.alert_risk_warning_sync(self._ticker, "volatility", score, said)
            elif self._warning is not None:
                self._alerts.resolve_sync(self._warning, said)
        self._after(message, signal=signal, breach=volatility is not None and volatility.over)

    def _after(self, message: Message, *, signal: Signal | None, breach: bool) -> None:
        if self._telling.looked(signal=signal, yearly=self._watch.yearly(), breach=breach):
            self._start(self._analyse(message["bar"]["date"]))

    async def _analyse(self, date: str) -> None:
        """The day's analysis, beside trading: of the filings, by the calls that the analyst makes."""
        filed = await self._services.filings(date) or []
        made = [
            await self._services.analysis(call.model, date, len(filed)) if call.provider == CLAUDE else call
            for call in calls_of(self._ticker, date)
        ]
        self._telling.analysed([call for call in made if call is not None])

    async def _trade(self, day: int, quotes: list[Quote]) -> None:
        """Replace the resting orders. Gives way to the next day between two requests, never within one."""
        if not self._kill_switch.is_trading_allowed(reduce_only=True):
            return
        with contextlib.suppress(VenueError):  # run() hears of a hang-up by itself
            for order in list(self._open):
                await self._venue.call("cancel", order=order)
                self._open.pop(order, None)
            for quote in quotes:
                if self._day != day:
                    return
                await self._place(quote)
                await asyncio.sleep(self._pause)

    async def _place(self, quote: Quote) -> None:
        checked = boot_ns()
        # The position is never short, so a sale only ever reduces it.
        if not self._kill_switch.is_trading_allowed(reduce_only=quote.side == "sell"):
            return
        order = {"side": quote.side, "quantity": quote.quantity, "limit": quote.limit}
        try:
            answer = await self._venue.call("place", **order, checked=checked, epoch=self._kill_switch.epoch)
        except VenueError:
            self._telling.placed(seconds=(boot_ns() - checked) / 1e9, status=REFUSED)
            raise
        self._telling.placed(seconds=(boot_ns() - checked) / 1e9, status=TAKEN)
        self._open[answer["order"]] = checked
        self._last_order = f"{quote.side} {quote.quantity} {self._ticker} @ {quote.limit:.2f}"


async def trade(ticker: str, port: int, *, services: int, database: Path) -> None:
    """Connect to the venue on `port` and to the console that the environment names; trade until standard
    input closes. `services`: the port of demo.outside.
    """
    venue = await VenueConnection.open(port)
    answer = await venue.call("hello", ticker=ticker)
    scopes = (f"symbol:{ticker}", "strategy:momentum", "account:main", "venue:sim")
    with OpsConsole(
        os.environ["OPSCLIENT_URL"], token=os.environ["OPSCLIENT_TOKEN"], name=ticker, scopes=scopes
    ) as console:
        alerts = SmartAlertManager(console=console)
        kill_switch = KillSwitch(console=console, alert_manager=alerts)
        metrics = MetricsCollector(console=console)
        telling = Telling(ticker, metrics)
        breakers = CircuitBreakerManager(alert_manager=alerts)
        outside = Services(ticker, breakers, port=services, store=Store(database))
        trader = Trader(
            ticker, venue, kill_switch, alerts, telling, outside, day_seconds=answer["day_seconds"]
        )
        kill_switch.register_on_activate(trader.on_kill_switch_activate)
        kill_switch.register_cancel_orders(trader.cancel_all_orders)
        kill_switch.register_close_positions(trader.close_positions)
        kill_switch.register_exposure(trader.exposure)
        tasks = [asyncio.create_task(trader.run()), asyncio.create_task(closed(sys.stdin))]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        with contextlib.suppress(VenueError):
            await trader.cancel_all_orders()
        for task in tasks:
            task.cancel()
        alerts.close(timeout=LAST_ALERTS_S)
        metrics.close(timeout=LAST_ALERTS_S)
    venue.close()
    for task in done:
        task.result()  # raises what went wrong, if anything did


def main() -> None:
    parser = argparse.ArgumentParser(prog="demo.trader", description=__doc__)
    parser.add_argument("ticker")
    parser.add_argument("--port", type=int, required=True, help="the venue's")
    parser.add_argument("--services", type=int, required=True, help="the port of demo.outside")
    parser.add_argument("--database", type=Path, required=True)
    options = parser.parse_args()
    # The client says what happens: stopped, by whom and why; trading again; no contact.
    logging.basicConfig(format=f"{options.ticker}: %(message)s", level=logging.WARNING)
    asyncio.run(trade(options.ticker, options.port, services=options.services, database=options.database))


if __name__ == "__main__":
    main()
