"""A real amtool against a real web process."""

import json
from pathlib import Path

import pytest

from alerts.models import Alert, Silence
from opsconsole.accounts.roles import Role
from tests.alerts.alertmanager.programs import Amtool
from tests.cast import account, token_of
from tests.console import ConsoleProcess


@pytest.fixture
def amtool(console: ConsoleProcess, tmp_path: Path) -> Amtool:
    return Amtool(console.url, token_of(account("alice", Role.OPERATOR)), tmp_path)


def test_without_a_right_it_is_refused(console: ConsoleProcess, tmp_path: Path) -> None:
    refused = Amtool(console.url, token_of(account("charlie")), tmp_path)
    assert "403" in refused("alert", "add", "Feed", fails=True)
    wrong = Amtool(console.url, "ops_wrong", tmp_path)
    assert "401" in wrong("alert", "query", fails=True)
    assert not Alert.objects.exists()


def test_alerts_are_added_and_queried(amtool: Amtool) -> None:
    amtool("alert", "add", "Feed", "venue=NYSE", "severity=critical", "--annotation=summary=No prices")
    amtool("alert", "add", "Feed", "venue=LSE")
    assert Alert.objects.get(labels__venue="NYSE").priority == "CRITICAL"
    found = amtool.json("alert", "query", "venue=NYSE")
    assert [alert["labels"] for alert in found] == [
        {"alertname": "Feed", "venue": "NYSE", "severity": "critical"}
    ]
    assert len(amtool.json("alert", "query", 'venue=~"N.*|L.*"', "alertname!=Disk")) == 2
    assert amtool.json("alert", "query", "nowhere=x") == []
    assert "No prices" in amtool("-o", "extended", "alert", "query", "Feed")


def test_a_silence_from_its_beginning_to_its_end(amtool: Amtool) -> None:
    amtool("alert", "add", "Feed", "venue=NYSE")
    pk = amtool(
        "silence", "add", "alertname=Feed", "venue=~N.*", "--comment=Maintenance", "--author=dana"
    ).strip()
    assert [one["id"] for one in amtool.json("silence", "query")] == [pk]
    assert amtool.json("silence", "query", "venue=~N.*")[0]["createdBy"] == "dana"
    assert [alert["status"]["silencedBy"] for alert in amtool.json("alert", "query", "--silenced")] == [[pk]]
    assert amtool.json("alert", "query") == []
    before = Silence.objects.get().ends_at
    amtool("silence", "update", pk, "--duration=3h", "--comment=Longer")
    changed = Silence.objects.get(pk=pk)
    assert changed.ends_at > before
    assert changed.comment == "Longer"
    amtool("silence", "expire", pk)
    assert amtool.json("silence", "query") == []
    assert [one["id"] for one in amtool.json("silence", "query", "--expired")] == [pk]
    assert len(amtool.json("alert", "query")) == 1


def test_silences_are_exported_and_imported_again(amtool: Amtool, tmp_path: Path) -> None:
    amtool("silence", "add", "venue=NYSE", "--comment=a")
    amtool("silence", "add", "venue=LSE", "--comment=b")
    exported = tmp_path / "silences.json"
    exported.write_text(json.dumps(amtool.json("silence", "query")))
    Silence.objects.all().delete()
    amtool("silence", "import", str(exported), "--force")
    assert sorted(one["comment"] for one in amtool.json("silence", "query")) == ["a", "b"]


def test_the_configuration_is_one_that_it_can_read(amtool: Amtool) -> None:
    assert "resolve_timeout: 5m" in amtool("config", "show")
    assert "console" in amtool("config", "routes", "show")
    assert amtool("config", "routes", "test", "alertname=Feed").strip() == "console"
    assert "disabled" in amtool("cluster", "show")


def test_a_silence_that_would_cover_everything_is_refused(amtool: Amtool) -> None:
    said = amtool("silence", "add", "alertname=~.*", "--comment=x", fails=True)
    assert "at least one matcher must not match the empty string" in said
    assert not Silence.objects.exists()
