"""publish(): one line on the bus, bound to its transaction."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from opsconsole.live.publish import CHANNEL, publish


@pytest.fixture
def heard(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A listener on the test's database."""
    del transactional_db
    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{name: parameters[name] for name in names if parameters.get(name)}) as listener:
        listener.autocommit = True
        listener.execute(f"LISTEN {CHANNEL}")
        yield listener


def lines(listener: psycopg.Connection) -> list[dict[str, object]]:
    """What has been announced up to now: a mark of our own ends it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, 'mark')", [CHANNEL])
    found: list[dict[str, object]] = []
    for notify in listener.notifies(timeout=20):
        if notify.payload == "mark":
            return found
        found.append(json.loads(notify.payload))
    raise AssertionError("the mark did not come")


@pytest.mark.django_db(transaction=True)
def test_it_is_refused_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        publish("killswitch")


def test_what_is_rolled_back_is_not_announced(heard: psycopg.Connection) -> None:
    with transaction.atomic():
        publish("killswitch")
        transaction.set_rollback(True)
    assert lines(heard) == []


def test_what_is_committed_is_announced_once(heard: psycopg.Connection) -> None:
    with transaction.atomic():
        publish("killswitch", ids=(7, 8))
        publish("killswitch", ids=(7, 8))
        assert list(heard.notifies(timeout=0)) == []
    assert lines(heard) == [{"topic": "killswitch", "ids": [7, 8]}]


def test_a_long_list_of_ids_is_cut(heard: psycopg.Connection) -> None:
    with transaction.atomic():
        publish("clients", ids=tuple(range(10_000)))
    assert lines(heard) == [{"topic": "clients", "ids": list(range(50))}]
