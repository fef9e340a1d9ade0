"""What a trader asks of others: prices, filings, analyses and its database, each through its circuit breaker."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from opsclient.circuit_breaker import CircuitBreakerManager, CircuitBreakerOpenError, CircuitConfig

from demo.analyst import Call, billed, failed
from demo.store import Store
from demo.wire import ServiceError, ask

P = ParamSpec("P")
T = TypeVar("T")

# As the guide has it, but for the open time: a day of 2008 takes half a second here.
OPEN_S = 5.0
CONFIG = CircuitConfig(
    failure_threshold=5,
    success_threshold=2,
    timeout_seconds=OPEN_S,
    window_size=20,
    minimum_number_of_calls=10,
    slow_call_rate_threshold=50,
    slow_call_duration_seconds=1.0,
    deadline_seconds=3.0,
)
# Nobody gave the call, or its answer cannot be used.
AWAY = (CircuitBreakerOpenError, ServiceError, OSError, sqlite3.Error)
CLAUDE = "anthropic"


class Services:
    """Of one ticker's trader. What cannot be had is None: the breakers log why."""

    def __init__(self, ticker: str, manager: CircuitBreakerManager, *, port: int, store: Store) -> None:
        self._ticker = ticker
        self._port = port
        self._store = store
        self._yahoo = manager.create_breaker("yahoo_finance", CONFIG)
        self._edgar = manager.create_breaker("sec_edgar", CONFIG)
        self._claude = manager.create_breaker("claude_api", CONFIG)
        self._database = manager.create_breaker("database", CONFIG)

    async def close_of(self, date: str) -> float | None:
        """The day's close, USD a share. None: Yahoo Finance does not answer."""
        try:
            return await self._yahoo.call(self._fetch_close, date)
        except AWAY:
            return None

    async def keep(self, date: str, close: float) -> None:
        """Remember a close."""
        await self._stored(self._store.keep, self._ticker, date, close)

    async def cached_day(self, until: str) -> str | None:
        """The latest day up to this one whose close is at hand without Yahoo Finance."""
        return await self._stored(self._store.latest, self._ticker, until=until)

    async def filings(self, date: str) -> list[str] | None:
        """The days on which something was filed, until this one."""
        try:
            found = await self._edgar.call(
                ask, self._port, "GET", f"/submissions/{self._ticker}.json?date={date}"
            )
            return [str(day) for day in found["filings"]["recent"]["filingDate"]]
        except (*AWAY, KeyError, TypeError):
            return None

    async def analysis(self, model: str, date: str, filed: int) -> Call | None:
        """One call of Claude, with what it cost. None: it was not made, since too many have failed."""
        question = {
            "role": "user",
            "content": f"{self._ticker} {date} with {filed} filings. Buy, hold or sell?",
        }
        body = {"model": model, "max_tokens": 1000, "messages": [question]}
        try:
            said = await self._claude.call(ask, self._port, "POST", "/v1/messages", body)
            usage = said["usage"]
            return billed(
                CLAUDE,
                model,
                input_tokens=usage["input_tokens"],
                cached_tokens=usage["cache_read_input_tokens"],
                output_tokens=usage["output_tokens"],
            )
        except CircuitBreakerOpenError:
            return None
        except (*AWAY, KeyError, TypeError):
            return failed(CLAUDE, model)

    async def _fetch_close(self, date: str) -> float:
        found = await ask(self._port, "GET", f"/v8/finance/chart/{self._ticker}?date={date}")
        try:
            return float(found["chart"]["result"][0]["indicators"]["quote"][0]["close"][0])
        except (KeyError, IndexError, TypeError, ValueError):
            raise ServiceError("Yahoo Finance answered with what is no price") from None

    async def _stored(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        async def call() -> T:
            return await asyncio.to_thread(function, *args, **kwargs)

        try:
            return await self._database.call(call)
        except AWAY:
            return None
