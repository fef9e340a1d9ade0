"""The vocabulary of a stop."""

from enum import StrEnum


class KillSwitchReason(StrEnum):
    """Why trading was stopped."""

    MANUAL = "MANUAL"
    DAILY_LOSS_LIMIT = "DAILY_LOSS_LIMIT"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    DATA_QUALITY = "DATA_QUALITY"
    VOLATILITY = "VOLATILITY"
    API_FAILURE = "API_FAILURE"
    RISK_THRESHOLD = "RISK_THRESHOLD"
    COST_ALERT = "COST_ALERT"


class Mode(StrEnum):
    """What a stop forbids: HALTED every order, REDUCE_ONLY all but those that reduce a position."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


def known_reason(text: str) -> str:
    """The member for a known reason, else the text itself: a newer console may know more reasons."""
    try:
        return KillSwitchReason(text)
    except ValueError:
        return text
