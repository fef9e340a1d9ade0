"""What docs/alerts.md and docs/channels.md print works as printed."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from alerts.channels.webhook import signature
from alerts.choices import Category, Decision
from alerts.models import Alert, AlertRule, Channel, ResponseTime, Silence
from opsconsole.accounts.models import User
from tests.cast import caller

DOCS = Path(__file__).parents[2] / "docs"
CALL = re.compile(r"^curl -X (\w+) http://localhost:8000(\S+)(.*?)(?=^curl|^```)", re.MULTILINE | re.DOTALL)
BODY = re.compile(r"-d '(.*?)'", re.DOTALL)


def calls() -> list[tuple[str, str, str]]:
    """Method, address and body of every curl line that changes something."""
    found = []
    for name in ("alerts.md", "channels.md"):
        for method, address, rest in CALL.findall((DOCS / name).read_text()):
            body = BODY.search(rest)
            found.append((method, address, body[1].replace("…", "x" * 35) if body else "{}"))
    return found


@pytest.mark.django_db
def test_the_calls_are_carried_out(sam: User) -> None:
    client = caller(sam)
    answers: dict[str, Any] = {}
    for method, address, body in calls():
        json.loads(body)
        if address.endswith("/test"):
            continue  # waits for a worker
        # What is made is named by the answer.
        made = answers.get(address.removesuffix("/5e1f…"), {}).get("id", "")
        path = address.replace("5e1f…", str(made))
        answer = client.generic(method, path, body, content_type="application/json")
        assert answer.status_code in (200, 201), (address, answer.content)
        answers[address] = answer.json()
    assert AlertRule.objects.get(category="TRADING_SIGNAL").max_per_hour == 5
    silence = Silence.objects.get()
    assert silence.comment == "Earnings call"
    assert 239 < (silence.ends_at - silence.starts_at).total_seconds() / 60 < 242
    assert Alert.objects.get().labels == {"feed": "yahoo"}
    assert Channel.objects.get().kind == "telegram"


def test_the_replay_runs(db: None) -> None:
    (line,) = re.findall(r"script/manage (alerts replay .*)", (DOCS / "alerts.md").read_text())
    call_command(*line.split())


@pytest.mark.django_db
def test_priorities_response_times_and_decisions_are_those_of_a_new_console(sam: User) -> None:
    del sam  # makes the rows of the migrations
    text = (DOCS / "alerts.md").read_text()
    for rule in AlertRule.objects.all():
        assert re.search(rf"\| `{rule.category}` \| {rule.default_priority} \|", text), rule.category
        assert (rule.max_per_hour, rule.dedupe_window_minutes) == (20, 15)
    for minutes in ResponseTime.objects.filter(minutes__gt=0).values_list("minutes", flat=True):
        assert f"within {minutes} minutes" in text or (minutes == 60 and "within 1 hour" in text)
    assert {word for word in Decision if f"`{word}`" not in text} == set()
    assert {word for word in Category if f"`{word}`" not in text} == set()


def test_a_receiver_that_verifies_as_shown_takes_what_is_genuine_alone() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "channels.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    key, body, now = "k" * 32, '{"title": "Kurs ✓"}'.encode(), str(int(time.time()))

    def is_genuine(*, timestamp: str = now, signed: bytes = body, seen: bytes = body) -> bool:
        headers = {
            "X-Opsconsole-Timestamp": timestamp,
            "X-Opsconsole-Signature": signature(key, timestamp, signed),
        }
        return bool(names["is_genuine"](key, headers, seen))

    assert is_genuine()
    assert not is_genuine(seen=body + b" ")
    assert not is_genuine(timestamp=str(int(now) - 3600))
    assert not is_genuine(timestamp="soon")
    assert not names["is_genuine"](key, {"X-Opsconsole-Timestamp": now}, body)
    assert not names["is_genuine"]("another key of 32 characters ....", {}, body)
