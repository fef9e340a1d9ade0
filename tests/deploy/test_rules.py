"""Prometheus' own checks of its files, and what the console makes of the rules' labels."""

import subprocess
from pathlib import Path

import pytest

from alerts.choices import Category
from alerts.labels import mapping
from opsconsole.supervisor.programs import ROOT
from tests.alerts.alertmanager.programs import program
from tests.deploy import files, stack

CASES = [Path(__file__).with_name(name) for name in ("alerts.yml", "alerts_of_days.yml")]
PRIORITIES = {"critical": "CRITICAL", "high": "HIGH", "warning": "MEDIUM", "info": "LOW"}


def promtool(*arguments: str) -> str:
    """Its output. Asserts that it finds nothing to complain about."""
    done = subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_a_rule_that_is_wrong_is_found(tmp_path: Path) -> None:
    """The check below could fail."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(files.RULES[0].read_text().replace("sum by", "som by").replace("up{", "up{{"))
    with pytest.raises(AssertionError, match="parse error"):
        promtool("check", "rules", str(wrong))


def test_the_rules_are_sound() -> None:
    said = promtool("check", "rules", "--lint-fatal", *map(str, files.RULES))
    assert f"SUCCESS: {len(files.alerts())} rules found" in said


def test_the_configuration_is_sound(tmp_path: Path) -> None:
    config = stack.configure(tmp_path, target="127.0.0.1:8000", token="ops_x")
    said = promtool("check", "config", "--lint-fatal", str(config))
    assert "prometheus.yml is valid" in said
    assert f"SUCCESS: {len(files.RULES)} rule files found" in said


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    for cases in CASES:
        text = cases.read_text().replace("[RULES]", f"[{', '.join(map(str, files.RULES))}]")
        (tmp_path / cases.name).write_text(text)
    promtool("test", "rules", *(str(tmp_path / cases.name) for cases in CASES))


def test_every_alert_is_tried() -> None:
    tried = "".join(cases.read_text() for cases in CASES)
    assert [alert["alert"] for alert in files.alerts() if alert["alert"] not in tried] == []


def test_the_document_tells_of_every_alert() -> None:
    told = (ROOT / "docs" / "deployment.md").read_text()
    assert [alert["alert"] for alert in files.alerts() if f"`{alert['alert']}`" not in told] == []


def test_the_token_is_in_a_file_for_reading_and_for_alerts() -> None:
    config = files.load(files.PROMETHEUS / "prometheus.yml")
    (scrape,), (alertmanager,) = config["scrape_configs"], config["alerting"]["alertmanagers"]
    for part in (scrape, alertmanager):
        assert part["authorization"] == {"type": "Bearer", "credentials_file": stack.TOKEN}
        assert part["static_configs"] == [{"targets": [stack.TARGET]}]
    assert scrape["metrics_path"] == "/metrics"


@pytest.mark.django_db
@pytest.mark.parametrize("alert", files.alerts(), ids=lambda alert: str(alert["alert"]))
def test_the_console_understands_an_alert(alert: dict[str, dict[str, str]]) -> None:
    """By the label rules that it begins with."""
    labels = alert["labels"]
    assert labels["category"] in Category.values
    meaning = mapping().meaning({"alertname": str(alert["alert"]), **labels})
    assert (meaning.category, meaning.priority) == (labels["category"], PRIORITIES[labels["severity"]])
    assert set(alert["annotations"]) == {"summary", "runbook"}
    # What changes each time would make a new alert of it each time.
    assert not any("$value" in text for text in labels.values())
