"""A bounded pool of threads for an event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class PoolFull(Exception):
    """Every thread is busy and the waiting line has no room."""


class WorkerPool:
    """Threads that work for one event loop. All methods are called on the loop's own thread.

    The standard library's executor lets jobs wait in an endless line, and joins its threads when the interpreter exits, so that a database that
    does not answer would keep the whole process alive. Here the line is bounded and the threads are daemons: `close()` waits as long as it is told.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name = name
        self._most = threads
        self._limit = threads + waiting
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._outstanding = 0
        self._emptied: asyncio.Future[None] | None = None

    @property
    def outstanding(self) -> int:
        """How many jobs run or wait."""
        return self._outstanding

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have `work` done in a thread. Raises PoolFull. A future that is cancelled before its turn comes is not worked on."""
        if self._outstanding >= self._limit:
            raise PoolFull(self._name)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._outstanding += 1
        if len(self._threads) < min(self._outstanding, self._most):
            self._start_thread(asyncio.get_running_loop())
        self._jobs.put((work, future))
        return future

    async def close(self, *, grace: float) -> bool:
        """Wait up to `grace` seconds for what is under way, then let the threads go. Returns whether all of it was done."""
        if self._outstanding:
            self._emptied = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied, grace)
        for _ in self._threads:
            self._jobs.put(None)
        return self._outstanding == 0

    def _start_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, args=[loop], name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            work, future = job
            result, error = None, None
            if not future.cancelled():
                try:
                    result = work()
                except BaseException as raised:
                    error = raised
            # The loop may have gone meanwhile; then nobody waits for the answer.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._finish, future, result, error)
            # An idle thread keeps nothing of its last job.
            del job, work, future, result, error

    def _finish(self, future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
        self._outstanding -= 1
        if self._outstanding == 0 and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
