"""Processes of the tests' own, and what they report."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from alerts.models import Submission
from monitoring.breakers import services
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.reports import decode
from monitoring.breakers.services import Taken
from opsconsole.audit.actor import Actor
from tests.cast import ROOT

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
URL = "/monitoring/circuit-breaker-reports"
CONFIG = {"failure_threshold": 5, "success_threshold": 2, "timeout_seconds": 60.0}


def a_breaker(name: str = "yahoo_finance", state: str = "CLOSED", **values: Any) -> dict[str, Any]:
    """As a report has it: half a minute in its state."""
    return {
        "name": name,
        "state": state,
        "forced": None,
        "state_s": 30.0,
        "generation": 1,
        "applied": 0,
        "config": CONFIG,
        "own_config": CONFIG,
        "counts": {"success": 90, "failure": 5, "slow": 2, "ignored": 1, "rejected": 0},
        "window": {"calls": 10, "failure_rate": 12.5, "slow_rate": None},
        "last_failure": None,
    } | values


@dataclass
class Process:
    """A process that reports. `user` None: of the console's own account, as in a task."""

    name: str = "AAPL"
    instance: str = field(default_factory=lambda: uuid4().hex)
    actor: Actor = ROOT
    seqs: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def changed(
        self, before: str, after: str, breaker: str = "yahoo_finance", **values: Any
    ) -> dict[str, Any]:
        """The next of its transitions: ten seconds ago, after a minute in the state before."""
        return {
            "seq": next(self.seqs),
            "breaker": breaker,
            "from": before,
            "to": after,
            "ago_s": 10.0,
            "in_previous_s": 60.0,
            "why": "failure_threshold",
            "cause": {"type": "TimeoutError", "text": "no answer"},
            "counts": {"failure": 5},
        } | values

    def body(self, *breakers: dict[str, Any], **values: Any) -> dict[str, Any]:
        told = {
            "report_id": str(uuid4()),
            "name": self.name,
            "instance": self.instance,
            "applied": 0,
            "dropped": 0,
        }
        return told | {"breakers": list(breakers), "transitions": []} | values

    def report(self, *breakers: dict[str, Any], now: datetime | None = NOW, **values: Any) -> Taken:
        report = decode(json.dumps(self.body(*breakers, **values)).encode())
        return services.take_report(actor=self.actor, report=report, now=now)

    def opens(self, breaker: str = "yahoo_finance", *, now: datetime | None = NOW, **values: Any) -> Taken:
        """It says that the breaker has opened ten seconds ago."""
        change = self.changed("CLOSED", "OPEN", breaker)
        return self.report(a_breaker(breaker, "OPEN", state_s=10.0), transitions=[change], now=now, **values)


def row(name: str = "yahoo_finance") -> CircuitBreaker:
    return CircuitBreaker.objects.get(name=name)


def told() -> list[tuple[str, bool]]:
    """Titles of the breakers' alerts that wait for their decision, and whether they say that it is over."""
    rows = Submission.objects.filter(alert__source="breakers").order_by("pk")
    return [(one.alert["title"], one.alert["resolved"]) for one in rows]
