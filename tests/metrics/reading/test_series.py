"""GET /monitoring/metrics/series: every refusal names its field; then what charts are told."""

from typing import Any

import pytest
from django.utils.http import urlencode

from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller
from tests.metrics.rows import a_series, gauge, histogram, minute

pytestmark = pytest.mark.usefixtures("tables")
ADDRESS = "/monitoring/metrics/series"
RANGE = {"from": "2026-11-20T14:00:00Z", "to": "2026-11-20T14:03:00Z", "step": "60"}


@pytest.fixture
def viewer(bob: User) -> ApiClient:
    return caller(bob)


def test_refuses_who_may_not_read(charlie: User) -> None:
    assert ApiClient().get(ADDRESS).status_code == 401
    assert caller(charlie).get(f"{ADDRESS}?name=risk_score").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "name"),
        ({"name": "nonsense"}, "name"),
        ({"name": "risk_score", "until": "now"}, "until"),
        ({"name": "risk_score", "from": "yesterday"}, "from"),
        ({"name": "risk_score", "from": "2026-11-20T14:00:00"}, "from"),
        ({"name": "risk_score", "to": "25"}, "to"),
        ({"name": "risk_score", "from": "2026-11-20T14:00:00Z", "to": "2026-11-20T14:00:00Z"}, "from"),
        ({"name": "risk_score", "step": "soon"}, "step"),
        ({"name": "risk_score", "step": "0"}, "step"),
        ({"name": "risk_score", "step": "30s"}, "step"),
        ({"name": "risk_score", "step": "999999999d"}, "step"),
        ({"name": "risk_score", "from": "2020-01-01T00:00:00Z", "step": "60"}, "step"),
        ({"name": "risk_score", "labels": "ticker"}, "labels"),
        ({"name": "risk_score", "labels": ":IBM"}, "labels"),
        ({"name": "risk_score", "labels": "ticker:A,ticker:B"}, "labels"),
        ({"name": "risk_score", "labels": "{"}, "labels"),
        ({"name": "risk_score", "labels": '{"ticker": 5}'}, "labels"),
        ({"name": "risk_score", "labels": "ticker:" + "x" * 201}, "labels"),
        ({"name": "risk_score", "labels": "ticker:\x00"}, "labels"),
        ({"name": "risk_score", "labels": "colour:red"}, "labels.colour"),
        ({"name": "risk_score", "by": "ticker"}, "by"),
        ({"name": "trades_total", "by": "colour"}, "by"),
    ],
)
def test_refuses_and_names_the_field(viewer: ApiClient, query: dict[str, str], field: str) -> None:
    answer = viewer.get(f"{ADDRESS}?{urlencode(query)}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]


def ask(viewer: ApiClient, **query: str) -> dict[str, Any]:
    answer = viewer.get(f"{ADDRESS}?{urlencode({**RANGE, **query})}")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_gives_increase_and_rate_of_counters(viewer: ApiClient) -> None:
    row = a_series("trades_total", ticker="IBM", side="BUY", status="FILLED")
    minute(row, "2026-11-20 14:01", 30)
    found = ask(viewer, name="trades_total", by="")
    assert found["series"] == [{"labels": {}, "increase": [None, 30, None], "rate": [None, 0.5, None]}]
    assert found["times"] == [1795183200, 1795183260, 1795183320]
    assert (found["kind"], found["step_seconds"]) == ("counter", 60)


def test_gives_the_newest_lowest_and_highest_of_gauges(viewer: ApiClient) -> None:
    gauge(a_series("cache_hit_rate", cache_type="a,b"), "2026-11-20 14:00", 90, 80, 85)
    found = ask(viewer, name="cache_hit_rate", labels='{"cache_type": "a,b"}')
    assert found["series"] == [
        {
            "labels": {"cache_type": "a,b", "client": "desk-1"},
            "last": [85, None, None],
            "low": [80, None, None],
            "high": [90, None, None],
        }
    ]


def test_gives_mean_and_quantiles_of_histograms(viewer: ApiClient) -> None:
    histogram(a_series("signal_confidence", signal="BUY"), "2026-11-20 14:00", [0] * 4 + [10] + [0] * 6, 4.5)
    found = ask(viewer, name="signal_confidence", labels="signal:BUY,client:desk-1")
    (line,) = found["series"]
    assert line["count"] == [10, None, None]
    assert line["mean"] == [0.45, None, None]
    assert line["p50"][0] == pytest.approx(0.45)
    assert line["p95"][0] == pytest.approx(0.495)


def test_is_an_empty_chart_when_nothing_is_known(viewer: ApiClient) -> None:
    assert ask(viewer, name="risk_score")["series"] == []


def test_chooses_a_step_by_itself(viewer: ApiClient) -> None:
    found = ask(viewer, name="risk_score", **{"from": "2026-11-13T14:00:00Z", "step": ""})
    assert found["step_seconds"] == 3600
