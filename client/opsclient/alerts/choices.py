"""The words of an alert, and how a word that somebody gave is read."""

from enum import StrEnum
from typing import TypeVar

from opsclient.errors import ConfigurationError

Word = TypeVar("Word", bound=StrEnum)


class AlertCategory(StrEnum):
    """What an alert is about. The console has one rule for each."""

    SYSTEM_ERROR = "SYSTEM_ERROR"
    TRADING_SIGNAL = "TRADING_SIGNAL"
    RISK_WARNING = "RISK_WARNING"
    PORTFOLIO_UPDATE = "PORTFOLIO_UPDATE"
    DATA_QUALITY = "DATA_QUALITY"
    COST_ALERT = "COST_ALERT"
    PERFORMANCE = "PERFORMANCE"


class AlertPriority(StrEnum):
    """How urgent an alert is, the least urgent first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for LOW to 3 for CRITICAL."""
        return list(AlertPriority).index(self)


# What the console takes for an alert that comes without a priority, unless its rule was changed there.
DEFAULT_PRIORITIES = {
    AlertCategory.SYSTEM_ERROR: AlertPriority.HIGH,
    AlertCategory.TRADING_SIGNAL: AlertPriority.MEDIUM,
    AlertCategory.RISK_WARNING: AlertPriority.HIGH,
    AlertCategory.PORTFOLIO_UPDATE: AlertPriority.LOW,
    AlertCategory.DATA_QUALITY: AlertPriority.MEDIUM,
    AlertCategory.COST_ALERT: AlertPriority.MEDIUM,
    AlertCategory.PERFORMANCE: AlertPriority.LOW,
}


class AlertDecision(StrEnum):
    """What became of an alert. The first eight are the console's decisions; in the others it has not decided."""

    SENT = "SENT"
    DISABLED = "DISABLED"
    SILENCED = "SILENCED"
    EXPECTED = "EXPECTED"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    DEDUPED = "DEDUPED"
    RATE_LIMITED = "RATE_LIMITED"
    QUIET_HOURS = "QUIET_HOURS"
    # The end of something was told (`resolve`); nothing had to be decided.
    RESOLVED = "RESOLVED"
    # It waits in this process, and goes to the console when that can be reached.
    QUEUED = "QUEUED"
    # The console will never take it: it refused what the alert says, or the spool had no room for it.
    REFUSED = "REFUSED"
    # There is no console; or the minimum that this process set for itself (`update_rule`) held it back.
    UNSENT = "UNSENT"


def known(kind: type[Word], value: object, *, argument: str) -> Word:
    """The member for a member, or for its text in any case. Raises ConfigurationError naming the argument and the choices."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        for member in kind:
            if member.value == value.strip().upper():
                return member
    raise ConfigurationError(f"{argument} must be one of {', '.join(kind)}, not {value!r:.60}")
