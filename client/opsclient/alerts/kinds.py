"""The alerts that have a method of their own, with what names them in the labels and what changes in the details. Pure."""

from collections.abc import Mapping
from typing import Any

from opsclient.alerts.alert import Alert, make
from opsclient.alerts.choices import AlertCategory, AlertPriority


def critical_error(error: object, details: Mapping[str, Any] | None) -> Alert:
    """Something is broken and somebody must come now. An exception is told with its type."""
    if isinstance(error, BaseException):
        error = f"{type(error).__name__}: {error}"
    return make(
        AlertCategory.SYSTEM_ERROR, error, priority=AlertPriority.CRITICAL, details=details, force=True
    )


def trading_signal(
    ticker: str, signal: str, confidence: float | None, details: Mapping[str, Any] | None
) -> Alert:
    """A strategy says BUY or SELL."""
    told = "" if confidence is None else f"Confidence {_share(confidence)}"
    return make(
        AlertCategory.TRADING_SIGNAL,
        told,
        title=f"{signal} {ticker}",
        labels={"ticker": ticker, "signal": signal},
        details=_with(details, confidence=confidence),
    )


def risk_warning(
    ticker: str, risk_type: str, risk_score: float | None, message: str, details: Mapping[str, Any] | None
) -> Alert:
    """A limit of risk is near or passed."""
    return make(
        AlertCategory.RISK_WARNING,
        message,
        title=f"Risk: {risk_type} of {ticker}",
        labels={"ticker": ticker, "risk_type": risk_type},
        details=_with(details, risk_score=risk_score),
    )


def portfolio_update(
    daily_pnl: float | None,
    total_value: float | None,
    portfolio: str,
    message: str,
    details: Mapping[str, Any] | None,
) -> Alert:
    """How a portfolio stands."""
    told = message or ", ".join(
        f"{name} {_money(value)}"
        for name, value in (("today's P&L", daily_pnl), ("total value", total_value))
        if value is not None
    )
    return make(
        AlertCategory.PORTFOLIO_UPDATE,
        told[:1].upper() + told[1:],
        title=f"Portfolio {portfolio}".strip() if portfolio else "Portfolio update",
        labels={"portfolio": portfolio},
        details=_with(details, daily_pnl=daily_pnl, total_value=total_value),
    )


def data_quality(feed: str, issue: str, message: str, details: Mapping[str, Any] | None) -> Alert:
    """Data is missing, late or wrong."""
    return make(
        AlertCategory.DATA_QUALITY,
        message,
        title=f"Data of {feed}: {issue}",
        labels={"feed": feed, "issue": issue},
        details=details,
    )


def cost(
    service: str, cost_usd: float | None, threshold_usd: float | None, details: Mapping[str, Any] | None
) -> Alert:
    """A service costs more than it should."""
    told = "The cost is not known" if cost_usd is None else _money(cost_usd)
    if threshold_usd is not None:
        told += f", the threshold is {_money(threshold_usd)}"
    return make(
        AlertCategory.COST_ALERT,
        told,
        title=f"Cost of {service}",
        labels={"service": service},
        details=_with(details, cost_usd=cost_usd, threshold_usd=threshold_usd),
    )


def performance(
    component: str,
    metric: str,
    value: object,
    threshold: object,
    unit: str,
    details: Mapping[str, Any] | None,
) -> Alert:
    """Something works, but too slowly."""
    told = f"{value} {unit}".strip()
    if threshold is not None:
        told += f", the threshold is {threshold} {unit}".rstrip()
    return make(
        AlertCategory.PERFORMANCE,
        told,
        title=f"{component}: {metric}",
        labels={"component": component, "metric": metric},
        details=_with(details, value=value, threshold=threshold),
    )


def loss(client: str, lost: Mapping[str, int]) -> Alert:
    """What the spool could not keep, told to the console when it is back."""
    number = sum(lost.values())
    by_priority = ", ".join(f"{count} {priority}" for priority, count in lost.items())
    return make(
        AlertCategory.SYSTEM_ERROR,
        f"While the console was away {number} alerts did not fit into the spool of {client} and are lost: {by_priority}.",
        title=f"Alerts of {client} were lost",
        priority=AlertPriority.HIGH,
        labels={"client": client},
        details={"lost": number, "by_priority": dict(lost)},
    )


def _with(details: Mapping[str, Any] | None, **more: object) -> dict[str, Any]:
    given = details if isinstance(details, Mapping) else {} if details is None else {"details": details}
    return {**{name: value for name, value in more.items() if value is not None}, **given}


def _money(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"−${-value:,.2f}" if value < 0 else f"${value:,.2f}"


def _share(value: object) -> str:
    return (
        f"{value:.0%}"
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        else str(value)
    )
