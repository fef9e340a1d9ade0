"""Reading big tables in pieces, within one transaction: by the order of a key, with constant memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection

# Rows in one piece.
CHUNK = 10_000
LOWEST = -(2**63)

Row = tuple[Any, ...]
# Told how many rows were read.
Step = Callable[[int], None]


def rows(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        found: list[Row] = cursor.fetchall()
    return found


def count(table: str) -> int:
    ((number,),) = rows(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  a name of a model
    return int(number)


def in_order(sql: str, *, step: Step) -> Iterator[Row]:
    """All rows of a query that takes (key above which, how many) and yields the key as its first column."""
    above = LOWEST
    while found := rows(sql, [above, CHUNK]):
        yield from found
        above = found[-1][0]
        step(len(found))
