"""A real Prometheus with the files of `deploy/` reads every metric: each expression of panels, rules and the guide has a value."""

import time
from collections.abc import Iterator

import pytest

from opsconsole.embedded.processes import wait_until
from tests.deploy import files, promql, stack
from tests.deploy.trading import CLIENTS, TradingConsole

PATIENCE = 30.0
TOKEN = "ops_secret"


@pytest.fixture(scope="module")
def console() -> Iterator[TradingConsole]:
    """Its processes have been silent for ten minutes, which is too long for one rule."""
    found = TradingConsole(TOKEN, now=time.time() - 600)
    with found.serving():
        yield found


@pytest.fixture(scope="module")
def prometheus(
    console: TradingConsole, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[stack.Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with stack.running(folder, target=console.address, token=TOKEN) as found:
        yield found


def test_the_console_is_read_with_the_token(prometheus: stack.Prometheus, console: TradingConsole) -> None:
    assert wait_until(lambda: prometheus.values('up{job="opsconsole"}') == [1.0], seconds=PATIENCE)
    assert console.refused == []


@pytest.mark.parametrize("expression", files.every_expression(), ids=str)
def test_an_expression_finds_data(prometheus: stack.Prometheus, expression: files.Expression) -> None:
    text = promql.filled_in(expression.text)
    assert "$" not in text.replace("$labels", "")
    prometheus.values(text)
    left = promql.without_comparison(text)
    assert wait_until(lambda: prometheus.finds(left), seconds=PATIENCE, interval=0.2), left


@pytest.mark.parametrize("alert", files.alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_compares_with_a_number(alert: dict[str, str]) -> None:
    """So that the test above can ask for its left side."""
    assert promql.compares(alert["expr"])


@pytest.mark.parametrize("title", files.dashboards())
def test_the_variable_offers_the_trading_processes(prometheus: stack.Prometheus, title: str) -> None:
    (variable,) = files.dashboards()[title]["templating"]["list"]
    query = variable["query"]["query"]
    assert query == variable["definition"]
    selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)

    def offered() -> list[str]:
        return list(prometheus.ask(f"label/{label}/values", match=selector))

    assert wait_until(lambda: offered() == list(CLIENTS), seconds=PATIENCE)


def test_one_process_alone_is_shown(prometheus: stack.Prometheus) -> None:
    """What is chosen in Grafana reaches every panel of what processes report."""
    for expression in files.panel_expressions():
        if "$client" not in expression.text:
            continue
        text = promql.filled_in(expression.text.replace("$client", "(nobody|nothing)"))
        assert prometheus.values(text) == [], str(expression)


def test_what_fires_is_sent_to_the_console(prometheus: stack.Prometheus, console: TradingConsole) -> None:
    """With the labels by which the console maps it, and words for a person."""
    del prometheus

    def sent() -> dict[str, dict[str, dict[str, str]]]:
        return {alert["labels"]["alertname"]: alert for alert in console.alerts}

    assert wait_until(lambda: {"VolatilityBreach", "AiCostOverDailyBudget"} <= set(sent()), seconds=PATIENCE)
    breach = sent()["VolatilityBreach"]
    assert breach["labels"]["severity"] == "warning"
    assert breach["labels"]["category"] == "RISK_WARNING"
    assert breach["labels"]["client"] in CLIENTS
    assert "exceeded its limit in" in breach["annotations"]["summary"]
    assert breach["annotations"]["runbook"]
    assert "$" in sent()["AiCostOverDailyBudget"]["annotations"]["summary"]
