"""The ways to call through a circuit breaker.

A call that is let in while nothing is unusual, and succeeds in time, costs two looks at the clock and a tick of a counter: no lock, no
window to keep. Whatever is unusual goes the longer way.

The short way is written out four times, in `call_sync`, `call` and what each decorates, and once more in Guard: one function for all of them would
add a call of its own to each guarded one, which is much of what that costs.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import update_wrapper
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar, overload

from opsclient.breaker.account import Account
from opsclient.breaker.errors import CircuitBreakerOpenError
from opsclient.breaker.guard import Guard
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.late import LATE, GuardedAsyncGenerator, GuardedGenerator, GuardedStream, guarded
from opsclient.breaker.permits import Permit, Way
from opsclient.breaker.within import settled, within
from opsclient.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Calls:
    """The base of CircuitBreaker, and what its `using` returns."""

    def __init__(
        self, keeper: Keeper, *, deadline: float | None, fallback: Callable[..., Any] | None
    ) -> None:
        if fallback is not None and not callable(fallback):
            raise ConfigurationError(f"fallback must be a function, not {fallback!r:.80}")
        self._keeper = keeper
        self._clock = keeper.clock
        self._own_deadline = deadline
        self._fallback = fallback
        # Another deadline than the breaker's own is looked at closely: a way without a term.
        self._way = keeper.machine.way if deadline is None else Way()

    def call_sync(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function(*args, **kwargs)` and return its result. Raises what it raises, or CircuitBreakerOpenError without calling it.

        A result that is a generator, a coroutine or a context manager made of one is guarded to its end.
        """
        way = self._way
        term = way.term
        if term is None:
            if self._fallback is None:
                self._keeper.turn_away()
            result: T = self._run(function, args, kwargs)
            return result
        clock = self._clock
        began = clock()
        try:
            # Without keywords it is quicker this way; the checker takes it for a call that lacks them.
            result = function(*args, **kwargs) if kwargs else function(*args)  # type: ignore[call-arg]
        except BaseException as error:
            self._keeper.raised(term, error, clock() - began)
            raise
        ended = clock()
        # Whether the term still runs is asked last: between that and the tick no other thread can come.
        if (
            ended - began <= term.slow_after
            and ended < term.turn_at
            and type(result) not in LATE
            and way.term is term
        ):
            next(term.successes)
            return result
        late: T = self._ended(term, result, ended - began)
        return late

    @overload
    async def call(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """As `call_sync`, for a function that returns something to await; a plain function may be given too."""
        way = self._way
        term = way.term
        if term is None:
            if self._fallback is None:
                self._keeper.turn_away()  # here already: a rejection needs no further coroutine
            return await self._run_async(function, args, kwargs)
        clock = self._clock
        began = clock()
        try:
            result = function(*args, **kwargs) if kwargs else function(*args)
            result = await result if type(result) is CoroutineType else await settled(result)
        except BaseException as error:
            self._keeper.raised(term, error, clock() - began)
            raise
        ended = clock()
        if (
            ended - began <= term.slow_after
            and ended < term.turn_at
            and type(result) not in LATE
            and way.term is term
        ):
            next(term.successes)
            return result
        return self._ended(term, result, ended - began)

    def __call__(self, function: F) -> F:
        """Guard a function: `@breaker`. An `async def` stays one; generators are guarded until they are exhausted or closed.

        Raises ConfigurationError for what cannot be called, such as a classmethod (let that decorator come first).
        """
        if not callable(function):
            raise ConfigurationError(f"a circuit breaker guards functions, not {function!r:.80}")
        made: Any
        if _is(inspect.iscoroutinefunction, function):
            made = self._async_function(function)
        elif _is(inspect.isgeneratorfunction, function):
            made = self._stream_function(function, GuardedGenerator)
        elif _is(inspect.isasyncgenfunction, function):
            made = self._stream_function(function, GuardedAsyncGenerator)
        else:
            made = self._plain_function(function)
        update_wrapper(made, function)
        result: F = made
        return result

    def guard(self) -> Guard:
        """A guarded block: `with breaker.guard(): …` or `async with breaker.guard(): …`; a new guard for each block."""
        return Guard(self._keeper, self._deadline)

    def stream(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> GuardedStream:
        """`async with breaker.stream(client.stream, "GET", url) as answer: …` is guarded from the entry to the exit.

        Also with `with`; and with `for` and `async for` where the function returns something to iterate over.
        """
        return GuardedStream(Account(self._keeper, self._deadline), lambda: function(*args, **kwargs))

    # What is decorated. The short way as above; a variable of the outer function is found sooner than an attribute.

    def _plain_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        way, clock, keeper = self._way, self._clock, self._keeper

        def guarded_function(*args: Any, **kwargs: Any) -> Any:
            term = way.term
            if term is None:
                if self._fallback is None:
                    keeper.turn_away()
                return self._run(function, args, kwargs)
            began = clock()
            try:
                result = function(*args, **kwargs) if kwargs else function(*args)
            except BaseException as error:
                keeper.raised(term, error, clock() - began)
                raise
            ended = clock()
            if (
                ended - began <= term.slow_after
                and ended < term.turn_at
                and type(result) not in LATE
                and way.term is term
            ):
                next(term.successes)
                return result
            return self._ended(term, result, ended - began)

        return guarded_function

    def _async_function(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        way, clock, keeper = self._way, self._clock, self._keeper

        async def guarded_function(*args: Any, **kwargs: Any) -> Any:
            term = way.term
            if term is None:
                if self._fallback is None:
                    keeper.turn_away()
                return await self._run_async(function, args, kwargs)
            began = clock()
            try:
                result = await function(*args, **kwargs) if kwargs else await function(*args)
            except BaseException as error:
                keeper.raised(term, error, clock() - began)
                raise
            ended = clock()
            if (
                ended - began <= term.slow_after
                and ended < term.turn_at
                and type(result) not in LATE
                and way.term is term
            ):
                next(term.successes)
                return result
            return self._ended(term, result, ended - began)

        return guarded_function

    def _stream_function(
        self, function: Callable[..., Any], kind: Callable[[Account, Any], Any]
    ) -> Callable[..., Any]:
        def guarded_function(*args: Any, **kwargs: Any) -> Any:
            return kind(Account(self._keeper, self._deadline), function(*args, **kwargs))

        return guarded_function

    # The longer way

    @property
    def _deadline(self) -> float | None:
        own = self._own_deadline
        return self._keeper.machine.config.deadline_seconds if own is None else own

    def _run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        keeper = self._keeper
        try:
            permit = keeper.enter()
        except CircuitBreakerOpenError:
            if self._fallback is None:
                raise
            return self._fallback(*args, **kwargs)
        began = keeper.clock()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            keeper.raised(permit, error, keeper.clock() - began)
            raise
        return self._ended(permit, result, keeper.clock() - began)

    async def _run_async(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        keeper = self._keeper
        try:
            permit = keeper.enter()
        except CircuitBreakerOpenError:
            if self._fallback is None:
                raise
            return await settled(self._fallback(*args, **kwargs))
        deadline = self._deadline
        began = keeper.clock()
        try:
            result = await within(keeper.name, deadline, deadline, lambda: function(*args, **kwargs))
        except BaseException as error:
            keeper.raised(permit, error, keeper.clock() - began)
            raise
        return self._ended(permit, result, keeper.clock() - began)

    def _ended(self, permit: Permit, result: Any, seconds: float) -> Any:
        if type(result) in LATE:
            return guarded(Account(self._keeper, self._deadline, permit, seconds), result)
        self._keeper.returned(permit, result, seconds, self._deadline)
        return result


def _is(question: Callable[[object], bool], function: Callable[..., Any]) -> bool:
    """Of a function, a partial of one, or an object whose `__call__` is one."""
    return question(function) or question(getattr(function, "__call__", None))  # noqa: B004  # not whether there is one
