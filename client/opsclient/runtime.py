"""What a kill switch needs with or without a console: the gate, the callbacks, and the watch on the halt file."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

from opsclient import clock, halt_file
from opsclient.errors import ConfigurationError
from opsclient.gate import Change, Episode, Gate, LocalStop
from opsclient.handlers import Handler, Handlers, Outcome
from opsclient.reasons import KillSwitchReason, Mode
from opsclient.scopes import GLOBAL
from opsclient.snapshot import Stop
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")


class Runtime:
    """One gate with its callbacks. `on_outcome` and `on_local_change` tell a console's reporter what to send."""

    def __init__(
        self,
        gate: Gate,
        *,
        on_outcome: Callable[[Episode, Outcome], None],
        on_local_change: Callable[[], None],
    ) -> None:
        self.gate = gate
        self.handlers = Handlers(on_outcome, lambda: gate.episodes)
        self.alarm: Handler | None = None
        self._on_local_change = on_local_change
        self._file: Path | None = None
        self._file_text: str | None = None
        self._watcher: Worker | None = None

    def watch(self, path: Path) -> None:
        """Watch this halt file from now on. Raises ConfigurationError if another one is watched already."""
        if self._file not in (None, path):
            raise ConfigurationError(f"halt_file is {self._file} already and cannot be {path} too")
        if self._file is None:
            self._file = path
            self._look()
            self._watcher = Worker("halt-file", self._look)
            self._watcher.start()

    def halt(self, local: LocalStop) -> list[Future[Outcome]]:
        """Stop this process at once, then start the callbacks; the futures are their outcomes."""
        change = self.gate.halt(local)
        logger.critical(
            "trading stopped here (%s): scope %s, %s", local.stop.reason, local.stop.scope, local.stop.message
        )
        self._on_local_change()
        return self._dispatch(change)

    def changed(self, change: Change) -> list[Future[Outcome]]:
        """Log a change that has been put in force, and start its callbacks."""
        for episode in change.opened:
            stop = episode.stop
            logger.critical(
                "trading stopped (%s): scope %s, by %s: %s", stop.reason, stop.scope, stop.by, stop.message
            )
        for episode in change.closed:
            logger.warning("the stop of scope %s has ended", episode.stop.scope)
        return self._dispatch(change)

    def lift(self, wanted: Callable[[LocalStop], bool]) -> None:
        """End stops of this process and start the callbacks for their end."""
        self.changed(self.gate.lift(wanted))
        self._on_local_change()

    def close(self, timeout: float) -> None:
        """Stop watching. What needs the watch or a console allows nothing afterwards."""
        self.gate.close()
        if self._watcher is not None:
            self._watcher.stop(timeout)

    def restart_in_child(self) -> None:
        """After a fork, in the child: nothing is allowed until the child itself has looked."""
        self.gate.restart_in_child()
        self.handlers.restart_in_child()
        if self.alarm is not None:
            self.alarm.restart_in_child()
        if self._watcher is not None:
            self._watcher = Worker("halt-file", self._look)
            self._watcher.start()

    def _dispatch(self, change: Change) -> list[Future[Outcome]]:
        if self.alarm is not None:
            for episode in change.opened:
                if episode.local is not None:  # the console raises its own alert for the stops that it made
                    details = {
                        "reason": episode.stop.reason,
                        "scope": episode.stop.scope,
                        **episode.stop.metadata,
                    }
                    text = f"Kill switch activated: {episode.stop.message}"
                    self.alarm.run(self.handlers.private, lambda _: None, text, details)
        return self.handlers.dispatch(change)

    def _look(self) -> float:
        assert self._file is not None  # noqa: S101  # only `watch` starts the looking
        seen = clock.now()  # before the look, so that the look vouches for no time before it
        text = halt_file.look(self._file)
        if text is not None and self._file_text is None:
            self.halt(LocalStop(_file_stop(text), "file", uuid4().hex))
        self.gate.watch(seen + halt_file.TERM_S)
        if text is None and self._file_text is not None:
            logger.warning("the halt file is gone: its stop ends")
            self.lift(lambda local: local.source == "file")
        self._file_text = text
        return halt_file.POLL_S


def _file_stop(text: str) -> Stop:
    return Stop(GLOBAL, Mode.HALTED, KillSwitchReason.MANUAL, text, {}, clock.utc_text(), "halt file")
