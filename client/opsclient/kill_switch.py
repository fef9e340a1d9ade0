"""The kill switch of a trading process: asked before every order, and able to stop everything."""

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_futures
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from opsclient import clock
from opsclient.console import OpsConsole
from opsclient.errors import ConsoleUnreachable, NotActive, PermissionDenied, Refused, TradingHalted
from opsclient.gate import LocalStop
from opsclient.handlers import inside_callback, running_loop
from opsclient.listener import Contact
from opsclient.reasons import KillSwitchReason, Mode
from opsclient.registration import Registration
from opsclient.scopes import GLOBAL
from opsclient.senders import DEACTIVATE, Call
from opsclient.snapshot import Stop
from opsclient.status import status_of
from opsclient.transport import Answer
from opsclient.view import View
from opsclient.wording import readable_stop

logger = logging.getLogger("opsclient")

WAIT_S = 5.0  # how long activate() waits for callbacks and delivery; the stop itself waits for nothing
REARM_WAIT_S = 2.0  # how long deactivate() waits for the new lease

_now = clock.now


@dataclass(slots=True)
class _Started:
    """An activation under way: its stop, and what may be waited for."""

    local: LocalStop
    warnings: list[str]
    call: Call | None = None
    waits: list["Future[Any]"] = field(default_factory=list)


class KillSwitch(Registration):
    """Stops trading, in this process or through a console for all.

    With `console` it follows the stops made there, and its own are delivered there. Without, it works in this process
    alone. The callbacks of several switches of one console, and their stops, are the console's: they share them.

    alert_manager: if it has `alert_critical_error(error=…, details=…)`, that is called for stops made by this process.
    auto_cancel_orders, auto_close_positions: whether `cancel_orders` and `close_positions` run by themselves on a stop;
    if not, they wait for the operator's press. halt_file: as in OpsConsole (default: OPSCLIENT_HALT_FILE).
    """

    # Before every order

    def is_trading_allowed(
        self,
        symbol: str | None = None,
        strategy: str | None = None,
        account: str | None = None,
        venue: str | None = None,
        reduce_only: bool = False,
    ) -> bool:
        """Whether an order may be sent now. No lock, no I/O.

        What is given about the order widens what this process' scopes say. A stop on a kind of scope that neither
        names forbids the order. `reduce_only=True` asks for an order that only reduces a position. Pass all by keyword.
        """
        # Keyword-only parameters would cost every call a third more (measured on Python 3.11 to 3.13), hence none here.
        # While nothing at all is stopped this one comparison is the whole check, whatever the arguments.
        if self._deadline > _now():
            return True
        return self._blocking(symbol, strategy, account, venue, reduce_only) is None

    def require_trading_allowed(
        self,
        *,
        symbol: str | None = None,
        strategy: str | None = None,
        account: str | None = None,
        venue: str | None = None,
        reduce_only: bool = False,
    ) -> None:
        """Raise TradingHalted, with the reason, unless `is_trading_allowed` says yes."""
        if self._deadline > _now():
            return
        stop = self._blocking(symbol, strategy, account, venue, reduce_only)
        if stop is not None:
            raise TradingHalted(str(stop.reason), stop.message)

    @property
    def epoch(self) -> int:
        """The console's epoch that this process has applied; an order can carry it to a gateway before the venue."""
        return self._gate.view.epoch

    def get_status(self) -> dict[str, Any]:
        """What is in force in this process, with the API's field names (see `opsclient.status`)."""
        console = self.console
        return {
            **status_of(self._gate, now=_now()),
            "contact": str(Contact.LOCAL if console is None else console.contact),
            "problem": "" if console is None else console.problem,
            "name": None if console is None else console.name,
            "instance": None if console is None else console.instance,
        }

    # Stopping

    async def activate(
        self,
        reason: KillSwitchReason | str = KillSwitchReason.MANUAL,
        message: str = "",
        metadata: Mapping[str, Any] | None = None,
        *,
        scope: str = GLOBAL,
        mode: Mode | str = Mode.HALTED,
        wait_s: float = WAIT_S,
    ) -> dict[str, Any]:
        """Stop this process at once, run the callbacks and tell the console, which stops all others.

        Never refused over its wording: an unknown reason counts as MANUAL, an unreadable scope as `global`, an unknown
        mode as HALTED, and `warnings` says so. Waits for callbacks and the first delivery, at most `wait_s` seconds.
        Returns the status with `delivered` (None without a console). While it is False this process stays stopped and
        the delivery is tried again until the console has it.
        """
        self.attach_loop()
        started = self._begin(reason, message, metadata, scope, mode)
        waits = [asyncio.wrap_future(future) for future in started.waits]
        if waits and wait_s > 0:
            await asyncio.wait(waits, timeout=wait_s)
        return self._status_after(started)

    def activate_sync(
        self,
        reason: KillSwitchReason | str = KillSwitchReason.MANUAL,
        message: str = "",
        metadata: Mapping[str, Any] | None = None,
        *,
        scope: str = GLOBAL,
        mode: Mode | str = Mode.HALTED,
        wait_s: float = WAIT_S,
    ) -> dict[str, Any]:
        """As `activate`, for code without an event loop.

        Inside a running loop it does not wait for callbacks: they may need that very loop.
        """
        started = self._begin(reason, message, metadata, scope, mode)
        waits = started.waits if running_loop() is None else started.waits[:1] if started.call else []
        if waits and wait_s > 0:
            wait_for_futures(waits, timeout=wait_s)
        return self._status_after(started)

    async def deactivate(self, message: str, *, scope: str = GLOBAL) -> dict[str, Any]:
        """Re-arm: end the stop of this scope, everywhere. Returns the status, if possible with the new lease.

        Raises PermissionDenied, NotActive, Refused or ConsoleUnreachable; nothing is lifted then. The halt file's stop
        ends with the file alone.
        """
        if self.console is None:
            self._lift_local(scope)
            return self.get_status()
        call = self._begin_deactivate(self.console, message, scope)
        done, _ = await asyncio.wait([asyncio.wrap_future(call.first)], timeout=WAIT_S * 3)
        epoch = self._finish_deactivate(call.first.result() if done else None, scope)
        await asyncio.wait([asyncio.wrap_future(self._live_at(epoch))], timeout=REARM_WAIT_S)
        return self.get_status()

    def deactivate_sync(self, message: str, *, scope: str = GLOBAL) -> dict[str, Any]:
        """As `deactivate`, for code without an event loop."""
        if self.console is None:
            self._lift_local(scope)
            return self.get_status()
        call = self._begin_deactivate(self.console, message, scope)
        done, _ = wait_for_futures([call.first], timeout=WAIT_S * 3)
        epoch = self._finish_deactivate(call.first.result() if done else None, scope)
        wait_for_futures([self._live_at(epoch)], timeout=REARM_WAIT_S)
        return self.get_status()

    @property
    def is_active(self) -> bool:
        """Whether a stop that covers this process is in force."""
        return self._gate.view.blocking() is not None

    @is_active.setter
    def is_active(self, value: bool) -> None:
        """The emergency override. False lifts every stop but the halt file's, in this process only.

        With a console it is reported and audited there, and ends with the next epoch or with True. It never replaces a
        missing lease. True ends it; where no stop is left then, it stops as `activate` does, without waiting.
        """
        if not value:
            logger.critical(
                "EMERGENCY OVERRIDE: is_active was set to False; this process ignores the stop from now on"
            )
            if self.console is None:
                self._runtime.lift(lambda local: local.source == "call")
            else:
                self._gate.set_override(on=True)
                self.console.report_soon()
            return
        if self._gate.override is not None:
            logger.critical("the emergency override has ended: is_active was set to True")
            self._gate.set_override(on=False)
            if self.console is not None:
                self.console.report_soon()
        if not self.is_active:
            self.activate_sync(message="is_active set to True", wait_s=0)

    # Inside

    def _blocking(
        self,
        symbol: str | None,
        strategy: str | None,
        account: str | None,
        venue: str | None,
        reduce_only: bool,
    ) -> Stop | None:
        view = self._gate.view
        stop = view.blocking((account, venue, strategy, symbol), reduce_only=reduce_only)
        return stop or (None if view.until > _now() else _NO_LEASE)

    def _begin(
        self, reason: str, message: str, metadata: Mapping[str, Any] | None, scope: str, mode: str
    ) -> _Started:
        stop, warnings = readable_stop(reason, message, metadata, scope, mode, by=self._by)
        for local in self._gate.locals:
            same = local.source == "call" and local.stop.scope == stop.scope
            if same and local.stop.mode in (Mode.HALTED, stop.mode) and self._gate.override is None:
                return _Started(local, warnings)  # stopping twice is one stop
        local = LocalStop(stop, "call", uuid4().hex)
        callbacks = self._runtime.halt(local)
        started = _Started(local, warnings)
        if self.console is not None:
            started.call = self.console.deliver(local)
            started.waits.append(started.call.first)
        if not inside_callback.get():
            started.waits += callbacks
        return started

    @property
    def _by(self) -> str:
        return "this process" if self.console is None else self.console.name

    def _status_after(self, started: _Started) -> dict[str, Any]:
        delivered = None if self.console is None else started.local.settled_epoch is not None
        return {
            **self.get_status(),
            "delivered": delivered,
            "delivery_error": started.local.delivery_error,
            "warnings": started.warnings,
        }

    def _begin_deactivate(self, console: OpsConsole, message: str, scope: str) -> Call:
        body = json.dumps({"message": str(message)[:4000], "scope": scope}).encode()
        call = Call(DEACTIVATE, body, uuid4().hex)
        console.send(call)
        return call

    def _finish_deactivate(self, answer: Answer | ConsoleUnreachable | None, scope: str) -> int:
        """The epoch of the re-arming, 0 if only this process was stopped."""
        if not isinstance(answer, Answer):
            raise answer or ConsoleUnreachable(
                "the console has not answered in time; nothing was lifted here"
            )
        if answer.status in (401, 403):
            raise PermissionDenied(f"re-arming was refused ({answer.text})")
        if answer.status == 409:
            self._lift_local(scope)
            return 0
        if not answer.ok:
            raise Refused(f"re-arming was refused ({answer.text})")
        self._runtime.lift(lambda local: local.source == "call" and local.stop.scope == scope)
        epoch = answer.data.get("epoch")
        return epoch if isinstance(epoch, int) else 0

    def _lift_local(self, scope: str) -> None:
        mine = [local for local in self._gate.locals if local.source == "call" and local.stop.scope == scope]
        if not mine:
            raise NotActive(f"there is no stop of scope {scope} that could be lifted")
        self._runtime.lift(lambda local: local in mine)

    def _live_at(self, epoch: int) -> "Future[View]":
        return self._gate.when(lambda view: view.epoch >= epoch and view.until > _now())


_NO_LEASE = Stop(
    GLOBAL, Mode.HALTED, "LEASE", "no lease: the console has not been heard from in time", {}, "", ""
)
