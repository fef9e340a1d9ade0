"""Threads of our own: one that repeats a step, one that runs jobs in order, and one that holds an event loop.

Waking goes through `queue.SimpleQueue`, whose `put` may be called from a signal handler at any moment.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from opsclient import clock

logger = logging.getLogger("opsclient")


class Worker:
    """A daemon thread that calls `step` at its start, when woken, and after the seconds that `step` returned.

    `step` returns None to wait for a wake-up alone. An exception in it is logged, and it is called again a second later:
    the thread itself never ends before `stop`. With `last_step`, `stop` has it called once more, to send what is left.
    """

    def __init__(self, name: str, step: Callable[[], float | None], *, last_step: bool = False) -> None:
        self._name = name
        self._last_step = last_step
        self._step = step
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._starting = threading.RLock()
        self._thread: threading.Thread | None = None
        self.stopping = False

    def start(self) -> None:
        """Start the thread; does nothing if it runs. Several threads may ask for it at once."""
        with self._starting:
            if self._thread is None and not self.stopping:
                thread = threading.Thread(target=self._run, name=f"opsclient-{self._name}", daemon=True)
                thread.start()
                self._thread = thread

    def wake(self) -> None:
        """Have `step` called soon, once for any number of calls that come before it."""
        self._wake.put(None)

    def stop(self, timeout: float) -> None:
        """End the thread after the step that runs, waiting for it at most `timeout` seconds."""
        self.stopping = True
        self.wake()
        with self._starting:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def rest_without_waking(self, seconds: float) -> None:
        """Wait for `seconds` unless stopped; wake-ups that come meanwhile are used up by it."""
        until = clock.now() + seconds
        while not self.stopping and (left := until - clock.now()) > 0:
            self.rest(left)

    def rest(self, seconds: float | None) -> None:
        """Wait until woken, or for `seconds`."""
        with contextlib.suppress(Empty):
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()

    def _run(self) -> None:
        while not self.stopping:
            pause = self._safe_step()
            if not self.stopping:  # the step may have used up the wake-up that came with it
                self.rest(pause)
        if self._last_step:
            self._safe_step()

    def _safe_step(self) -> float | None:
        try:
            return self._step()
        except Exception:
            logger.exception("the thread %s goes on after an error", self._name)
            return 1.0


class Lane:
    """Runs jobs one after the other in a daemon thread that starts with the first job.

    Each registered function has a lane of its own, so that one that hangs holds up nobody else.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._start = threading.RLock()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Queue a job; never waits."""
        self._jobs.put(job)
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"opsclient-{self._name}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except BaseException:  # not even a SystemExit in a callback may end the lane
                logger.exception("a job of the lane %s failed", self._name)


class PrivateLoop:
    """An event loop in a daemon thread, for asynchronous callbacks of a process that has no loop running."""

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """The running loop; starts it when first asked."""
        with self._start:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="opsclient-loop", daemon=True).start()
            return self._loop
