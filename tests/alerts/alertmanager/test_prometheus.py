"""A real Prometheus that sends here with a bearer token: one rule fires, and resolves."""

import urllib.request
from pathlib import Path

from alerts.choices import AlertState
from alerts.models import Alert
from opsconsole.accounts.roles import Role
from opsconsole.embedded.processes import wait_until
from tests.alerts.alertmanager.programs import program, prometheus
from tests.cast import account, token_of
from tests.console import ConsoleProcess

RULE = """
groups:
- name: desk
  rules:
  - alert: FeedStale
    expr: {expr}
    labels: {{severity: critical, venue: NYSE}}
    annotations: {{summary: No prices from NYSE}}
"""
PATIENCE = 40


def test_a_rule_fires_and_resolves(console: ConsoleProcess, tmp_path: Path) -> None:
    program("prometheus")
    token = token_of(account("prometheus", Role.TRADING_SYSTEM, is_service=True))
    rules = tmp_path / "rules.yml"
    rules.write_text(RULE.format(expr="vector(1)"))
    with prometheus(tmp_path, console_port=console.port, token=token, rules=rules) as port:
        assert wait_until(Alert.objects.filter(title="FeedStale").exists, seconds=PATIENCE)
        alert = Alert.objects.get()
        assert (alert.state, alert.priority, alert.message) == ("FIRING", "CRITICAL", "No prices from NYSE")
        assert (alert.source, alert.raised_by) == ("prometheus", "prometheus via tests")
        assert f":{port}/graph" in alert.generator_url
        rules.write_text(RULE.format(expr="vector(1) > 2"))
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/-/reload", method="POST"))
        resolved = Alert.objects.filter(pk=alert.pk, state=AlertState.RESOLVED)
        assert wait_until(resolved.exists, seconds=PATIENCE)
