"""What every alert goes through in this process: which console, for how long to wait, and how it is closed."""

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import wait as wait_for_futures
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from opsclient import fork, journal
from opsclient.alerts.alert import Alert
from opsclient.alerts.bots import ways
from opsclient.alerts.choices import AlertCategory, AlertDecision
from opsclient.alerts.desk import Desk
from opsclient.alerts.direct import DirectWay
from opsclient.alerts.entry import Entry
from opsclient.alerts.result import AlertResult, RuleUpdate
from opsclient.alerts.rules import AlertRule, whole
from opsclient.alerts.tuning import Minimums, refused
from opsclient.config import choose_name, endpoint_from_environment
from opsclient.console import OpsConsole
from opsclient.errors import ConfigurationError
from opsclient.handlers import running_loop
from opsclient.transport import Endpoint

logger = logging.getLogger("opsclient")

WAIT_S = 2.0
QUIET_START, QUIET_END = 22, 7  # what a console begins with
NO_CONSOLE = "this process has no console; give console=, or set OPSCLIENT_URL and OPSCLIENT_TOKEN"


class Manager:
    """The base of SmartAlertManager."""

    def __init__(
        self,
        telegram_bot: Any = None,
        slack_client: Any = None,
        quiet_hours_start: int = QUIET_START,
        quiet_hours_end: int = QUIET_END,
        *,
        console: OpsConsole | None = None,
        name: str | None = None,
        telegram_chat_id: int | str | None = None,
        slack_channel: str | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_alerts: int = 10_000,
        spool_bytes: int = 16 * 1024 * 1024,
        wait_s: float = WAIT_S,
    ) -> None:
        self.quiet_hours_start, self.quiet_hours_end = quiet_hours_start, quiet_hours_end
        known = console or OpsConsole.current()
        self.name = choose_name(name, "" if known is None else known.name, argument="name")
        self._given_console, self._wait_s = console, wait_s
        self._limits = (spool_alerts, spool_bytes)
        self._closed = False
        self._check(quiet_hours_start, quiet_hours_end)
        self._folder, self._folder_problem = journal.choose(spool_dir, name=self.name, kind="alerts")
        self._minimums = Minimums()
        self._wishes: list[tuple[AlertCategory, Mapping[str, Any]]] = []
        self._direct = DirectWay(
            ways(telegram_bot, slack_client, telegram_chat_id, slack_channel),
            client=self.name,
            on_sent=self._sent_directly,
        )
        self._direct.worker.start()
        self._desk: Desk | None = None
        self._lock = threading.RLock()
        self._warned = False
        if self._folder is None:
            logger.warning("the spool of alerts is kept in memory alone: %s", self._folder_problem)
        self._find_desk()
        self._ask_for_quiet_hours()
        fork.follow(self)
        atexit.register(self.close)

    def _check(self, quiet_hours_start: int, quiet_hours_end: int) -> None:
        for argument, hour in (
            ("quiet_hours_start", quiet_hours_start),
            ("quiet_hours_end", quiet_hours_end),
        ):
            if hour is None:
                raise ConfigurationError(f"{argument} must be a whole number from 0 to 23, not None")
            whole(argument, hour, 23)
        for argument, limit in zip(("spool_alerts", "spool_bytes"), self._limits, strict=True):
            if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
                raise ConfigurationError(f"{argument} must be a whole number, 1 or more, not {limit!r:.40}")
        if not 0 <= self._wait_s <= 60:
            raise ConfigurationError(f"wait_s must lie between 0 and 60 seconds, not {self._wait_s!r:.40}")

    # For the application

    @property
    def pending(self) -> int:
        """How many alerts wait for the console."""
        return 0 if self._desk is None else len(self._desk.queue)

    @property
    def problem(self) -> str:
        """Why alerts do not reach the console now, or would not survive this process; empty if nothing is known to be wrong."""
        desk = self._find_desk()
        if desk is None:
            return NO_CONSOLE
        return desk.sender.away or (
            f"the spool is kept in memory alone: {desk.spool.problem}" if desk.spool.problem else ""
        )

    def update_rule(self, rule: AlertRule) -> RuleUpdate:
        """Have the console work by this rule from the next alert on; what the rule leaves out stays as it is.

        Its token needs the right to tune, which trading processes do not have by default. If the console refuses, or while
        it has not answered, the rule's `min_priority` works in this process alone; log and answer say so. Waits at most
        `wait_s`, and not at all inside a running event loop.
        """
        return self._change(rule.category, rule.changes())

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until the console has every alert. False if it has not within `timeout` seconds."""
        return self._desk is None or self._desk.flush(timeout)

    def close(self, timeout: float = 1.0) -> None:
        """Deliver what waits, for at most about `timeout` seconds; the rest stays in the spool for the next start."""
        if self._closed:
            return
        self._closed = True
        fork.forget(self)
        atexit.unregister(self.close)
        if self._desk is not None:
            self._desk.close(timeout)
        self._direct.worker.stop(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "no console" if self._desk is None else self._desk.url
        return f"<{type(self).__name__} {where} name={self.name!r} pending={self.pending}>"

    def restart_in_child(self) -> None:
        """After a fork, in the child: everything anew; what waits is the parent's."""
        self._lock = threading.RLock()
        self._direct.restart_in_child()
        self._direct.worker.start()
        if self._desk is not None:
            self._desk.restart_in_child()

    # For the methods that make alerts

    async def _tell(self, alert: Alert) -> AlertResult:
        self._direct.adopt(asyncio.get_running_loop())
        entry, result = self._take(alert)
        if entry is None:
            return result
        await _answered(entry, self._wait_s)
        return self._result(entry)

    def _tell_sync(self, alert: Alert) -> AlertResult:
        entry, result = self._take(alert)
        if entry is None:
            return result
        # Inside a running loop waiting would stop the very loop that trades, and that an asynchronous bot needs.
        if running_loop() is None:
            wait_for_futures([entry.answered], timeout=self._wait_s)
        return self._result(entry)

    def _take(self, alert: Alert) -> tuple[Entry | None, AlertResult]:
        """The entry to wait for, or the result that stands already."""
        minimum = self._minimums.against(alert)
        if minimum is not None:
            reason = f"not sent: below the minimum priority {minimum} that this process has set for itself"
            trace = ({"gate": "minimum_priority", "passed": False, "minimum": minimum, "by": self.name},)
            return None, AlertResult(AlertDecision.UNSENT, reason, alert, trace=trace)
        desk = None if self._closed else self._find_desk()
        if desk is not None:
            entry = desk.take(self._marked(alert))
        else:
            entry = Entry(self._marked(alert), kept=False)
            self._without_console(entry)
        return entry, entry.waiting("")

    def _without_console(self, entry: Entry) -> None:
        why = "this manager is closed" if self._closed else NO_CONSOLE
        if not self._warned:
            self._warned = True
            logger.error("alerts do not reach a console: %s", why)
        if self._closed or not self._direct.offer(entry, why):
            entry.answer(entry.waiting(why))

    def _result(self, entry: Entry) -> AlertResult:
        if entry.answered.done():
            return entry.answered.result()
        return entry.waiting("the console has not decided yet")

    def _marked(self, alert: Alert) -> Alert:
        """The alert with the client's name, so that one can see which process it was; not in the labels, which say which alert it is."""
        return (
            alert
            if "client" in alert.details
            else replace(alert, details={**alert.details, "client": self.name})
        )

    def _change(self, category: AlertCategory, values: Mapping[str, Any]) -> RuleUpdate:
        desk = self._find_desk()
        if desk is None:
            return refused(category, values, self._minimums, NO_CONSOLE)
        future = desk.tuner.change(category, values)
        if running_loop() is None:
            wait_for_futures([future], timeout=self._wait_s)
        if future.done():
            return future.result()
        return RuleUpdate(
            category, False, True, "the console has not answered yet; it is asked again until it does"
        )

    def _ask_for_quiet_hours(self) -> None:
        """The console's rules hold the quiet hours; others than its own beginning are asked for like any change."""
        if (self.quiet_hours_start, self.quiet_hours_end) == (QUIET_START, QUIET_END):
            return
        values = {"quiet_start": self.quiet_hours_start, "quiet_end": self.quiet_hours_end}
        for category in AlertCategory:
            if self._desk is None:
                refused(category, values, self._minimums, NO_CONSOLE)
            else:
                self._desk.tuner.change(category, values)

    def _find_desk(self) -> Desk | None:
        """The desk of the console that was given, of this process' own, or of the one in the environment; made when first found."""
        if self._desk is not None or self._closed:
            return self._desk
        with self._lock:
            endpoint = self._find_endpoint()
            if self._desk is None and endpoint is not None:
                most, most_bytes = self._limits
                self._desk = Desk(
                    endpoint,
                    client=self.name,
                    direct=self._direct,
                    minimums=self._minimums,
                    folder=self._folder,
                    folder_problem=self._folder_problem,
                    most=most,
                    most_bytes=most_bytes,
                    direct_after_s=self._wait_s / 2,
                )
        return self._desk

    def _find_endpoint(self) -> Endpoint | None:
        console = self._given_console or OpsConsole.current()
        return endpoint_from_environment() if console is None else console.endpoint

    def _sent_directly(self, entry: Entry) -> None:
        if self._desk is not None and entry.kept:
            self._desk.spool.note_direct(entry)


async def _answered(entry: Entry, seconds: float) -> None:
    """Wait for the answer. A future of its own, so that giving up the wait does not cancel the answer itself."""
    seen: Future[None] = Future()

    def see(_answer: "Future[AlertResult]") -> None:
        with suppress(InvalidStateError):
            seen.set_result(None)

    entry.answered.add_done_callback(see)
    waiter = asyncio.wrap_future(seen)
    try:
        await asyncio.wait([waiter], timeout=seconds)
    finally:
        waiter.cancel()
