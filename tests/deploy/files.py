"""What `deploy/` and docker-compose.yml hold, as the tests want it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from opsconsole.supervisor.programs import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
GRAFANA = ROOT / "deploy" / "grafana"
DATASOURCE = "opsconsole"

# Guide §2.3.
EXAMPLES = (
    "rate(trade_slippage_bps_sum[1h]) / rate(trade_slippage_bps_count[1h])",
    "increase(ai_cost_usd_total[1d])",
    "histogram_quantile(0.95, rate(api_request_duration_seconds_bucket[5m]))",
    'avg(cache_hit_rate{cache_type="redis"})',
)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def dashboards() -> dict[str, dict[str, Any]]:
    """By title."""
    found = [json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))]
    return {dashboard["title"]: dashboard for dashboard in found}


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in load(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


@dataclass(frozen=True)
class Expression:
    """`where`: for a message that says which one fails."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def panel_expressions() -> list[Expression]:
    return [
        Expression(f"{title} / {panel['title']}", target["expr"])
        for title, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def annotation_expressions() -> list[Expression]:
    return [
        Expression(f"{title} / {annotation['name']}", annotation["expr"])
        for title, dashboard in dashboards().items()
        for annotation in dashboard["annotations"]["list"]
    ]


def rule_expressions() -> list[Expression]:
    return [Expression(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def example_expressions() -> list[Expression]:
    return [Expression("guide 2.3", text) for text in EXAMPLES]


def every_expression() -> list[Expression]:
    return [*panel_expressions(), *annotation_expressions(), *rule_expressions(), *example_expressions()]
