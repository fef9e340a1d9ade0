"""What stands beside an alert's story: what to do, facts, and what belongs to it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Sum

from alerts import board, halts, runbooks
from alerts.board import Row
from alerts.choices import AlertState
from alerts.halts import GLOBAL
from alerts.models import Alert, AlertRule, KindTally
from alerts.wording import times

RELATED_ROWS = 5
BEFORE_DAYS = 30
TEXTS = ("description", "summary")
# Labels that say where it happens: what shares one may have the same cause.
PLACES = ("symbol", "ticker", "strategy", "venue", "account", "instance", "host")
OWN = frozenset({*TEXTS, "runbook_url"})


def context(row: Row, *, earlier: Sequence[Alert], rule: AlertRule) -> dict[str, Any]:
    alert = row.alert
    texts = [str(alert.annotations[name]) for name in TEXTS if alert.annotations.get(name)]
    near, why = _near(alert)
    return {
        "todo": [text for text in dict.fromkeys(texts) if text not in {alert.title, alert.message}],
        "help": runbooks.found(alert),
        "runbook": _web(str(alert.annotations.get("runbook_url", ""))),
        "source": _web(alert.generator_url),
        "facts": _facts(alert, rule, row.now.date()),
        "related": board.rows([*near, *earlier][:RELATED_ROWS], now=row.now),
        "related_why": why if near else "the same alert, earlier",
        "stopped": row.firing and _stopped(row.scope),
    }


def _stopped(scope: str) -> bool:
    """Whether a stop for this alert would change nothing, since trading in its scope is stopped already. One query."""
    return any(halt.scope in {GLOBAL, scope} for halt in halts.current())


def _web(address: str) -> str:
    """The address if it leads to a web page; nothing else becomes a link (`javascript:` least of all)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.netloc else ""


def _facts(alert: Alert, rule: AlertRule, today: date) -> list[tuple[str, str]]:
    digits = alert.fingerprint.hex[:12]
    facts = [
        *((name, str(value)) for name, value in alert.labels.items()),
        *((name, str(value)) for name, value in alert.details.items()),
        *((name, str(value)) for name, value in alert.annotations.items() if name not in OWN),
    ]
    return [
        *facts,
        ("Rule", f"{rule.category}, version {rule.version}"),
        ("Source", f"{alert.source}, {alert.raised_by}".strip(", ")),
        ("Fingerprint", " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))),
        ("Before", _before(alert, today)),
        *((("Flapped", f"{times(alert.flaps)} within a day"),) if alert.flaps else ()),
    ]


def _before(alert: Alert, today: date) -> str:
    """How often this kind came in 30 days. One query along the kind's days."""
    days = KindTally.objects.filter(
        category=alert.category, title=alert.title, day__gt=today - timedelta(days=BEFORE_DAYS)
    )
    total = days.aggregate(raised=Sum("raised"), acted=Sum("acted"))
    if not total["raised"]:
        return "unknown, not counted yet"
    return f"{times(total['raised'])} in {BEFORE_DAYS} days, acted on {times(total['acted'])}"


def _near(alert: Alert) -> tuple[list[Alert], str]:
    """What fires now and shares the first place that the labels name, along the index of labels."""
    name = next((name for name in PLACES if alert.labels.get(name)), None)
    if name is None:
        return [], ""
    wanted = {name: alert.labels[name]}
    firing = Alert.objects.filter(state=AlertState.FIRING, labels__contains=wanted).exclude(pk=alert.pk)
    return list(firing.order_by("-id")[:RELATED_ROWS]), f"firing, with {name} {alert.labels[name]}"
