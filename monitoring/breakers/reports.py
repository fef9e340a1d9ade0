"""What a process reports of its breakers (docs/protocol.md), decoded strictly. Fields that are not known are for later versions."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from alerts.redaction import redact
from monitoring.breakers.models import NAME_LENGTH
from opsconsole.audit.storable import storable_json, storable_text

# The console reports its own breakers under this name.
CONSOLE = "console"
MOST_BREAKERS = 1000
MOST_TRANSITIONS = 200
# Of a name of an exception's class, and of what it says.
TYPE_LENGTH, TEXT_LENGTH = 200, 500
# Fields that a configuration may have, and how long its texts may be.
MOST_FIELDS, FIELD_LENGTH = 50, 200
LARGEST = 2**53
# A clock that says more is out of order.
LONGEST_S = 50 * 365 * 86_400.0

UNREADABLE = (msgspec.ValidationError, OverflowError, UnicodeError)
PATH = re.compile(r" - at `\$\.?(.*)`$")
PATTERN = re.compile(r"matching regex '(.*)'")
MISSING = re.compile(r"Object missing required field `(\w+)`")

Number = Annotated[int, Meta(ge=0, le=LARGEST)]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
# Of a clock that began with the machine, or at any other time.
ClockTime = Annotated[float, Meta(ge=0, le=1e11)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
STATE_NAME, FORCED = r"^(CLOSED|OPEN|HALF_OPEN)$", r"^(CLOSED|OPEN)$"
WHY, INSTANCE = r"^[a-z_]{1,32}$", r"^[0-9a-fA-F]{32}$"
# msgspec says the pattern alone.
MUST_BE = {
    STATE_NAME: "one of CLOSED, OPEN, HALF_OPEN",
    FORCED: "one of CLOSED, OPEN",
    WHY: "1 to 32 letters a to z or _",
    INSTANCE: "32 hexadecimal digits",
}
StateName = Annotated[str, Meta(pattern=STATE_NAME)]
Forced = Annotated[str, Meta(pattern=FORCED)]


class Cause(msgspec.Struct):
    """An exception: the name of its class, and its text."""

    type: str
    text: str = ""


class Failure(Cause):
    ago_s: Seconds = 0.0


class Counts(msgspec.Struct):
    """Calls of the process's whole life; an ignored one is neither success nor failure, a rejected one was not made."""

    success: Number = 0
    failure: Number = 0
    slow: Number = 0
    ignored: Number = 0
    rejected: Number = 0


class Window(msgspec.Struct):
    """Rates in percent, None below the minimum of calls."""

    calls: Number = 0
    failure_rate: Percent | None = None
    slow_rate: Percent | None = None


class ReportedBreaker(msgspec.Struct):
    name: Name
    state: StateName
    state_s: Seconds
    forced: Forced | None = None
    generation: Number = 0
    applied: Number = 0
    config: dict[str, Any] = {}
    own_config: dict[str, Any] = {}
    counts: Counts = msgspec.field(default_factory=Counts)
    window: Window = msgspec.field(default_factory=Window)
    last_failure: Failure | None = None


class ReportedTransition(msgspec.Struct):
    seq: Annotated[int, Meta(ge=1, le=LARGEST)]
    breaker: Name
    from_: StateName = msgspec.field(name="from")
    to: StateName
    ago_s: Seconds
    in_previous_s: Seconds
    why: Annotated[str, Meta(pattern=WHY)]
    cause: Cause | None = None
    counts: dict[str, Any] = {}


class Report(msgspec.Struct):
    report_id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    instance: Annotated[str, Meta(pattern=INSTANCE)]
    applied: Number = 0
    dropped: Number = 0
    sent_s: ClockTime | None = None
    breakers: Annotated[list[ReportedBreaker], Meta(max_length=MOST_BREAKERS)] = []
    transitions: Annotated[list[ReportedTransition], Meta(max_length=MOST_TRANSITIONS)] = []


class InvalidReport(ValueError):
    """Which field, and what is allowed there."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


_decoder = msgspec.json.Decoder(Report)


def decode(body: bytes) -> Report:
    """Raises InvalidReport."""
    try:
        report = _decoder.decode(body)
    except UNREADABLE as error:
        raise _said(error) from None
    except msgspec.DecodeError:
        raise InvalidReport("body", "is not valid JSON") from None
    return checked(report)


def checked(report: Report) -> Report:
    """What the types cannot say, with every text that is kept redacted and cut. Raises InvalidReport."""
    for field, name in _names(report):
        if not name.isprintable() or not name.strip():
            raise InvalidReport(field, "must be printable characters, and not only blanks")
    report.instance = report.instance.lower()
    seen = [one.name for one in report.breakers]
    if len(set(seen)) < len(seen):
        raise InvalidReport("breakers", "must name each breaker once")
    for one in report.breakers:
        one.config, one.own_config = _plain(one.config), _plain(one.own_config)
        _redact(one.last_failure)
    for change in report.transitions:
        change.counts = _plain(change.counts)
        _redact(change.cause)
    report.transitions.sort(key=lambda change: change.seq)
    return report


def _names(report: Report) -> list[tuple[str, str]]:
    names = [("name", report.name), ("report_id", report.report_id)]
    names += [(f"breakers[{number}].name", one.name) for number, one in enumerate(report.breakers)]
    return names + [
        (f"transitions[{number}].breaker", one.breaker) for number, one in enumerate(report.transitions)
    ]


def _redact(cause: Cause | None) -> None:
    """First redacted, then cut: half a secret would not look like one."""
    if cause is not None:
        cause.type = storable_text(redact(cause.type), length=TYPE_LENGTH)
        cause.text = storable_text(redact(cause.text), length=TEXT_LENGTH)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """A flat object of plain values."""
    found: dict[str, Any] = {}
    for name, value in list(values.items())[:MOST_FIELDS]:
        plain = value if isinstance(value, int | float | None) else redact(str(value))
        found[storable_text(name, length=64)] = storable_json(
            storable_text(plain, length=FIELD_LENGTH) if isinstance(plain, str) else plain
        )
    return found


def _said(error: Exception) -> InvalidReport:
    """msgspec's words, with the field apart."""
    if isinstance(error, UnicodeError):
        return InvalidReport("body", "a text in it has half of a character (a surrogate)")
    text = str(error) if isinstance(error, msgspec.ValidationError) else "The number is too large"
    found = PATH.search(text)
    path = found[1] if found else ""
    if missing := MISSING.match(text):
        return InvalidReport(".".join(filter(None, (path, missing[1]))), "is missing")
    if pattern := PATTERN.search(text):
        return InvalidReport(path or "body", f"must be {MUST_BE[pattern[1]]}")
    words = storable_text(PATH.sub("", text).replace("`", ""), length=300)
    return InvalidReport(path or "body", words[:1].lower() + words[1:])
