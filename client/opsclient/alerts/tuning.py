"""Takes changed rules to the console, and keeps to the minimum of those that the console did not take."""

import json
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from opsclient.alerts.alert import Alert
from opsclient.alerts.choices import AlertCategory, AlertPriority
from opsclient.alerts.result import RuleUpdate
from opsclient.errors import ConsoleUnreachable
from opsclient.senders import REFUSED_PAUSE_S, Backoff
from opsclient.transport import Answer, Endpoint, Poster
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

RULES = "/monitoring/alerts/rules"


@dataclass(eq=False, slots=True)
class _Change:
    category: AlertCategory
    values: Mapping[str, Any]
    answered: "Future[RuleUpdate]" = field(default_factory=Future)


class Minimums:
    """The minimum priority per category that works in this process alone, because no console has taken it."""

    def __init__(self) -> None:
        self._minimums: dict[AlertCategory, AlertPriority] = {}

    def keep(self, category: AlertCategory, values: Mapping[str, Any]) -> bool:
        """Work by this change's minimum here. Whether it has one."""
        minimum = values.get("min_priority")
        if minimum is None:
            return False
        self._minimums[category] = AlertPriority(minimum)
        return True

    def drop(self, category: AlertCategory) -> None:
        """The console works by it now."""
        self._minimums.pop(category, None)

    def against(self, alert: Alert) -> AlertPriority | None:
        """The minimum that holds this alert back."""
        minimum = self._minimums.get(alert.category)
        held = minimum is not None and alert.urgency.rank < minimum.rank
        return minimum if held and not alert.force and not alert.resolved else None


class Tuner:
    """The thread that asks the console to change rules. A change that gets no answer is asked for again."""

    def __init__(self, endpoint: Endpoint, minimums: Minimums, *, client: str) -> None:
        self._reason = f"asked for by the trading process {client}"
        self._poster = Poster(endpoint)
        self._minimums = minimums
        self._changes: list[_Change] = []
        self._lock = threading.RLock()
        self._backoff = Backoff(first=0.2)
        self.worker = Worker("alerts-rules", self._step)

    def change(self, category: AlertCategory, values: Mapping[str, Any]) -> "Future[RuleUpdate]":
        """Ask for this change; the future is the console's answer to it."""
        change = _Change(category, values)
        with self._lock:
            self._changes.append(change)
        self._minimums.keep(category, values)  # until the console has taken it
        self.worker.start()
        self.worker.wake()
        return change.answered

    @property
    def pending(self) -> list[tuple[AlertCategory, Mapping[str, Any]]]:
        """What has not been answered."""
        with self._lock:
            return [(change.category, change.values) for change in self._changes]

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float | None:
        with self._lock:
            change = self._changes[0] if self._changes else None
        if change is None:
            return None
        try:
            body = json.dumps({**change.values, "reason": self._reason}).encode()
            answer = self._poster.send("PATCH", f"{RULES}/{change.category}", body)
        except ConsoleUnreachable as error:
            logger.info("the rule of %s is not changed yet: %s", change.category, error)
            return self._backoff.pause()
        if answer.status in (409, 429) or answer.status >= 500:
            return self._backoff.pause()
        if answer.status == 401:
            logger.warning("the rule of %s is not changed yet (%s)", change.category, answer.text)
            return REFUSED_PAUSE_S
        self._backoff.reset()
        with self._lock:
            self._changes.remove(change)
        change.answered.set_result(self._read(change, answer))
        return 0.0

    def _read(self, change: _Change, answer: Answer) -> RuleUpdate:
        if answer.ok:
            self._minimums.drop(change.category)
            return RuleUpdate(change.category, applied=True, pending=False, reason="the console works by it")
        why = (
            "this process' token may not tune rules; a supervisor can, on the console"
            if answer.status == 403
            else f"the console refused it ({answer.text})"
        )
        return refused(change.category, change.values, self._minimums, why)


def refused(category: AlertCategory, values: Mapping[str, Any], minimums: Minimums, why: str) -> RuleUpdate:
    """The console will not work by this change: only its minimum works, here. Said in the log, once for each change."""
    kept = minimums.keep(category, values)
    rest = [name for name in values if name != "min_priority"]
    text = f"the rule of {category} is not changed on the console: {why}."
    if kept:
        text += " min_priority works in this process alone."
    if rest:
        text += f" Not in force: {', '.join(rest)}."
    logger.warning("%s", text)
    return RuleUpdate(category, applied=False, pending=False, reason=text)
