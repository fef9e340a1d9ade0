"""manage.py killswitch, with nothing but the database."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from killswitch import services
from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import ROOT, acting
from tests.killswitch.conftest import Connect

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


def run(*args: str) -> str:
    out = StringIO()
    call_command("killswitch", *args, stdout=out, stderr=out)
    return out.getvalue()


def test_deactivate_says_by_its_exit_code_that_nothing_is_stopped(db: None) -> None:
    with pytest.raises(CommandError, match="not stopped") as refused:
        run("deactivate", "--message", "x")
    assert refused.value.returncode == 4


def test_deactivate_refuses_an_unreadable_scope(db: None) -> None:
    run("activate")
    with pytest.raises(CommandError, match="scope"):
        run("deactivate", "--scope", "IBM")


def test_a_drill_is_refused_where_trading_is_stopped(db: None) -> None:
    run("activate")
    with pytest.raises(CommandError, match="re-arm") as refused:
        run("drill")
    assert refused.value.returncode == 1


def test_stops_with_nobody_connected(db: None) -> None:
    told = run("activate", "--message", "maintenance", "--reason", "COST_ALERT")
    episode = Activation.objects.get()
    assert "HALTED global: committed" in told
    assert "Stopped: 0 processes" in told
    assert (episode.reason, episode.message, episode.actor_kind) == ("COST_ALERT", "maintenance", "system")
    assert episode.activated_by.endswith("on the shell")
    assert "was so already" in run("activate")


def test_unreadable_words_stop_everything(db: None) -> None:
    told = run("activate", "--reason", "?", "--scope", "IBM", "--mode", "half")
    assert told.count("warning:") >= 3
    assert Activation.objects.get().scope == "global"


def test_waits_for_the_proof_and_prints_each_process(
    alice: User, connect: Connect, settings: Settings
) -> None:
    settings.LEASE_TERM = 0.5
    connect("AAPL")
    connect("IBM")
    told = run("activate")
    assert "AAPL (pid 4711): lease expired after" in told
    assert "IBM (pid 4711): lease expired after" in told
    assert "Stopped: 2 processes proven in" in told


def test_no_wait_returns_once_it_is_committed(connect: Connect) -> None:
    connect()
    assert "Stopped" not in run("activate", "--no-wait")
    assert Activation.objects.get().stopped_at is None


def test_an_incomplete_proof_has_its_exit_code(
    connect: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()
    settings.LEASE_TERM = 0.5
    # As if the database took too long to record it.
    monkeypatch.setattr("killswitch.proving.GRACE_S", -10.0)
    with pytest.raises(SystemExit) as ended:
        run("activate")
    assert ended.value.code == 3
    assert Activation.objects.get().ended_at is None


def test_status_history_and_json(alice: User) -> None:
    assert run("status").startswith("TRADING")
    stopped: Any = json.loads(run("activate", "--json", "--message", "m"))
    assert (stopped["changed"], stopped["proven"], stopped["warnings"][0][:10]) == (True, True, "no trading")
    assert "HALTED, stopped" in run("status")
    assert json.loads(run("status", "--json"))["is_active"] is True
    assert "Re-armed global" in run("deactivate", "--message", "fixed")
    assert "m; stopped in 0 ms; ended" in run("history")
    assert [item["ended_message"] for item in json.loads(run("history", "--json", "--limit", "1"))] == [
        "fixed"
    ]
    with pytest.raises(CommandError, match="--limit"):
        run("history", "--limit", "0")
    assert AuditEvent.objects.get(action="killswitch.rearmed").reason == "fixed"


def test_a_drill_ends_by_itself(alice: User) -> None:
    assert "Drill complete: 0 ms for 0 processes" in run("drill")
    services.activate(actor=acting(alice), reason="MANUAL", message="")
    services.deactivate(actor=ROOT, message="x")


def shell(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, MANAGE, "killswitch", *args], capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | environ,
    )  # fmt: skip


def test_says_what_is_left_when_the_database_is_away() -> None:
    done = shell(
        "activate",
        DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert done.returncode == 5
    assert "OPSCLIENT_HALT_FILE" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_is_2_and_help_names_the_exit_codes() -> None:
    assert shell("explode").returncode == 2
    told = shell("--help")
    assert told.returncode == 0
    assert "3  the stop is committed" in told.stdout
