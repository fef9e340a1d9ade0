"""What a trader reports of its day: trades, signals, its money, its risks, and what its analyst cost."""

from collections.abc import Iterable, Mapping
from typing import Any

from opsclient.metrics import MetricsCollector

from demo.analyst import Call
from demo.book import Book, slippage_bps
from demo.watch import Signal

# An analysis whenever the strategy changes its side, and each so many days.
ANALYSIS_EVERY = 5
# The desk's cache of news: items that a trader looks up each day, of which an analysis finds this many that are new.
CACHE, NEWS, NEW = "redis", 40, 4
PROMPTS = "prompts"


class Telling:
    """One trader's figures. Nothing here waits for the console."""

    def __init__(self, ticker: str, metrics: MetricsCollector) -> None:
        self._ticker = ticker
        self._metrics = metrics
        self._book = Book()
        self._days = 0

    def placed(self, *, seconds: float, status: int) -> None:
        """The venue has answered an order."""
        self._metrics.record_api_request("POST", "/orders", str(status), seconds)

    def filled(self, fill: Mapping[str, Any], *, open_price: float, seconds: float | None) -> None:
        """An order was filled. Its reference is the day's open: what it would have paid without waiting. `seconds`: from order to fill."""
        side, price = str(fill["side"]), float(fill["price"])
        self._metrics.record_trade(
            self._ticker,
            side.upper(),
            slippage_bps=slippage_bps(side=side, price=price, reference=open_price),
            duration_seconds=seconds,
        )

    def closed(self, message: Mapping[str, Any]) -> None:
        """A day has ended, with what the venue says of the account."""
        bar = message["bar"]
        day = self._book.close(
            profit=message["profit"], position=message["position"], price=float(bar["close"])
        )
        self._metrics.update_portfolio(
            value_usd=day.value,
            daily_pnl_usd=day.profit,
            sharpe_ratio=day.sharpe,
            max_drawdown_pct=day.drawdown,
            concentration_pct={self._ticker: day.concentration},
            daily_loss_limit_used_pct=day.limit_used,
        )

    def looked(self, *, signal: Signal | None, yearly: float | None, breach: bool) -> bool:
        """The trader has looked at the day: its volatility, a share a year, and whether that has just passed its limit.

        Returns whether the day is to be analysed.
        """
        self._days += 1
        if signal is not None:
            self._metrics.record_signal(self._ticker, signal.side.upper(), confidence=signal.confidence)
        analyses = signal is not None or self._days % ANALYSIS_EVERY == 0
        new = NEW if analyses else 0
        self._metrics.record_cache(CACHE, hits=NEWS - new, misses=new)
        if yearly is not None:
            self._metrics.record_risk("volatility", min(100.0, 100 * yearly), ticker=self._ticker)
        if breach:
            self._metrics.record_volatility_breach(self._ticker)
        return analyses

    def analysed(self, calls: Iterable[Call]) -> None:
        """The analyst has made these calls, in this order; the last one decides."""
        last = None
        for last in calls:
            self._metrics.record_ai_call(
                last.provider,
                last.model,
                status=last.status,
                cost_usd=last.cost_usd,
                input_tokens=last.input_tokens,
                output_tokens=last.output_tokens,
                cached_tokens=last.cached_tokens,
            )
            if last.saved_usd:
                self._metrics.record_cache_savings(PROMPTS, last.saved_usd)
        if last is not None:
            self._metrics.record_analysis(last.provider, last.model)
