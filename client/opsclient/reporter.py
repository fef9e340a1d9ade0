"""Tells the console what it cannot see from outside: results of callbacks and commands, orders and positions left."""

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from opsclient.errors import ConsoleUnreachable
from opsclient.gate import Episode, Gate
from opsclient.handlers import KINDS, Handler, Outcome
from opsclient.jsonable import jsonable
from opsclient.senders import LEISURE, Backoff
from opsclient.transport import Endpoint, Poster
from opsclient.worker import PrivateLoop, Worker

logger = logging.getLogger("opsclient")

REPORT = "/monitoring/kill-switch/report"
EVERY_S = 10.0
EXPOSURE_S = 1.0
KEPT_RESULTS = 1000


class Reporter:
    """Sends a report when woken, and every EVERY_S. What is not delivered is kept and sent again."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        identity: dict[str, str],
        gate: Gate,
        allowed: Callable[[], bool],
        private: PrivateLoop,
    ) -> None:
        self._identity = identity
        self._gate = gate
        self._allowed = allowed
        self._private = private
        self._poster = Poster(endpoint)
        self._backoff = Backoff(first=0.5, longest=EVERY_S)
        self._callbacks: deque[tuple[Episode, Outcome]] = deque(maxlen=KEPT_RESULTS)
        self._commands: deque[dict[str, Any]] = deque(maxlen=KEPT_RESULTS)
        self._sampling: Future[Outcome] | None = None
        self._clean = endpoint.clean
        self.exposure: Handler | None = None
        self.connected = False  # the console knows no instance that has never connected
        self.worker = Worker("report", self._step, last_step=True)

    def add_callback(self, episode: Episode, outcome: Outcome) -> None:
        """Keep the result of a callback for the next report."""
        self._callbacks.append((episode, outcome))
        self.worker.wake()

    def add_command(self, command_id: int, outcome: Outcome) -> None:
        """Keep the result of a command for the next report."""
        entry = {"id": command_id, "ok": outcome.ok, **counts(outcome.value), "error": self._error(outcome)}
        self._commands.append(entry)
        self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float:
        if not self.connected:
            return EVERY_S
        if not self.worker.stopping:
            # Several results of one stop travel together, and leave the way free for the acknowledgements.
            self.worker.rest_without_waking(LEISURE.pause())
        callbacks = [entry for entry in self._callbacks if self._is_named(entry[0])]
        commands = list(self._commands)
        try:
            answer = self._poster.post(REPORT, json.dumps(self._body(callbacks, commands)).encode())
        except ConsoleUnreachable as error:
            logger.info("the report is not delivered yet: %s", error)
            return self._backoff.pause()
        if answer.status in (401, 403, 409, 429) or answer.status >= 500:
            logger.info("the report is not taken yet (%s)", answer.text)
            return self._backoff.pause()
        if not answer.ok:
            logger.error("the console cannot read the report (%s): its results are given up", answer.text)
        self._backoff.reset()
        for entry in callbacks:
            self._callbacks.remove(entry)
        for command in commands:
            self._commands.remove(command)
        return EVERY_S

    def _is_named(self, episode: Episode) -> bool:
        """Whether the console knows the activation by now; the result of our own stop waits for its delivery."""
        local = episode.local
        return episode.activation is not None or local is None or local.source == "file"

    def _body(
        self, callbacks: list[tuple[Episode, Outcome]], commands: list[dict[str, Any]]
    ) -> dict[str, Any]:
        override = self._gate.override
        local = next(iter(self._gate.locals), None)
        return {
            **self._identity,
            "epoch": self._gate.view.epoch,
            "allowed": self._allowed(),
            "callbacks": [self._callback(episode, outcome) for episode, outcome in callbacks],
            "commands": commands,
            "exposure": self._sample(),
            "local_stop": local and {"reason": str(local.stop.reason), "message": local.stop.message},
            "closing": self.worker.stopping,
            "override": override and {"at": override.at, "message": "is_active set to False"},
        }

    def _callback(self, episode: Episode, outcome: Outcome) -> dict[str, Any]:
        return {
            "activation": episode.activation,
            "name": outcome.name,
            "ok": outcome.ok,
            "ms": outcome.ms,
            "error": self._error(outcome),
            **(counts(outcome.value) if outcome.name in KINDS else {}),
        }

    def _error(self, outcome: Outcome) -> str | None:
        return None if outcome.error is None else self._clean(outcome.error)

    def _sample(self) -> dict[str, Any]:
        """Open orders and positions now; null where the process does not know, or does not say in time."""
        unknown: dict[str, Any] = {"open_orders": None, "positions": None, "last_order": ""}
        if self.exposure is None:
            return unknown
        if self._sampling is None:
            self._sampling = self.exposure.start(self._private)
        try:
            outcome = self._sampling.result(timeout=EXPOSURE_S)
        except NotYet:
            return unknown  # it goes on in its lane; the next report looks again
        self._sampling = None
        if not isinstance(outcome.value, Mapping):
            return unknown
        return {name: jsonable(outcome.value.get(name, default)) for name, default in unknown.items()}


def counts(value: object) -> dict[str, int | None]:
    """What a function for orders returned, as numbers: an int is what it cancelled, None is not known."""
    if isinstance(value, bool) or not isinstance(value, int | Mapping):
        return {"cancelled": None, "left": None, "unknown": None}
    if isinstance(value, int):
        return {"cancelled": value, "left": None, "unknown": None}
    numbers = {name: value.get(name) for name in ("cancelled", "left", "unknown")}
    return {
        name: n if isinstance(n, int) and not isinstance(n, bool) else None for name, n in numbers.items()
    }
