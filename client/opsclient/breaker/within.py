"""Calls that are awaited, within the breaker's own deadline where there is one."""

import asyncio
import inspect
from collections.abc import Callable
from types import CoroutineType
from typing import Any

from opsclient.breaker.errors import CallDeadlineExceeded


async def settled(result: Any) -> Any:
    """What the result comes to: awaited if it can be."""
    if type(result) is CoroutineType or inspect.isawaitable(result):
        return await result
    return result


async def within(
    name: str, left: float | None, deadline: float | None, function: Callable[..., Any], *arguments: Any
) -> Any:
    """What the function comes to within `left` seconds. Raises CallDeadlineExceeded, and nothing of the kind if somebody else cancels."""
    if left is None or deadline is None:
        return await settled(function(*arguments))
    try:
        async with asyncio.timeout(left) as limit:
            return await settled(function(*arguments))
    except TimeoutError as error:
        if limit.expired():
            raise CallDeadlineExceeded(name, deadline) from error
        raise
