"""How threads of the event loop keep their connection to the database."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from opsconsole.live import database
from opsconsole.live.database import Steady

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    yield
    connection.close()


def one() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        found: int = cursor.fetchone()[0]
    return found


def test_a_failure_is_the_caller_s_and_the_next_one_gets_a_new_connection() -> None:
    steady = Steady()
    assert steady(one)() == 1
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(OperationalError):
        steady(one)()
    assert steady(one)() == 1


def test_the_connection_is_checked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    checks, steady = [], Steady()
    clock = iter((100.0, 100.5, 100.9, 101.0, 101.9, 102.1))
    monkeypatch.setattr(database, "monotonic", lambda: next(clock))
    monkeypatch.setattr(database, "close_old_connections", lambda: checks.append(1))
    for _ in range(6):
        assert steady(one)() == 1
    assert len(checks) == 3
