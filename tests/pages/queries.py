"""A bound on a page's queries, whatever the number of rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def most_queries(bound: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as captured:
        yield
    listed = "\n".join(query["sql"][:200] for query in captured.captured_queries)
    assert len(captured) <= bound, f"{len(captured)} queries, at most {bound}:\n{listed}"
