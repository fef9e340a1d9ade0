"""Functions that run at the same time, on real connections."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

Run = Callable[[list[Callable[[], Any]]], list[Any]]


@pytest.fixture
def at_once() -> Iterator[Run]:
    """Runs functions in threads that begin together, each with a connection of its own, and gives their results."""
    with ThreadPoolExecutor(max_workers=40) as pool:

        def run(functions: list[Callable[[], Any]]) -> list[Any]:
            barrier = Barrier(len(functions))

            def one(function: Callable[[], Any]) -> Any:
                try:
                    connection.ensure_connection()
                    barrier.wait(timeout=20)
                    return function()
                finally:
                    connections.close_all()

            return list(pool.map(one, functions))

        yield run
