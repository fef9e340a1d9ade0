"""Answers to chats that follow the answer to their request: a chat wants that one within seconds."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

# Little to do, and none of it with the database.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="chat-replies")


def later(reply: Callable[[], None]) -> "Future[None]":
    """Run `reply`, which handles its own errors, in a thread of this process."""
    return _pool.submit(reply)
