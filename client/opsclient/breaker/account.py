"""One guarded call that has several steps: its permit, and how long it has made its caller wait."""

from collections.abc import Awaitable, Callable
from typing import Any

from opsclient.breaker.keeper import Keeper
from opsclient.breaker.permits import Permit
from opsclient.breaker.within import within


class Account:
    """Ends once, whoever says so first. Without a permit it takes one with the first step."""

    __slots__ = ("_deadline", "_keeper", "_permit", "_spent", "_thrown", "_useful", "over")

    def __init__(
        self,
        keeper: Keeper,
        deadline: float | None,
        permit: Permit | None = None,
        spent: float = 0.0,
    ) -> None:
        self._keeper = keeper
        self._deadline = deadline
        self._permit = permit
        self._spent = spent
        self._useful = False  # whether anything has come of it
        self._thrown: BaseException | None = None
        self.over = False

    def step(self, function: Callable[..., Any], *arguments: object) -> Any:
        """One step of the call. Raises what it raises, which ends the call, or CircuitBreakerOpenError."""
        if self.over:
            return function(*arguments)
        self._enter()
        began = self._keeper.clock()
        try:
            result = function(*arguments)
        except BaseException as error:
            self._add(began)
            self.raised(error)
            raise
        self._add(began)
        self._useful = True
        return result

    async def step_async(self, function: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """As `step`. The deadline holds for all steps together."""
        if self.over:
            return await function(*arguments)
        self._enter()
        began = self._keeper.clock()
        left = None if self._deadline is None else max(0.0, self._deadline - self._spent)
        try:
            result = await within(self._keeper.name, left, self._deadline, function, *arguments)
        except BaseException as error:
            self._add(began)
            self.raised(error)
            raise
        self._add(began)
        self._useful = True
        return result

    def raised(self, error: BaseException) -> None:
        """The call ends with this. That an iterator is exhausted is a good end."""
        if isinstance(error, StopIteration | StopAsyncIteration):
            self.done()
        elif isinstance(error, GeneratorExit) or error is self._thrown:
            self.closed()
        elif not self.over and self._permit is not None:
            self.over = True
            self._keeper.raised(self._permit, error, self._spent)

    def done(self, *result: object) -> None:
        """The call has come to its end, with a result or none."""
        if self.over or self._permit is None:
            return
        self.over = True
        if result:
            self._keeper.returned(self._permit, result[0], self._spent, self._deadline)
        else:
            self._keeper.completed(self._permit, self._spent, self._deadline)

    def closed(self) -> None:
        """The caller has had enough: a success if anything came, else it says nothing."""
        if self._useful:
            self.done()
        elif not self.over and self._permit is not None:
            self.over = True
            self._keeper.gave_up(self._permit)

    def finish(self, close: Callable[[], object]) -> None:
        """Close what is guarded, and the account with it."""
        try:
            close()
        except BaseException as error:
            self.raised(error)
            raise
        self.closed()

    async def finish_async(self, close: Callable[[], Awaitable[object]]) -> None:
        """As `finish`."""
        try:
            await close()
        except BaseException as error:
            self.raised(error)
            raise
        self.closed()

    def blame_caller(self, error: BaseException) -> None:
        """The caller throws this in: if it comes back, it was not the service that failed."""
        self._thrown = error

    def _enter(self) -> None:
        if self._permit is None:
            self._permit = self._keeper.enter()

    def _add(self, began: float) -> None:
        self._spent += self._keeper.clock() - began
