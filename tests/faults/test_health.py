"""A console whose Redis is frozen, or whose database is: nothing waits for them, and whoever asks is told."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from bench.fleet import wait_until
from bench.rig import Rig
from tests.migrated import data_folder

API = (
    "/monitoring/health",
    "/monitoring/health/summary",
    "/monitoring/system/status",
    "/monitoring/kill-switch",
    "/monitoring/alerts/recent",
    "/metrics",
)
# So long may an answer take, whatever is frozen. The limits themselves are 1 s and 2 s (`script/bench health-faults`); a busy machine gets more.
PATIENCE = 10.0


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """A console that looks at each component every two seconds."""
    with data_folder() as folder, Rig(folder, term=2.0, durable=False) as running:
        with psycopg.connect(running.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "UPDATE monitoring_healthcomponent SET interval_seconds = 2, budget_seconds = LEAST(budget_seconds, 1), due_at = now()"
            )
        yield running


def get(rig: Rig, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(rig.host, rig.port, timeout=PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {rig.token}"})
    answer = connection.getresponse()
    body = answer.read()
    return answer.status, json.loads(body) if body[:1] == b"{" else body


def status_of(rig: Rig, component: str) -> str:
    return str(get(rig, f"/monitoring/health/component/{component}")[1]["status"])


def test_frozen_redis_is_unhealthy_and_nothing_waits_for_it(rig: Rig) -> None:
    wait_until(lambda: status_of(rig, "redis") == "healthy", "Redis is healthy")
    rig.valkey.freeze()
    try:
        for path in API:
            assert get(rig, path)[0] in {200, 503}, path
        wait_until(lambda: status_of(rig, "redis") == "unhealthy", "Redis is unhealthy")
        status, body = get(rig, "/monitoring/health")
        assert (status, body["status"]) == (503, "unhealthy")
        assert get(rig, "/monitoring/system/status")[1]["status"] == "down"
        assert get(rig, "/readyz")[0] == 200
    finally:
        rig.valkey.thaw()
    wait_until(lambda: status_of(rig, "redis") == "healthy", "Redis is healthy again")


@pytest.mark.parametrize("how", ["frozen", "stopped"])
def test_without_a_database_it_lives_and_says_so(rig: Rig, how: str) -> None:
    wait_until(lambda: status_of(rig, "database") == "healthy", "the database is healthy")
    if how == "frozen":
        rig.postgres.freeze()
    else:
        rig.postgres.kill()
    try:
        assert get(rig, "/healthz")[0] == 200
        for path in ("/readyz", *API[:-1]):
            status, body = get(rig, path)
            assert (status, body["error"]["code"]) == (503, "database_unavailable"), path
    finally:
        if how == "frozen":
            rig.postgres.thaw()
        else:
            rig.postgres.start()
    wait_until(lambda: get(rig, "/readyz")[0] == 200, "it can serve again")
    wait_until(lambda: get(rig, "/monitoring/health/summary")[0] == 200, "it answers again")


def test_an_outage_is_in_the_history_when_it_is_over(rig: Rig) -> None:
    wait_until(lambda: status_of(rig, "database") == "healthy", "the database is healthy")
    rig.postgres.freeze()
    try:
        # Longer than two checks.
        threading.Event().wait(5)
    finally:
        rig.postgres.thaw()
    wait_until(
        lambda: "It did not answer for" in str(get(rig, "/monitoring/health/component/database")[1]),
        "it is noted",
    )
