"""How a kill switch is set up, and what the application registers with it."""

import asyncio
import os
from typing import Any

from opsclient import fork
from opsclient import halt_file as halt_files
from opsclient.console import OpsConsole
from opsclient.gate import Gate
from opsclient.handlers import ExposureFunction, Handler, Kind, OrderFunction, StopCallback
from opsclient.runtime import Runtime


class Registration:
    """The base of KillSwitch: its parts and callbacks."""

    _deadline: float

    def __init__(
        self,
        console: OpsConsole | None = None,
        *,
        alert_manager: Any = None,
        auto_cancel_orders: bool = False,
        auto_close_positions: bool = False,
        cancel_orders: OrderFunction | None = None,
        close_positions: OrderFunction | None = None,
        halt_file: str | os.PathLike[str] | None = None,
    ) -> None:
        self.console = console
        self.alert_manager = alert_manager
        self.auto_cancel_orders = auto_cancel_orders
        self.auto_close_positions = auto_close_positions
        self._runtime = _local_runtime() if console is None else console.runtime
        self._gate = self._runtime.gate
        self._gate.subscribe(self._set_deadline)
        self._watch(halt_file)
        self._set_alarm(alert_manager)
        self._set_orders("cancel_orders", auto_cancel_orders, cancel_orders)
        self._set_orders("close_positions", auto_close_positions, close_positions)

    def register_on_activate(self, callback: StopCallback) -> StopCallback:
        """Call `callback(reason, message, metadata)`, a plain or an async function, once for each stop of this process.

        At once if it is stopped already. Not for drills. An async callback runs on the loop that ran at registration,
        else on that of `activate` or `attach_loop`, else on one of its own; a plain one in a thread of its own.
        """
        self._runtime.handlers.add_activate(Handler(callback))
        return callback

    def register_on_deactivate(self, callback: StopCallback) -> StopCallback:
        """Call `callback(reason, message, metadata)`, with those of the stop, when a stop of this process ends."""
        self._runtime.handlers.add_deactivate(Handler(callback))
        return callback

    def register_cancel_orders(self, function: OrderFunction) -> OrderFunction:
        """What cancels all open orders. It returns how many, None, or a mapping with `cancelled`, `left`, `unknown`.

        Runs by itself on a stop with `auto_cancel_orders=True`, else when an operator asks for it.
        """
        self._register_orders("cancel_orders", function)
        return function

    def register_close_positions(self, function: OrderFunction) -> OrderFunction:
        """What closes all positions; as `register_cancel_orders`, with `auto_close_positions`."""
        self._register_orders("close_positions", function)
        return function

    def register_exposure(self, function: ExposureFunction) -> ExposureFunction:
        """What tells `open_orders` (a number), `positions` (a mapping) and `last_order` (a text) to the console."""
        if self.console is not None:
            self.console.reporter.exposure = Handler(function, name="exposure")
            self.console.report_soon()
        return function

    def attach_loop(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Run async callbacks that were registered outside a loop on this one (default: the one that runs here)."""
        self._runtime.handlers.adopt(loop or asyncio.get_running_loop())

    def close(self) -> None:
        """End the watch on the halt file. A console is closed by whoever made it."""
        if self.console is None:
            fork.forget(self._runtime)
            self._runtime.close(timeout=1.0)

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline

    def _set_orders(self, kind: Kind, auto: bool, function: OrderFunction | None) -> None:
        if auto:
            self._runtime.handlers.expect_auto(kind)
        if function is not None:
            self._register_orders(kind, function)

    def _watch(self, path: str | os.PathLike[str] | None) -> None:
        chosen = halt_files.choose(path)
        if chosen is not None:
            self._runtime.watch(chosen)

    def _set_alarm(self, alert_manager: Any) -> None:
        raise_alert = getattr(alert_manager, "alert_critical_error", None)
        if raise_alert is None:
            return

        def alarm(error: str, details: dict[str, Any]) -> Any:
            return raise_alert(error=error, details=details)

        self._runtime.alarm = Handler(alarm, name="alert_manager")

    def _register_orders(self, kind: Kind, function: OrderFunction) -> None:
        auto = self.auto_cancel_orders if kind == "cancel_orders" else self.auto_close_positions
        self._runtime.handlers.add_orders(kind, Handler(function, name=kind, auto=auto))


def _local_runtime() -> Runtime:
    gate = Gate(own=frozenset(), follows_console=False)
    runtime = Runtime(gate, on_outcome=lambda _episode, _outcome: None, on_local_change=lambda: None)
    fork.follow(runtime)
    return runtime
