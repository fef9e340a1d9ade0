"""Grafana's files: every panel of the guide, and what provisioning wants. Grafana itself does not run here."""

from collections.abc import Iterator
from typing import Any

import pytest

from opsconsole.supervisor.programs import ROOT
from tests.deploy import files, promql

# Guide §7.2.
PANELS = {
    "System Overview": (
        "API Request Rate (req/s)",
        "API Latency (p50, p95, p99)",
        "Cache Hit Rate",
        "System Resources (CPU, Memory, Disk)",
        "Circuit Breaker States",
        "Kill Switch Status",
    ),
    "Trading": (
        "Total Trades Today",
        "Trade Slippage Distribution",
        "Signals Generated (by type)",
        "Portfolio Value Over Time",
        "Daily P&L",
        "Sharpe Ratio (30d rolling)",
    ),
    "Cost": (
        "AI Cost Today",
        "AI Cost by Model",
        "Token Usage",
        "Projected Monthly Cost",
        "Cost per Analysis",
        "Cache Savings",
    ),
    "Risk": (
        "Risk Scores by Ticker",
        "Volatility Breaches",
        "Position Concentration",
        "Daily Loss Limit Usage",
        "Kill Switch Activations",
    ),
}
EVERY = [
    pytest.param(dashboard, panel, id=f"{title} / {panel['title']}")
    for title, dashboard in files.dashboards().items()
    for panel in dashboard["panels"]
]


def sources(node: Any) -> Iterator[Any]:
    """Every datasource that is named anywhere below."""
    if isinstance(node, dict):
        if "datasource" in node:
            yield node["datasource"]
        for value in node.values():
            yield from sources(value)
    elif isinstance(node, list):
        for value in node:
            yield from sources(value)


def test_every_panel_of_the_guide_is_there() -> None:
    found = files.dashboards()
    assert set(found) == set(PANELS)
    for title, wanted in PANELS.items():
        titles = [panel["title"] for panel in found[title]["panels"]]
        assert set(wanted) - set(titles) == set()
        assert len(set(titles)) == len(titles)


def test_each_dashboard_has_an_address_of_its_own_that_stays() -> None:
    assert {title: dashboard["uid"] for title, dashboard in files.dashboards().items()} == {
        "System Overview": "opsconsole-system",
        "Trading": "opsconsole-trading",
        "Cost": "opsconsole-cost",
        "Risk": "opsconsole-risk",
    }


@pytest.mark.parametrize("title", PANELS)
def test_a_dashboard_can_be_provisioned(title: str) -> None:
    dashboard = files.dashboards()[title]
    # A dashboard with a number of its own belongs to one Grafana.
    assert "id" not in dashboard
    assert "__inputs" not in dashboard
    assert dashboard["time"] == {"from": "now-6h", "to": "now"}
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["client"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(source == {"type": "prometheus", "uid": files.DATASOURCE} for source in sources(dashboard))


@pytest.mark.parametrize("title", PANELS)
def test_panels_lie_side_by_side(title: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in files.dashboards()[title]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(("dashboard", "panel"), EVERY)
def test_a_panel_says_what_it_shows(dashboard: dict[str, Any], panel: dict[str, Any]) -> None:
    assert panel["description"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"] == "unknown"
    assert defaults.get("unit") or panel["options"]["yAxis"]["unit"]
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(set(references)) == len(references)
    assert all(target["legendFormat"] for target in panel["targets"])
    # A legend that names a label which the expression sums away shows its name with braces.
    for target in panel["targets"]:
        named = {part.split("}}")[0] for part in target["legendFormat"].split("{{")[1:]}
        assert named <= promql.grouped_by(target["expr"])


@pytest.mark.parametrize(("dashboard", "panel"), EVERY)
def test_what_processes_report_is_filtered_by_the_variable(
    dashboard: dict[str, Any], panel: dict[str, Any]
) -> None:
    """What the console reports itself is not: it would be gone as soon as a process is chosen."""
    console = {
        "ai_monthly_cost_usd",
        "kill_switch_activations_total",
        "opsconsole_trading_halted",
        "opsconsole_watchdog_passed_timestamp_seconds",
    }
    for target in panel["targets"]:
        for selector in promql.selectors(target["expr"]):
            own = selector.metric in console or selector.metric.startswith(("host_", "health_"))
            assert ("client" in selector.labels) is not own, target["expr"]
            assert ('client=~"$client"' in target["expr"]) is not own


@pytest.mark.parametrize(("dashboard", "panel"), EVERY)
def test_today_begins_at_midnight_of_the_trading_day(
    dashboard: dict[str, Any], panel: dict[str, Any]
) -> None:
    if "Today" not in panel["title"] and panel["title"] != "Cache Savings":
        assert "timeFrom" not in panel
        return
    assert panel["timeFrom"] == "now/d"
    assert dashboard["timezone"] == "America/New_York"
    assert all("[$__range]" in target["expr"] and target["instant"] for target in panel["targets"])


def test_the_datasource_has_the_name_that_the_dashboards_use() -> None:
    (source,) = files.load(files.GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert (source["uid"], source["type"]) == (files.DATASOURCE, "prometheus")
    scrape = files.load(files.PROMETHEUS / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrape


def test_the_provider_looks_where_docker_compose_puts_the_dashboards() -> None:
    (provider,) = files.load(files.GRAFANA / "provisioning" / "dashboards" / "opsconsole.yml")["providers"]
    volumes = files.load(ROOT / "docker-compose.yml")["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in volumes
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in volumes
