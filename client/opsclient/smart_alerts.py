"""Alerts of a trading process: told to the console, which decides, delivers, and can always say why.

    alert_manager = SmartAlertManager(telegram_bot=telegram_bot, slack_client=slack_client)
    await alert_manager.alert_critical_error(error="Database connection lost", details={"retry_count": 3})

Whoever raises an alert is never held up: an answer is waited for two seconds at most, then the alert waits in the spool.
"""

from collections.abc import Mapping
from typing import Any

from opsclient.alerts import kinds
from opsclient.alerts.alert import Alert, make
from opsclient.alerts.choices import AlertCategory, AlertDecision, AlertPriority
from opsclient.alerts.manager import Manager
from opsclient.alerts.result import AlertResult, RuleUpdate
from opsclient.alerts.rules import AlertRule

__all__ = [
    "AlertCategory",
    "AlertDecision",
    "AlertPriority",
    "AlertResult",
    "AlertRule",
    "RuleUpdate",
    "SmartAlertManager",
]

Details = Mapping[str, Any] | None
Labels = Mapping[str, object] | None


class SmartAlertManager(Manager):
    """Raises alerts with the console, and keeps them while it is away.

    The console is `console`, else this process' OpsConsole, else the one that OPSCLIENT_URL and OPSCLIENT_TOKEN name. It
    decides: every method returns its decision as an AlertResult, which is true if somebody was told. Without a console
    nothing is sent, and the result says so.

    telegram_bot, slack_client: through which a CRITICAL alert goes at once while the console cannot be reached. Objects of
    python-telegram-bot and slack_sdk, plain or asynchronous, or any function of one text; telegram_chat_id and
    slack_channel (or OPSCLIENT_TELEGRAM_CHAT_ID, OPSCLIENT_SLACK_CHANNEL) say where to.
    quiet_hours_start, quiet_hours_end: hours of the day, 0–23. The console's rules hold them; others than its first 22 and 7 are
    asked for as by `update_rule`.
    name: of this process, default that of its OpsConsole, or OPSCLIENT_NAME. spool_dir: where alerts wait on the disk (default:
    OPSCLIENT_SPOOL_DIR, else a folder of the user's), at most spool_alerts of them and spool_bytes; when it is full the
    oldest of the least urgent go, and the console is told how many. wait_s: how long an alert waits for its decision.

    Each `…_sync` is for code without an event loop; called inside a running one it does not wait for the decision.
    Raises ConfigurationError, which names the argument or the variable; a method that raises an alert does so only for an
    unknown category or priority.
    """

    async def send_alert(
        self,
        category: AlertCategory | str,
        message: object,
        priority: AlertPriority | str | None = None,
        title: object = None,
        labels: Labels = None,
        details: Details = None,
        force: bool = False,
        dedupe_key: str | None = None,
    ) -> AlertResult:
        """Raise an alert. Without a priority it has that of its category's rule.

        Category, title (default: the message's first line) and labels say which alert it is, or `dedupe_key` in their place:
        the same within the dedupe window is sent once. So what changes belongs into the details. force: past every filter.
        """
        return await self._tell(
            _alert(category, message, priority, title, labels, details, force, dedupe_key)
        )

    def send_alert_sync(
        self,
        category: AlertCategory | str,
        message: object,
        priority: AlertPriority | str | None = None,
        title: object = None,
        labels: Labels = None,
        details: Details = None,
        force: bool = False,
        dedupe_key: str | None = None,
    ) -> AlertResult:
        """As `send_alert`."""
        return self._tell_sync(_alert(category, message, priority, title, labels, details, force, dedupe_key))

    async def resolve(
        self,
        what: AlertResult | AlertCategory | str,
        message: object = "",
        *,
        title: object = None,
        labels: Labels = None,
        dedupe_key: str | None = None,
    ) -> AlertResult:
        """Say that an alert is over: the one that gave the result `what`, or that of this category, title and labels, or dedupe_key."""
        return await self._tell(_end(what, message, title, labels, dedupe_key))

    def resolve_sync(
        self,
        what: AlertResult | AlertCategory | str,
        message: object = "",
        *,
        title: object = None,
        labels: Labels = None,
        dedupe_key: str | None = None,
    ) -> AlertResult:
        """As `resolve`."""
        return self._tell_sync(_end(what, message, title, labels, dedupe_key))

    async def alert_critical_error(self, error: object, details: Details = None) -> AlertResult:
        """Something is broken and somebody must come now: CRITICAL, SYSTEM_ERROR, past every filter. error: a text or an exception."""
        return await self._tell(kinds.critical_error(error, details))

    def alert_critical_error_sync(self, error: object, details: Details = None) -> AlertResult:
        """As `alert_critical_error`."""
        return self._tell_sync(kinds.critical_error(error, details))

    async def alert_trading_signal(
        self, ticker: str, signal: str, confidence: float | None = None, details: Details = None
    ) -> AlertResult:
        """A strategy says BUY or SELL, with a confidence of 0 to 1."""
        return await self._tell(kinds.trading_signal(ticker, signal, confidence, details))

    def alert_trading_signal_sync(
        self, ticker: str, signal: str, confidence: float | None = None, details: Details = None
    ) -> AlertResult:
        """As `alert_trading_signal`."""
        return self._tell_sync(kinds.trading_signal(ticker, signal, confidence, details))

    async def alert_risk_warning(
        self,
        ticker: str,
        risk_type: str,
        risk_score: float | None = None,
        message: str = "",
        details: Details = None,
    ) -> AlertResult:
        """A limit of risk is near or passed; risk_type such as "volatility"."""
        return await self._tell(kinds.risk_warning(ticker, risk_type, risk_score, message, details))

    def alert_risk_warning_sync(
        self,
        ticker: str,
        risk_type: str,
        risk_score: float | None = None,
        message: str = "",
        details: Details = None,
    ) -> AlertResult:
        """As `alert_risk_warning`."""
        return self._tell_sync(kinds.risk_warning(ticker, risk_type, risk_score, message, details))

    async def alert_portfolio_update(
        self,
        daily_pnl: float | None = None,
        total_value: float | None = None,
        details: Details = None,
        *,
        portfolio: str = "",
        message: str = "",
    ) -> AlertResult:
        """How a portfolio stands, in USD."""
        return await self._tell(kinds.portfolio_update(daily_pnl, total_value, portfolio, message, details))

    def alert_portfolio_update_sync(
        self,
        daily_pnl: float | None = None,
        total_value: float | None = None,
        details: Details = None,
        *,
        portfolio: str = "",
        message: str = "",
    ) -> AlertResult:
        """As `alert_portfolio_update`."""
        return self._tell_sync(kinds.portfolio_update(daily_pnl, total_value, portfolio, message, details))

    async def alert_data_quality(
        self, feed: str, issue: str, message: str = "", details: Details = None
    ) -> AlertResult:
        """Data of a feed is missing, late or wrong; issue such as "stale"."""
        return await self._tell(kinds.data_quality(feed, issue, message, details))

    def alert_data_quality_sync(
        self, feed: str, issue: str, message: str = "", details: Details = None
    ) -> AlertResult:
        """As `alert_data_quality`."""
        return self._tell_sync(kinds.data_quality(feed, issue, message, details))

    async def alert_cost(
        self,
        service: str,
        cost_usd: float | None = None,
        threshold_usd: float | None = None,
        details: Details = None,
    ) -> AlertResult:
        """A service costs more than it should, in USD."""
        return await self._tell(kinds.cost(service, cost_usd, threshold_usd, details))

    def alert_cost_sync(
        self,
        service: str,
        cost_usd: float | None = None,
        threshold_usd: float | None = None,
        details: Details = None,
    ) -> AlertResult:
        """As `alert_cost`."""
        return self._tell_sync(kinds.cost(service, cost_usd, threshold_usd, details))

    async def alert_performance(
        self,
        component: str,
        metric: str,
        value: object = None,
        threshold: object = None,
        unit: str = "",
        details: Details = None,
    ) -> AlertResult:
        """Something works, but too slowly: component "order gateway", metric "p95 latency", value 840, threshold 500, unit "ms"."""
        return await self._tell(kinds.performance(component, metric, value, threshold, unit, details))

    def alert_performance_sync(
        self,
        component: str,
        metric: str,
        value: object = None,
        threshold: object = None,
        unit: str = "",
        details: Details = None,
    ) -> AlertResult:
        """As `alert_performance`."""
        return self._tell_sync(kinds.performance(component, metric, value, threshold, unit, details))


def _alert(
    category: AlertCategory | str,
    message: object,
    priority: AlertPriority | str | None,
    title: object,
    labels: Labels,
    details: Details,
    force: bool,
    dedupe_key: str | None,
) -> Alert:
    return make(
        category,
        message,
        priority=priority,
        title=title,
        labels=labels,
        details=details,
        force=force,
        dedupe_key=dedupe_key,
    )


def _end(
    what: AlertResult | AlertCategory | str,
    message: object,
    title: object,
    labels: Labels,
    dedupe_key: str | None,
) -> Alert:
    if isinstance(what, AlertResult):
        known = what.alert
        return make(
            known.category,
            message,
            title=known.title,
            labels=known.labels,
            dedupe_key=known.dedupe_key,
            resolved=True,
        )
    return make(what, message, title=title, labels=labels, dedupe_key=dedupe_key, resolved=True)
