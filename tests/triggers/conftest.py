from collections.abc import Iterator

import pytest
from django.db import connection

from alerts.services import submitting
from tests.cast import alice, bob, charlie, sam, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture(autouse=True)
def _nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts stay as they were submitted: a thread would decide them sooner or later."""
    monkeypatch.setattr(submitting._decider, "wake", lambda: None)


@pytest.fixture
def minutes(transactional_db: None) -> Iterator[None]:
    """Somewhere to keep minutes and hours, whenever they were."""
    with connection.cursor() as cursor:
        for table in ("monitoring_minute", "monitoring_five", "monitoring_hour"):
            cursor.execute(f"CREATE TABLE {table}_all PARTITION OF {table} DEFAULT")
    yield
    with connection.cursor() as cursor:
        for table in ("monitoring_minute", "monitoring_five", "monitoring_hour"):
            cursor.execute(f"DROP TABLE {table}_all")
