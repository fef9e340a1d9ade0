"""Presses in Slack: signed by the app, of now, and answered to whoever pressed."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from pytest_django import Settings

from alerts.chat import slack
from alerts.chat.buttons import buttons_for
from alerts.models import Alert, Channel, ChatLink
from alerts.services.linking import make_code
from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.bot_server import BotServer, bot_server
from tests.alerts.rows import NOW, a_channel, firing
from tests.cast import ApiClient, acting

SIGNING, PLACE, PERSON = "signing-secret-of-ops", "C024BE91L", "U2147483697"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def server(settings: Settings) -> Iterator[BotServer]:
    with bot_server() as served:
        settings.ALERTS_SLACK_URL = served.url
        yield served


@pytest.fixture
def channel(db: None) -> Channel:
    secrets = {"bot_token": "xoxb-test", "signing_secret": SIGNING}
    return a_channel("ops", "slack", secrets=secrets, settings={"channel": PLACE})


def link(user: User) -> None:
    ChatLink.objects.create(user=user, kind="slack", external_id=PERSON, created_at=NOW, created_by="tests")


def token_of(alert: Alert, channel: Channel, label: str = "Acknowledge") -> str:
    made = buttons_for(alert=alert, channel=channel, now=timezone.now())
    return next(button.token for button in made if button.label == label)


def payload_of(token: Any, server: BotServer | None = None, **fields: Any) -> str:
    payload = {
        "type": "block_actions",
        "user": {"id": PERSON, "username": "alice"},
        "channel": {"id": PLACE, "name": "ops"},
        "actions": [{"type": "button", "action_id": "a", "value": token}],
        "response_url": f"{server.url if server else 'http://127.0.0.1:9'}/reply/1",
    }
    return urlencode({"payload": json.dumps(payload | fields)})


def send(
    body: str,
    *,
    at: int | str | None = None,
    age_s: int = 0,
    secret: str = SIGNING,
    signature: str | None = None,
) -> Any:
    stamp = str(int(time.time()) - age_s if at is None else at)
    made = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={made}" if signature is None else signature,
    }
    return ApiClient(headers=headers).post("/monitoring/alerts/chat/slack", body, content_type=FORM)


def acknowledged(alert: Alert) -> bool:
    alert.refresh_from_db()
    return alert.acknowledged_at is not None


# Refusals


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": "another app's"},
        {"signature": ""},
        {"signature": "v0="},
        {"signature": "ü"},
        {"at": ""},
        {"at": "now"},
        {"at": "-5"},
        {"age_s": 302},
        {"age_s": -400},
    ],
)
def test_what_is_not_signed_now_by_the_app(channel: Channel, alice: User, fields: dict[str, Any]) -> None:
    link(alice)
    alert = firing()
    answer = send(payload_of(token_of(alert, channel)), **fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_signature")
    assert not acknowledged(alert)
    assert not AuditEvent.objects.exists()


def test_a_signature_of_another_body(channel: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    stamp = int(time.time())
    made = hmac.new(SIGNING.encode(), f"v0:{stamp}:payload=x".encode(), hashlib.sha256).hexdigest()
    answer = send(payload_of(token_of(alert, channel)), at=stamp, signature=f"v0={made}")
    assert answer.status_code == 403
    assert not acknowledged(alert)


def test_a_channel_without_a_signing_secret_signs_nothing(db: None) -> None:
    a_channel("bare", "slack", secrets={"bot_token": "xoxb-test"}, settings={"channel": PLACE})
    assert send(payload_of("x"), secret="").status_code == 403


@pytest.mark.parametrize("body", ["payload=", "payload=[]", "payload=%7B", "other=1"])
def test_what_is_no_payload(channel: Channel, body: str) -> None:
    assert send(body).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "view_submission"},
        {"actions": []},
        {"actions": "x"},
        {"actions": [{"value": 5}]},
        {"user": {"id": ""}},
        {"user": None},
    ],
)
def test_what_asks_for_nothing(channel: Channel, fields: dict[str, Any]) -> None:
    assert send(payload_of("x", **fields)).status_code == 200


@pytest.mark.parametrize("place", [{"id": "C999", "name": "other"}, {}, None])
def test_a_press_in_another_place(server: BotServer, channel: Channel, alice: User, place: Any) -> None:
    link(alice)
    alert = firing()
    assert send(payload_of(token_of(alert, channel), server, channel=place)).status_code == 200
    assert not acknowledged(alert)
    assert "belongs to another chat" in server.next_call()[1]["text"]
    assert AuditEvent.objects.get().action == "alerts.button_refused"


def test_a_button_of_another_apps_channel(server: BotServer, channel: Channel, alice: User) -> None:
    """The other app is in the same place, and signs for itself only."""
    secrets = {"bot_token": "xoxb-2", "signing_secret": "second"}
    other = a_channel("other", "slack", secrets=secrets, settings={"channel": PLACE})
    link(alice)
    alert = firing()
    send(payload_of(token_of(alert, channel), server), secret="second")
    assert not acknowledged(alert)
    send(payload_of(token_of(alert, other), server), secret="second")
    assert acknowledged(alert)


def test_whoever_is_not_linked(server: BotServer, channel: Channel) -> None:
    alert = firing()
    assert send(payload_of(token_of(alert, channel), server)).status_code == 200
    method, reply = server.next_call()
    assert (method, reply["response_type"], reply["replace_original"]) == ("reply", "ephemeral", False)
    assert "not linked" in reply["text"]
    assert AuditEvent.objects.get().actor_name == f"slack {PERSON} (alice)"
    assert not acknowledged(alert)


# It works


def test_acknowledges(server: BotServer, channel: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    answer = send(payload_of(token_of(alert, channel), server))
    assert (answer.status_code, answer.content) == (200, b"")
    alert.refresh_from_db()
    assert alert.acknowledged_by == "alice via slack"
    assert server.next_call()[1]["text"] == "Acknowledged. It is yours."


def test_the_same_request_again_does_nothing_again(server: BotServer, channel: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    body, stamp = payload_of(token_of(alert, channel), server), int(time.time())
    send(body, at=stamp)
    send(body, at=stamp)
    assert acknowledged(alert)
    assert AuditEvent.objects.count() == 1
    replies = [server.next_call()[1]["text"] for _ in range(2)]
    assert sorted(replies) == ["Acknowledged. It is yours.", "That was done already, by alice."]


def test_stop_asks_whoever_pressed_and_the_answer_takes_its_place(
    server: BotServer, channel: Channel, alice: User
) -> None:
    link(alice)
    alert = firing(labels={"symbol": "TSLA"})
    send(payload_of(token_of(alert, channel, "Stop trading…"), server))
    _, asked = server.next_call()
    text, actions = asked["blocks"]
    assert text["text"] == {"type": "plain_text", "text": asked["text"]}
    assert [one["text"]["text"] for one in actions["elements"]] == [
        "Stop symbol:TSLA now",
        "Stop everything now",
    ]
    assert len({one["action_id"] for one in actions["elements"]}) == 2
    assert not Activation.objects.exists()

    send(payload_of(actions["elements"][1]["value"], server))
    _, done = server.next_call()
    assert Activation.objects.get().activated_by == "alice via slack"
    assert ("Everything is being stopped" in done["text"], done["replace_original"]) == (True, True)


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://hooks.slack.com/actions/T1/2/x", True),
        ("http://hooks.slack.com/actions/T1/2/x", False),
        ("https://hooks.slack.com.evil.example/x", False),
        ("https://user@hooks.slack.com/x", False),
        ("https://169.254.169.254/latest", False),
        ("", False),
    ],
)
def test_replies_go_to_slack_alone(url: str, called: bool) -> None:
    assert slack._is_slacks(url) is called


def test_the_slash_command_links(channel: Channel, alice: User) -> None:
    code = make_code(actor=acting(alice), user=alice)
    form = {"command": "/opsconsole", "text": code, "user_id": PERSON, "user_name": "alice"}
    answer = send(urlencode(form))
    assert answer.json() == {
        "response_type": "ephemeral",
        "text": "You are alice now: buttons that you press here act as yours.",
    }
    assert ChatLink.objects.get().external_id == PERSON
    assert "not valid" in send(urlencode(form)).json()["text"]
