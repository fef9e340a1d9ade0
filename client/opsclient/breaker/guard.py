"""A guarded block of code: `with` and `async with`."""

import asyncio
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from opsclient.breaker.errors import CallDeadlineExceeded
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.permits import Permit

# The blocks that this thread or task is in by `with breaker`, the innermost first.
_inside: "ContextVar[tuple[tuple[Keeper, Guard], ...]]" = ContextVar("opsclient_breaker_blocks", default=())


class Guard:
    """One block. What it raises counts as the guarded call's failure does."""

    __slots__ = ("_began", "_deadline", "_keeper", "_limit", "_permit")

    def __init__(self, keeper: Keeper, deadline: float | None) -> None:
        self._keeper = keeper
        self._deadline = deadline
        self._permit: Permit | None = None
        self._limit: asyncio.Timeout | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        keeper = self._keeper
        self._permit = keeper.machine.way.term or keeper.enter()
        self._began = keeper.clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keeper, permit = self._keeper, self._permit
        ended = keeper.clock()
        seconds = ended - self._began
        term = keeper.machine.way.term
        if (
            error is None
            and self._deadline is None
            and term is not None
            and seconds <= term.slow_after
            and ended < term.turn_at
            and term is permit
        ):
            next(term.successes)
            return
        if permit is None:
            raise RuntimeError("a guarded block was left that was not entered")
        self._permit = None
        if error is None:
            keeper.completed(permit, seconds, self._deadline)
        else:
            keeper.raised(permit, error, seconds)

    async def __aenter__(self) -> Self:
        self.__enter__()
        if self._deadline is not None:
            self._limit = asyncio.timeout(self._deadline)
            await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        limit = self._limit
        if limit is not None and self._deadline is not None:
            try:
                await limit.__aexit__(kind, error, trace)
            except TimeoutError as timeout:
                own = CallDeadlineExceeded(self._keeper.name, self._deadline)
                self.__exit__(type(own), own, None)
                raise own from timeout
        self.__exit__(kind, error, trace)


def enter_block(keeper: Keeper, guard: Guard) -> None:
    """Remember the guard of a block of `with breaker`."""
    _inside.set(((keeper, guard), *_inside.get()))


def leave_block(keeper: Keeper) -> Guard | None:
    """The guard of the innermost block of this breaker; None if it was entered in another thread or task."""
    blocks = _inside.get()
    for place, (known, guard) in enumerate(blocks):
        if known is keeper:
            _inside.set(blocks[:place] + blocks[place + 1 :])
            return guard
    return None
