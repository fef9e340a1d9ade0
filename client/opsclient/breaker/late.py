"""Results that are only the beginning of a call: coroutines, generators, context managers. They stay guarded to their end.

What counts as the call's time is how long the service made its caller wait, not what the caller did in between.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import _AsyncGeneratorContextManager, _GeneratorContextManager
from types import AsyncGeneratorType, CoroutineType, GeneratorType, TracebackType
from typing import Any

from opsclient.breaker.account import Account

# Exact types, so that the question costs a look into a set.
LATE: frozenset[type] = frozenset(
    (
        CoroutineType,
        GeneratorType,
        AsyncGeneratorType,
        _GeneratorContextManager,
        _AsyncGeneratorContextManager,
    )
)


def guarded(account: Account, result: Any) -> Any:
    """A late result that goes on under this account."""
    if isinstance(result, CoroutineType):
        return _awaited(account, result)
    if isinstance(result, GeneratorType):
        return GuardedGenerator(account, result)
    if isinstance(result, AsyncGeneratorType):
        return GuardedAsyncGenerator(account, result)
    return GuardedStream(account, lambda: result)


async def _awaited(account: Account, coroutine: Coroutine[Any, Any, Any]) -> Any:
    result = await account.step_async(lambda: coroutine)
    if type(result) in LATE:
        return guarded(account, result)
    account.done(result)
    return result


class GuardedGenerator(Generator[Any, Any, Any]):
    """A generator that is guarded until it is exhausted or closed. The permit is taken by its first step, if not before."""

    def __init__(self, account: Account, inner: Generator[Any, Any, Any]) -> None:
        self._account, self._inner = account, inner

    def send(self, value: Any) -> Any:
        return self._account.step(self._inner.send, value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        error = _thrown(kind, value)
        self._account.blame_caller(error)
        return self._account.step(self._inner.throw, error)

    def close(self) -> None:
        self._account.finish(self._inner.close)


class GuardedAsyncGenerator(AsyncGenerator[Any, Any]):
    """As GuardedGenerator."""

    def __init__(self, account: Account, inner: AsyncGenerator[Any, Any]) -> None:
        self._account, self._inner = account, inner

    async def asend(self, value: Any) -> Any:
        return await self._account.step_async(self._inner.asend, value)

    async def athrow(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        error = _thrown(kind, value)
        self._account.blame_caller(error)
        return await self._account.step_async(self._inner.athrow, error)

    async def aclose(self) -> None:
        await self._account.finish_async(self._inner.aclose)


class GuardedStream:
    """What `make` returns, guarded: a context manager from its entry to its exit, something to iterate over until it is exhausted.

    Use it with `with`, `async with`, `for` or `async for`, as what it guards wants to be used. An exception in the block counts as
    one of the call.
    """

    def __init__(self, account: Account, make: Callable[[], Any]) -> None:
        self._account, self._make = account, make
        self._manager: Any = None
        self._iterator: Any = None

    def __enter__(self) -> Any:
        self._manager = self._account.step(self._make)
        return self._account.step(type(self._manager).__enter__, self._manager)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        # A block that fails may be swallowed by the manager; it has failed all the same.
        if error is not None:
            self._account.raised(error)
        swallowed = self._account.step(type(self._manager).__exit__, self._manager, kind, error, trace)
        self._account.done()
        return swallowed

    async def __aenter__(self) -> Any:
        self._manager = await self._made()
        return await self._account.step_async(type(self._manager).__aenter__, self._manager)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        if error is not None:
            self._account.raised(error)
        leave = type(self._manager).__aexit__
        swallowed = await self._account.step_async(leave, self._manager, kind, error, trace)
        self._account.done()
        return swallowed

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._account.step(self._make))
        return self._account.step(next, self._iterator)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._iterator is None:
            self._iterator = aiter(await self._made())
        return await self._account.step_async(anext, self._iterator)

    def close(self) -> None:
        """End it before it is exhausted."""
        self._account.finish(getattr(self._iterator, "close", _nothing))

    async def aclose(self) -> None:
        """As `close`."""
        close = getattr(self._iterator, "aclose", None)
        if close is None:
            self._account.closed()
        else:
            await self._account.finish_async(close)

    async def _made(self) -> Any:
        """Some are to be awaited first, some may be; those that can be entered are not."""
        made = self._account.step(self._make)
        if hasattr(type(made), "__aenter__") or hasattr(type(made), "__aiter__"):
            return made
        return await self._account.step_async(lambda: made)


def _thrown(kind: Any, value: Any) -> BaseException:
    """The exception, by whichever of the ways of `throw` it was given."""
    if isinstance(kind, BaseException):
        return kind
    error = value if isinstance(value, BaseException) else kind() if value is None else kind(value)
    if not isinstance(error, BaseException):
        raise TypeError(f"an exception is to be thrown, not {kind!r:.80}")
    return error


def _nothing() -> None:
    pass
