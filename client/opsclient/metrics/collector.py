"""What a trading process records: its trades, signals, portfolio, AI calls, requests, risks and caches."""

from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from opsclient.metrics import table
from opsclient.metrics.base import Base
from opsclient.metrics.series import Series
from opsclient.metrics.table import Kind
from opsclient.metrics.tally import bucket_of
from opsclient.metrics.values import label, number

WHOLE_PORTFOLIO = "all"
MOST_TRADED = 10_000  # combinations of ticker, side and status that are found without a check of each


class MetricsCollector(Base):
    """Counts in the process, and tells the console once a second, from a thread of its own.

        metrics = MetricsCollector()
        metrics.record_trade("AAPL", "BUY", slippage_bps=1.8, duration_seconds=0.04)

    The console is the one that console_url and token name (default: `console`, else this process' OpsConsole, else OPSCLIENT_URL
    and OPSCLIENT_TOKEN). client: the name of this process, default that of its OpsConsole, or OPSCLIENT_NAME. verify: CA
    certificates for https. spool_dir: where batches wait on the disk while the console is away (default: OPSCLIENT_SPOOL_DIR, else a
    folder of the user's), at most spool_batches of them and spool_bytes. When it is full the oldest are merged: no count is lost.

    Every method may be called from any thread, and in an event loop: it changes a number in memory and does nothing else. What happens
    to the console never raises. Arguments that are wrong raise ValueError at once. Raises ConfigurationError at construction.
    """

    def _begin(self) -> None:
        super()._begin()
        self._traded: dict[tuple[str, str, str], tuple[Series, Series, Series]] = {}
        self._held: set[Series] = set()

    def record_trade(
        self,
        ticker: str,
        side: str,
        status: str = "filled",
        slippage_bps: float | None = None,
        duration_seconds: float | None = None,
    ) -> None:
        """A trade. side: BUY or SELL. slippage_bps: positive is worse than expected. duration_seconds: from the order to its execution."""
        try:
            trades, slippage, execution = self._traded[ticker, side, status]
        except (KeyError, TypeError):
            trades, slippage, execution = self._trade_series(ticker, side, status)
        if slippage_bps is not None:
            slippage_bps = number("slippage_bps", slippage_bps)
            slippage_bucket = bucket_of(slippage, slippage_bps)
        if duration_seconds is not None:
            duration_seconds = number("duration_seconds", duration_seconds, 0)
            execution_bucket = bucket_of(execution, duration_seconds)
        with self._tally.lock:
            pending = self._tally.pending
            pending.inc(trades, 1)
            if slippage_bps is not None:
                pending.observe(slippage, slippage_bps, slippage_bucket)
            if duration_seconds is not None:
                pending.observe(execution, duration_seconds, execution_bucket)

    def record_signal(self, ticker: str, signal: str, confidence: float | None = None) -> None:
        """A strategy's signal, such as BUY; confidence: from 0 to 1."""
        signals = self._book.get(table.SIGNALS, ticker, signal)
        if confidence is not None:
            confidence = number("confidence", confidence, 0, 1)
            self._observe(self._book.get(table.CONFIDENCE, signal), confidence)
        self._inc(signals, 1)

    def record_ai_call(
        self,
        provider: str,
        model: str,
        status: str = "success",
        cost_usd: float = 0,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached_tokens: int = 0,
    ) -> None:
        """A call of an AI service, with its cost in USD."""
        calls = self._book.get(table.AI_CALLS, provider, model, status)
        cost = number("cost_usd", cost_usd, 0)
        used = {
            "input": number("input_tokens", input_tokens, 0),
            "output": number("output_tokens", output_tokens, 0),
            "cached": number("cached_tokens", cached_tokens, 0),
        }
        self._inc(calls, 1)
        self._inc(self._book.get(table.AI_COST, provider, model), cost)
        for kind, tokens in used.items():
            if tokens:
                self._inc(self._book.get(table.AI_TOKENS, provider, model, kind), tokens)

    def record_analysis(self, provider: str, model: str) -> None:
        """An analysis that was made with an AI service, in however many calls."""
        self._inc(self._book.get(table.AI_ANALYSES, provider, model), 1)

    def record_api_request(
        self, method: str, endpoint: str, status: str | int, duration_seconds: float
    ) -> None:
        """A request to an API. endpoint: without ids and parameters, so that there are few of them. status: such as 200."""
        duration = number("duration_seconds", duration_seconds, 0)
        status = label("status", status)
        requests = self._book.get(table.API_REQUESTS, method, endpoint, status)
        self._observe(self._book.get(table.API_DURATION, method, endpoint, status), duration)
        self._inc(requests, 1)

    def time_api_request(self, method: str, endpoint: str) -> "ApiRequest":
        """Measures a request: `with metrics.time_api_request("GET", "/orders") as request: …; request.status = 404`."""
        return ApiRequest(self, label("method", method), label("endpoint", endpoint))

    def update_portfolio(
        self,
        value_usd: float | None = None,
        daily_pnl_usd: float | None = None,
        sharpe_ratio: float | None = None,
        max_drawdown_pct: float | None = None,
        concentration_pct: Mapping[str, float] | None = None,
        daily_loss_limit_used_pct: float | None = None,
    ) -> None:
        """How the portfolio stands; what is left out stays as it was. Sent at once, without waiting for it.

        concentration_pct: each ticker's share in percent, of all positions: one that was there before and is missing now is 0.
        """
        given = {
            "value_usd": (table.VALUE, value_usd),
            "daily_pnl_usd": (table.DAILY_PNL, daily_pnl_usd),
            "sharpe_ratio": (table.SHARPE, sharpe_ratio),
            "max_drawdown_pct": (table.DRAWDOWN, max_drawdown_pct),
            "daily_loss_limit_used_pct": (table.LOSS_LIMIT, daily_loss_limit_used_pct),
        }
        values = {
            self._book.get(metric): number(field, value)
            for field, (metric, value) in given.items()
            if value is not None
        }
        if concentration_pct is not None:
            values |= self._concentration(concentration_pct)
        with self._tally.lock:
            self._tally.pending.gauges.update(values)
        self._desk.hurry()

    def record_risk(self, risk_type: str, score: float, ticker: str = "") -> None:
        """A risk score from 0 to 100; without a ticker that of the whole portfolio."""
        self._set(self._book.get(table.RISK, risk_type, ticker or WHOLE_PORTFOLIO), number("score", score))

    def record_cache(self, cache_type: str, hits: int, misses: int) -> None:
        """Look-ups in a cache. The hit rate is that of all that are told within the same second; without any look-up it stays."""
        hits_more, misses_more = number("hits", hits, 0), number("misses", misses, 0)
        series = self._book.get(table.CACHE_HIT_RATE, cache_type)
        if hits_more + misses_more > 0:
            with self._tally.lock:
                self._tally.pending.look_up(series, hits_more, misses_more)

    def record_cache_savings(self, cache_type: str, usd: float) -> None:
        """What answers from a cache have saved, in USD."""
        self._inc(self._book.get(table.CACHE_SAVINGS, cache_type), number("usd", usd, 0))

    def record_volatility_breach(self, ticker: str) -> None:
        """A limit of volatility was passed."""
        self._inc(self._book.get(table.VOLATILITY, ticker), 1)

    def inc(self, name: str, value: float = 1, /, **labels: str | int) -> None:
        """Add to a counter, by the names of the console's catalogue."""
        self._inc(self._book.find(name, Kind.COUNTER, labels), number("value", value, 0))

    def set(self, name: str, value: float, /, **labels: str | int) -> None:
        """Set a gauge."""
        self._set(self._book.find(name, Kind.GAUGE, labels), number("value", value))

    def observe(self, name: str, value: float, /, **labels: str | int) -> None:
        """Add an observation to a histogram."""
        self._observe(self._book.find(name, Kind.HISTOGRAM, labels), number("value", value))

    def _inc(self, series: Series, value: float) -> None:
        with self._tally.lock:
            self._tally.pending.inc(series, value)

    def _set(self, series: Series, value: float) -> None:
        with self._tally.lock:
            self._tally.pending.gauges[series] = value

    def _observe(self, series: Series, value: float) -> None:
        bucket = bucket_of(series, value)
        with self._tally.lock:
            self._tally.pending.observe(series, value, bucket)

    def _trade_series(self, ticker: Any, side: Any, status: Any) -> tuple[Series, Series, Series]:
        found = (
            self._book.get(table.TRADES, ticker, _upper(side), status),
            self._book.get(table.SLIPPAGE, ticker),
            self._book.get(table.EXECUTION, ticker),
        )
        if len(self._traded) < MOST_TRADED:
            self._traded[ticker, side, status] = found
        return found

    def _concentration(self, shares: Mapping[str, float]) -> dict[Series, float]:
        try:
            pairs = list(shares.items())
        except AttributeError:
            raise ValueError(
                f"concentration_pct must be a mapping of ticker to percent, not {shares!r:.40}"
            ) from None
        values = {
            self._book.get(table.CONCENTRATION, ticker): number(f"concentration_pct[{ticker!r:.40}]", share)
            for ticker, share in pairs
        }
        gone = dict.fromkeys(self._held - values.keys(), 0.0)
        self._held = set(values)
        return {**gone, **values}


class ApiRequest:
    """One request that is measured. `status`: 200 if nothing else is set; `error` if the request raises before one is."""

    def __init__(self, collector: MetricsCollector, method: str, endpoint: str) -> None:
        self._collector, self._method, self._endpoint = collector, method, endpoint
        self._status: str | None = None
        self._began = 0.0

    @property
    def status(self) -> str | None:
        """Of the answer; None while none is set."""
        return self._status

    @status.setter
    def status(self, value: str | int) -> None:
        self._status = label("status", value)

    def __enter__(self) -> Self:
        self._began = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = perf_counter() - self._began
        status = self._status or ("200" if kind is None else "error")
        self._collector.record_api_request(self._method, self._endpoint, status, seconds)


def _upper(side: Any) -> Any:
    """Sides in small letters are taken too."""
    return str.__str__(side).upper() if isinstance(side, str) else side
