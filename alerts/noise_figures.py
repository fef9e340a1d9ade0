"""The figures of alarm quality, each with its target, when to act, and who set it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

GOOD, WATCH, ACT, UNKNOWN = "good", "watch", "act", "unknown"
Judge = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` None: unknown, and `reason` says why. `verdict`: `good`, `watch` (between target and limit), `act` or `unknown`."""

    key: str
    name: str
    value: float | None
    unit: str
    target: str
    act_when: str
    verdict: str
    origin: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """What one figure should be."""

    name: str
    unit: str
    target: str
    act_when: str
    judge: Judge
    origin: str


def _at_most(target: float, limit: float) -> Judge:
    return lambda value: GOOD if value <= target else ACT if value > limit else WATCH


def _under(target: float, limit: float) -> Judge:
    return lambda value: GOOD if value < target else ACT if value > limit else WATCH


def _at_least(target: float, limit: float) -> Judge:
    return lambda value: GOOD if value >= target else ACT if value < limit else WATCH


def _near(target: float) -> Judge:
    return lambda value: GOOD if abs(value - target) <= 5 else ACT if abs(value - target) > 15 else WATCH


TABLE_5, TABLE_6, CLAUSE_16 = "ISA-18.2-2016 table 5", "ISA-18.2-2016 table 6", "ISA-18.2-2016 16.5"
OFF = "off by more than 15 points"
NONE = _at_most(0, 0)
STANDARDS = {
    "rate": Standard(
        "Alerts per 10 minutes, average", "alerts", "1 or less", "above 2", _at_most(1, 2), TABLE_5
    ),
    "busy": Standard(
        "10-minute periods with more than 10 alerts", "%", "under 1%", "above 5%", _under(1, 5), TABLE_5
    ),
    "busiest": Standard(
        "Most alerts in any 10 minutes", "alerts", "10 or less", "above 10", _at_most(10, 10), TABLE_5
    ),
    "flood": Standard("Time in flood", "%", "under 1%", "above 5%", _under(1, 5), TABLE_5),
    "top_ten": Standard(
        "Share of the ten most frequent kinds", "%", "5% or less", "above 15%", _at_most(5, 15), TABLE_5
    ),
    "chattering": Standard(
        "Kinds that chatter: 3 or more times in a minute", "kinds", "0", "any", NONE, "ISA-18.2, exida"
    ),
    "fleeting": Standard(
        "Kinds that are fleeting: gone in 10 seconds", "kinds", "0", "any", NONE, "ISA-18.2, exida"
    ),
    "stale": Standard(
        "Firing for more than 24 hours, most on any day",
        "alerts",
        "fewer than 5",
        "5",
        _at_most(4, 4),
        TABLE_5,
    ),
    "share_low": Standard("Share of LOW", "%", "80%", OFF, _near(80), TABLE_6),
    "share_medium": Standard("Share of MEDIUM", "%", "15%", OFF, _near(15), TABLE_6),
    "share_high": Standard("Share of HIGH", "%", "5%", OFF, _near(5), TABLE_6),
    "share_critical": Standard("Share of CRITICAL", "%", "under 1%", OFF, _under(1, 16), TABLE_6),
    "endless_silences": Standard("Silences of 90 days or more", "silences", "0", "any", NONE, CLAUSE_16),
    "by_no_one": Standard("Silenced or changed by no one known", "times", "0", "any", NONE, CLAUSE_16),
    "owned": Standard(
        "Acknowledged by the due time", "%", "95% or more", "below 90%", _at_least(95, 90), "guide 8.3"
    ),
    "never_acted": Standard("Kinds that nobody acted on in 30 days", "kinds", "0", "any", NONE, "guide 9.4"),
    "woken": Standard(
        "Woken per 12-hour shift, most in any", "times", "2 or less", "3", _at_most(2, 2), "Google SRE"
    ),
}


def figure(key: str, value: float | None, *, unknown: str = "") -> Figure:
    """The value beside its standard; `unknown`: why there is none."""
    standard = STANDARDS[key]
    known = None if unknown else value
    return Figure(
        key=key,
        name=standard.name,
        value=known,
        unit=standard.unit,
        target=standard.target,
        act_when=standard.act_when,
        verdict=UNKNOWN if known is None else standard.judge(known),
        origin=standard.origin,
        reason=unknown,
    )
