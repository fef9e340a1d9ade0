"""The functions that the application registered, and how they are run: once for each stop, apart from each other."""

import asyncio
import contextvars
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Any, Literal

from opsclient.errors import ConfigurationError
from opsclient.gate import Change, Episode
from opsclient.reasons import Mode
from opsclient.worker import Lane, PrivateLoop

logger = logging.getLogger("opsclient")

StopCallback = Callable[[str, str, dict[str, Any]], Awaitable[object] | object]
OrderFunction = Callable[[], Awaitable[object] | object]
ExposureFunction = Callable[[], Awaitable[Mapping[str, Any]] | Mapping[str, Any]]
Kind = Literal["cancel_orders", "close_positions"]
KINDS: tuple[Kind, ...] = ("cancel_orders", "close_positions")

# True while a callback runs, in its thread and in the task that it became: it must not wait for callbacks.
inside_callback: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "opsclient_inside_callback", default=False
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a function ended. `error` has no traceback: that one is in the log."""

    name: str
    ms: float
    value: object = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None


class Handler:
    """One registered function with its lane, and the event loop that its coroutines belong to."""

    def __init__(self, function: Callable[..., Any], *, name: str = "", auto: bool = False) -> None:
        if not callable(function):
            raise ConfigurationError(f"a callback must be callable, not {function!r:.80}")
        self.name = (name or getattr(function, "__name__", type(function).__name__))[:100]
        self.auto = auto
        self._function = function
        self._loop = running_loop()
        self._lane = Lane(self.name)
        self._claimed: list[Episode] = []

    def claim(self, episode: Episode, still_open: list[Episode]) -> bool:
        """Whether this is the first time for this episode. Call with the registry's lock held."""
        if episode in self._claimed:
            return False
        self._claimed = [known for known in self._claimed if known in still_open] + [episode]
        return True

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop for coroutines, unless the function was registered inside one that still runs."""
        if self._loop is None or self._loop.is_closed():
            self._loop = loop

    def run(self, private: PrivateLoop, done: Callable[[Outcome], None], *args: object) -> None:
        """Run the function in its lane and hand the outcome to `done`; never waits."""
        self._lane.submit(lambda: done(self._call(private, args)))

    def start(self, private: PrivateLoop, *args: object) -> Future[Outcome]:
        """Run the function in its lane; the future is its outcome."""
        future: Future[Outcome] = Future()
        self.run(private, future.set_result, *args)
        return future

    def restart_in_child(self) -> None:
        """After a fork: the lane's thread and the loop exist in the parent only."""
        self._lane, self._loop = Lane(self.name), None

    def _call(self, private: PrivateLoop, args: tuple[object, ...]) -> Outcome:
        token = inside_callback.set(True)
        began = time.perf_counter()
        value, error = None, None
        try:
            value = self._function(*args)
            if inspect.isawaitable(value):
                value = _await_on(self._loop, private, value)
        except BaseException as problem:  # whatever it is, the halt and the other callbacks go on
            logger.exception("the callback %s failed", self.name)
            error = f"{type(problem).__name__}: {problem}"[:300]
        finally:
            inside_callback.reset(token)
        return Outcome(self.name, round((time.perf_counter() - began) * 1000, 3), value, error)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _await_on(
    loop: asyncio.AbstractEventLoop | None, private: PrivateLoop, value: Awaitable[object]
) -> object:
    async def waited() -> object:
        return await value

    usable = loop is not None and loop.is_running()
    home = loop if usable and loop is not None else private.get()
    future = asyncio.run_coroutine_threadsafe(waited(), home)
    while True:
        try:
            return future.result(timeout=0.5)
        except NotYet:
            if future.done():
                raise  # the callback's own TimeoutError, not ours
            if not home.is_running():
                raise RuntimeError("the event loop ended while the callback ran") from None


@dataclass(slots=True)
class Handlers:
    """The registry of one gate. `on_outcome(episode, outcome)` receives the result of everything run for a stop."""

    on_outcome: Callable[[Episode, Outcome], None]
    open_episodes: Callable[[], list[Episode]]
    private: PrivateLoop = field(default_factory=PrivateLoop)
    _activate: list[Handler] = field(default_factory=list)
    _deactivate: list[Handler] = field(default_factory=list)
    _orders: dict[Kind, Handler] = field(default_factory=dict)
    _auto_wanted: set[Kind] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def add_activate(self, handler: Handler) -> None:
        """Register for stops; one that is in force already counts, so that nothing is missed at the start."""
        with self._lock:
            self._activate.append(handler)
        for episode in self.open_episodes():
            self._fire(handler, episode)

    def add_deactivate(self, handler: Handler) -> None:
        """Register for the end of stops."""
        with self._lock:
            self._deactivate.append(handler)

    def add_orders(self, kind: Kind, handler: Handler) -> None:
        """Register what cancels orders or closes positions. Raises ConfigurationError if there is one already."""
        with self._lock:
            if kind in self._orders:
                raise ConfigurationError(
                    f"a function for {kind} is registered already: {self._orders[kind].name}"
                )
            self._orders[kind] = handler
        if handler.auto:
            for episode in self.open_episodes():
                self._fire_orders(handler, episode)

    def expect_auto(self, kind: Kind) -> None:
        """Note that `kind` is to run by itself on a stop, so that a missing function is told and not passed over."""
        self._auto_wanted.add(kind)

    def get_orders(self, kind: str) -> Handler | None:
        """The function registered for this kind of command."""
        return self._orders.get(kind)  # type: ignore[call-overload,no-any-return]  # any text may be asked for

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the application's loop to everything that was registered outside one."""
        for handler in self._all():
            handler.adopt(loop)

    def dispatch(self, change: Change) -> list[Future[Outcome]]:
        """Start what is due for a change: orders first, then the callbacks. Futures of what was started for stops."""
        started: list[Future[Outcome] | None] = []
        for episode in change.opened:
            for kind in KINDS:
                handler = self._orders.get(kind)
                if handler is not None and handler.auto:
                    started.append(self._fire_orders(handler, episode))
                elif kind in self._auto_wanted and episode.stop.mode is Mode.HALTED:
                    logger.critical("auto_%s is on, but no function for it is registered", kind)
                    missing = f"auto_{kind} is on, but no function is registered"
                    self.on_outcome(episode, Outcome(kind, 0.0, error=missing))
            started += [self._fire(handler, episode) for handler in self._activate]
        for episode in change.closed:
            for handler in self._deactivate:
                handler.run(self.private, lambda _: None, *_arguments(episode))
        return [future for future in started if future is not None]

    def restart_in_child(self) -> None:
        """After a fork, in the child: new lanes, no loop, a lock that nobody holds."""
        self._lock, self.private = threading.RLock(), PrivateLoop()
        for handler in self._all():
            handler.restart_in_child()

    def _all(self) -> list[Handler]:
        return [*self._activate, *self._deactivate, *self._orders.values()]

    def _fire_orders(self, handler: Handler, episode: Episode) -> Future[Outcome] | None:
        # While only reducing is allowed, resting orders may be the ones that reduce: those are left to the operator.
        return self._fire(handler, episode, arguments=()) if episode.stop.mode is Mode.HALTED else None

    def _fire(
        self, handler: Handler, episode: Episode, arguments: tuple[object, ...] | None = None
    ) -> Future[Outcome] | None:
        with self._lock:
            if not handler.claim(episode, self.open_episodes()):
                return None
        future: Future[Outcome] = Future()

        def done(outcome: Outcome) -> None:
            self.on_outcome(episode, outcome)
            future.set_result(outcome)

        handler.run(self.private, done, *(_arguments(episode) if arguments is None else arguments))
        return future


def _arguments(episode: Episode) -> tuple[str, str, dict[str, Any]]:
    stop = episode.stop
    return stop.reason, stop.message, dict(stop.metadata)
