"""Slack: a bot, and an incoming webhook."""

import json

import pytest

from alerts.channels.base import Pace, SendFailed
from alerts.channels.message import Button
from alerts.channels.slack import SlackTransport
from alerts.choices import DeliveryKind
from tests.alerts.channels.messages import NASTY, message, resolved
from tests.chat_servers import Answer, CutOff
from tests.slack_server import TOKEN, SlackServer

FIRST = ("C0OPS", "1763900000.000000")


def bot(token: str = TOKEN, channel: str = "C0OPS") -> SlackTransport:
    return SlackTransport({"channel": channel}, {"bot_token": token})


def hook(server: SlackServer) -> SlackTransport:
    return SlackTransport({}, {"webhook_url": server.webhook_url})


def failure_of(transport: SlackTransport) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        transport.send(message())
    return caught.value


def test_an_unknown_channel_has_failed_for_good(slack: SlackServer) -> None:
    failure = failure_of(bot(channel="C1NONE"))
    assert (failure.permanent, failure.text) == (True, "Slack: channel_not_found")


def test_a_wrong_token_has_failed_for_good_and_is_not_named(slack: SlackServer) -> None:
    slack.script(Answer(401, "no xoxb-other-token-of-tests here"))
    failure = failure_of(bot("xoxb-other-token-of-tests"))
    assert failure.permanent
    assert "other-token" not in failure.text


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "service_unavailable"])
def test_what_passes_is_tried_again(slack: SlackServer, error: str) -> None:
    slack.script(Answer(200, {"ok": False, "error": error}))
    failure = failure_of(bot())
    assert not failure.permanent
    assert failure.maybe_delivered == (error == "internal_error")


def test_waits_as_long_as_it_is_told(slack: SlackServer) -> None:
    slack.script(Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}))
    failure = failure_of(bot())
    assert (failure.permanent, failure.retry_after, failure.status) == (False, 30.0, 429)


def test_a_cut_leaves_it_open(slack: SlackServer) -> None:
    slack.script(CutOff())
    assert failure_of(bot()).maybe_delivered


@pytest.mark.parametrize(
    ("status", "said"), [(403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived")]
)
def test_a_webhook_that_is_gone_has_failed_for_good(slack: SlackServer, status: int, said: str) -> None:
    slack.script(Answer(status, said))
    failure = failure_of(hook(slack))
    assert (failure.permanent, failure.text) == (True, f"Slack: {said}")


def test_a_bot_sends_blocks(slack: SlackServer) -> None:
    receipt = bot().send(message(alert_url="https://ops.example/alerts/12?a=1&b=2"))
    shown = slack.messages[FIRST]
    assert receipt.external == {"channel": "C0OPS", "ts": FIRST[1]}
    assert shown["text"] == "🛑 CRITICAL · Drawdown above 5% · Raised 14:13 UTC · RISK_WARNING"
    assert [block["type"] for block in shown["blocks"]] == ["header", *["section"] * 3, "context"]
    assert shown["blocks"][0]["text"] == {
        "type": "plain_text",
        "text": "🛑 CRITICAL · Drawdown above 5%",
        "emoji": False,
    }
    assert [fact["text"] for fact in shown["blocks"][3]["fields"]] == ["symbol: IBM", "drawdown: −5.2%"]
    assert shown["blocks"][4]["elements"] == [
        {"type": "mrkdwn", "text": "<https://ops.example/alerts/12?a=1&amp;b=2|Open in the console>"}
    ]


def test_a_webhook_sends_the_same(slack: SlackServer) -> None:
    assert hook(slack).send(message()).external == {}
    bot().send(message())
    assert slack.posted[0]["blocks"] == slack.messages[FIRST]["blocks"]


def test_no_text_of_others_is_ever_alive(slack: SlackServer) -> None:
    bot().send(message(title=NASTY, text=NASTY, facts=((NASTY, NASTY),)))
    assert len(slack.received) == 1
    sent = json.dumps(slack.messages[FIRST])
    assert "<!channel>" not in sent
    assert "&lt;!channel&gt;" in sent


@pytest.mark.parametrize("letter", ["x", "&", "<", "👩"])
def test_long_texts_keep_to_the_limits_as_they_are_sent(slack: SlackServer, letter: str) -> None:
    long = letter * 20_000
    bot().send(message(title=long[:300], text=long, facts=(("name", long),) * 12))
    assert len(slack.received) == 1
    assert slack.messages[FIRST]["blocks"]


def test_refused_blocks_are_sent_as_plain_text(slack: SlackServer) -> None:
    slack.script(Answer(200, {"ok": False, "error": "invalid_blocks"}))
    bot().send(message(text="a < b"))
    shown = slack.messages[FIRST]
    assert (shown["blocks"], shown["mrkdwn"]) == ([], False)
    assert "a &lt; b" in shown["text"]


def test_a_webhook_whose_blocks_are_refused_sends_plain_text(slack: SlackServer) -> None:
    slack.script(Answer(400, "invalid_blocks"))
    hook(slack).send(message())
    assert slack.posted[0]["blocks"] == []


def test_answers_in_the_thread_of_the_incident(slack: SlackServer) -> None:
    first = bot().send(message())
    bot().send(resolved(reply_to=first.external))
    bot().send(message(kind=DeliveryKind.ESCALATION, escalation=1, reply_to=first.external))
    answer, escalation = list(slack.messages.values())[1:]
    assert (answer["thread_ts"], answer["reply_broadcast"]) == (FIRST[1], False)
    assert escalation["reply_broadcast"] is True


def test_edits_in_place(slack: SlackServer) -> None:
    first = bot().send(message(buttons=(Button("Acknowledge", "t1"), Button("Stop", "t2", danger=True))))
    buttons = slack.messages[FIRST]["blocks"][-1]["elements"]
    assert [(button["value"], button.get("style")) for button in buttons] == [("t1", None), ("t2", "danger")]
    bot().edit(message(kind=DeliveryKind.EDIT, owner="dana", acknowledged=True), first.external)
    shown = slack.messages[FIRST]
    assert "Owned by dana" in shown["text"]
    assert shown["blocks"][-1]["type"] == "section"


def test_an_edit_of_a_deleted_message_has_failed_for_good(slack: SlackServer) -> None:
    with pytest.raises(SendFailed) as caught:
        bot().edit(message(), {"channel": "C0OPS", "ts": "1"})
    assert caught.value.permanent


def test_a_webhook_cannot_edit(slack: SlackServer) -> None:
    transport = hook(slack)
    assert (transport.can_edit, bot().can_edit, transport.pace) == (False, True, Pace(per_second=1))
    with pytest.raises(SendFailed):
        transport.edit(message(), {})
    assert slack.received == []
