"""GET /monitoring/triggers."""

import pytest

from monitoring.triggers.evaluating import evaluate
from opsconsole.accounts.models import User
from tests.cast import caller
from tests.metrics.series import NOW
from tests.triggers.rows import GAUGE, only, report

URL = "/monitoring/triggers"


def test_needs_the_right_to_read(charlie: User) -> None:
    assert caller(charlie).get(URL).status_code == 403


def test_takes_no_other_method(sam: User) -> None:
    assert caller(sam).post(URL, {}).status_code == 405


def test_shows_what_a_console_begins_with(bob: User) -> None:
    body = caller(bob).get(URL).json()
    found = {row["name"]: row for row in body["results"]}
    assert body["next"] is None
    # Nothing but the daily loss stops trading of itself.
    stopping = {
        name for name, row in found.items() if "STOP" in (row["action"], row["on_missing"], row["on_error"])
    }
    assert stopping == {"daily-loss-usd", "daily-loss-pct"}
    assert found["daily-loss-usd"]["threshold"] == -20_000
    assert found["daily-loss-usd"]["state"] | {"error": ""} == {
        "condition": "WAITING",
        "confirmed": 0,
        "far": False,
        "tripped_at": None,
        "value": None,
        "value_at": None,
        "problem": None,
        "problem_at": None,
        "error": "",
        "evaluated_at": None,
    }


@pytest.mark.django_db(transaction=True)
def test_shows_the_newest_reading(bob: User) -> None:
    only()
    report(GAUGE, -6000, at=NOW)
    evaluate(now=NOW)
    (row,) = caller(bob).get(URL).json()["results"]
    assert row["state"]["condition"] == "TRIPPED"
    assert row["state"]["value"] == -6000
    assert row["state"]["value_at"] == "2026-03-04T15:30:00Z"
