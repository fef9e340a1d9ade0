"""How pages say what happened to a breaker."""

from monitoring.breakers.choices import CommandKind, Why
from monitoring.breakers.models import BreakerTransition

# What a command did, after who gave it.
DONE = {
    CommandKind.RESET: "reset it",
    CommandKind.RESET_ALL: "reset all breakers",
    CommandKind.FORCE_OPEN: "forced it open",
    CommandKind.FORCE_CLOSE: "forced it closed",
    CommandKind.RELEASE: "released it",
    CommandKind.EXPIRE: "ended the hold",
    CommandKind.TUNE: "changed its settings",
}
ICONS = {
    CommandKind.RESET: "refresh",
    CommandKind.RESET_ALL: "refresh",
    CommandKind.FORCE_OPEN: "lock",
    CommandKind.FORCE_CLOSE: "lock",
    CommandKind.RELEASE: "lock-open",
    CommandKind.EXPIRE: "clock",
    CommandKind.TUNE: "settings",
}


def why_words(why: str) -> str:
    """Later versions of the client may know more reasons than the console."""
    return str(Why(why).label) if why in Why.values else why.replace("_", " ")


def because(change: BreakerTransition) -> str:
    """`failures in a row: HTTPError, 503 Service Unavailable`."""
    cause = ", ".join(part for part in (change.cause_type, change.cause_text) if part)
    return f"{why_words(change.why)}: {cause}" if cause else why_words(change.why)
