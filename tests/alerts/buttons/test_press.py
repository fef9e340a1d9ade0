"""Buttons in chats: who may press which, and that a press is the same act as on the page."""

from datetime import timedelta

import pytest
from django.db import connection

from alerts.chat.buttons import KEPT, buttons_for, forget_buttons
from alerts.chat.people import ChatPerson
from alerts.chat.presses import Answer
from alerts.choices import ChatKind
from alerts.models import Alert, Channel, ChatButton, KindTally, Silence
from alerts.services import owning
from alerts.silence_index import open_silences
from alerts.tasks import forget_old_buttons
from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.buttons.pressing import HOUR, SECOND, STRANGER, linked, pressed, refusals, tokens
from tests.alerts.rows import BOT, NOW, a_channel, firing
from tests.cast import acting

# Which buttons there are


def test_no_buttons_where_presses_do_not_reach_us(channel: Channel) -> None:
    alert = firing()
    off = a_channel("off", "telegram", secrets={"token": BOT}, settings={"chat_id": 1, "updates": "off"})
    hook = a_channel("hook", "slack", secrets={"webhook_url": "https://hooks.example/x"})
    deaf = a_channel("deaf", "slack", secrets={"bot_token": "xoxb-1"})
    mail = a_channel("mail", "email")
    assert [buttons_for(alert=alert, channel=one, now=NOW) for one in (off, hook, deaf, mail)] == [[]] * 4
    assert not ChatButton.objects.exists()


def test_no_buttons_when_it_is_over(channel: Channel) -> None:
    assert buttons_for(alert=firing(state="RESOLVED", resolved_at=NOW), channel=channel, now=NOW) == []


def test_what_can_be_pressed(channel: Channel) -> None:
    labels = [button.label for button in buttons_for(alert=firing(), channel=channel, now=NOW)]
    owned = firing(acknowledged_at=NOW, acknowledged_by="alice")
    assert labels == ["Acknowledge", "Silence for 1 h", "Stop trading…"]
    assert "Acknowledge" not in [b.label for b in buttons_for(alert=owned, channel=channel, now=NOW)]


def test_slack_with_its_signature_takes_presses(db: None) -> None:
    slack = a_channel("slack", "slack", secrets={"bot_token": "xoxb-1", "signing_secret": "s"})
    assert len(buttons_for(alert=firing(), channel=slack, now=NOW)) == 3


def test_a_button_is_a_random_text_whose_digest_alone_is_kept(channel: Channel) -> None:
    alert = firing()
    first, second = tokens(alert, channel), tokens(alert, channel)
    texts = [*first.values(), *second.values()]
    assert len(set(texts)) == 6
    assert all(len(text) == 22 for text in texts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(b::text, ' ') FROM alerts_chatbutton b")
        stored = cursor.fetchone()[0]
    assert not [text for text in texts if text in stored]


# Refusals


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "x" * 1000, "\x00"])
def test_what_was_never_a_button(alice: User, token: str) -> None:
    answer = pressed(linked(alice), token)
    assert "not known" in answer.text
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ["acknowledge", "silence", "stop"])
def test_whoever_is_not_linked(channel: Channel, act: str) -> None:
    alert = firing()
    answer = pressed(STRANGER, tokens(alert, channel)[act])
    assert "not linked" in answer.text
    ((actor, why),) = refusals()
    assert (actor, "not linked" in why) == ("telegram 666 (@mallory)", True)
    event = AuditEvent.objects.get()
    assert (event.actor_kind, event.object_id, event.metadata["act"]) == ("client", str(alert.pk), act)
    unchanged(alert)


@pytest.mark.parametrize("act", ["acknowledge", "silence", "stop"])
def test_whoever_lacks_the_right(channel: Channel, bob: User, act: str) -> None:
    alert = firing()
    answer = pressed(linked(bob), tokens(alert, channel)[act])
    assert "needs the role operator, which bob does not have" in answer.text
    assert [actor for actor, _ in refusals()] == ["bob via telegram"]
    assert AuditEvent.objects.get().actor_id == bob.pk
    unchanged(alert)


def test_whose_account_is_switched_off(channel: Channel, alice: User) -> None:
    alert, person = firing(), linked(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "not linked" in pressed(person, tokens(alert, channel)["acknowledge"]).text
    unchanged(alert)


def test_from_another_chat(channel: Channel, alice: User) -> None:
    alert = firing()
    answer = pressed(linked(alice), tokens(alert, channel)["acknowledge"], here=False)
    assert "belongs to another chat" in answer.text
    assert [actor for actor, _ in refusals()] == ["alice via telegram"]
    unchanged(alert)


def test_the_link_of_another_chat_does_not_count(channel: Channel, alice: User) -> None:
    linked(alice, "42")
    alert = firing()
    same_id = ChatPerson(ChatKind.SLACK, "42")
    assert "not linked" in pressed(same_id, tokens(alert, channel)["acknowledge"]).text
    unchanged(alert)


@pytest.mark.parametrize(
    ("act", "lasts"), [("acknowledge", 24 * HOUR), ("silence", 24 * HOUR), ("stop", HOUR)]
)
def test_what_has_expired(channel: Channel, alice: User, act: str, lasts: timedelta) -> None:
    alert, person = firing(), linked(alice)
    token = tokens(alert, channel)[act]
    assert "expired" in pressed(person, token, now=NOW + lasts).text
    unchanged(alert)
    assert "expired" not in pressed(person, token, now=NOW + lasts - SECOND).text


def test_what_is_over_by_now(channel: Channel, alice: User) -> None:
    alert = firing()
    made = tokens(alert, channel)
    owning.resolve(actor=acting(alice), alert_id=alert.pk, note="", now=NOW)
    person = linked(alice)
    for act in ("acknowledge", "silence"):
        assert "resolved already, by alice" in pressed(person, made[act]).text
    assert not Silence.objects.exists()


def unchanged(alert: Alert) -> None:
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_at) == ("FIRING", None)
    assert not Silence.objects.exists()
    assert not Activation.objects.exists()
    assert not ChatButton.objects.exclude(used_at=None).exists()
    assert not ChatButton.objects.exclude(user=None).exists()


# Acknowledge


def test_acknowledges(channel: Channel, alice: User) -> None:
    alert = firing()
    answer = pressed(linked(alice), tokens(alert, channel)["acknowledge"])
    alert.refresh_from_db()
    assert answer == Answer("Acknowledged. It is yours.", done=True)
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("alice via telegram", NOW)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.actor_id) == (
        "alerts.acknowledged",
        "alice via telegram",
        alice.pk,
    )
    assert event.reason == "Button in ops"


def test_a_button_works_once(channel: Channel, alice: User, sam: User) -> None:
    alert = firing()
    token = tokens(alert, channel)["acknowledge"]
    pressed(linked(alice), token)
    again = pressed(linked(sam, "43"), token)
    assert again.text == "That was done already, by alice."
    alert.refresh_from_db()
    assert alert.acknowledged_by == "alice via telegram"
    assert AuditEvent.objects.count() == 1


def test_what_somebody_owns_is_not_taken_from_them(channel: Channel, alice: User, sam: User) -> None:
    alert = firing()
    token = tokens(alert, channel)["acknowledge"]
    owning.acknowledge(actor=acting(sam), alert_id=alert.pk, note="mine", now=NOW)
    assert pressed(linked(alice), token).text == "It was acknowledged already, by sam."
    alert.refresh_from_db()
    assert alert.acknowledged_by == "sam"


# Silence


def test_silences_exactly_this_alert_for_an_hour(channel: Channel, alice: User) -> None:
    alert, person = firing(labels={"symbol": "TSLA", "desk": "a.*"}), linked(alice)
    token = tokens(alert, channel)["silence"]
    answer = pressed(person, token)
    silence = Silence.objects.get()
    assert answer.done
    assert (silence.starts_at, silence.ends_at) == (NOW, NOW + HOUR)
    assert (silence.owner, silence.created_by, silence.comment) == (
        alice,
        "alice via telegram",
        "Button in ops",
    )
    seen = {"alertname": alert.title, "category": alert.category, "symbol": "TSLA", "desk": "a.*"}
    assert {m["name"]: (m["value"], m["isRegex"]) for m in silence.matchers} == {
        name: (value, False) for name, value in seen.items()
    }
    assert open_silences(at=NOW).covering(seen, at=NOW)
    assert not open_silences(at=NOW).covering(seen | {"symbol": "AAPL"}, at=NOW)
    assert KindTally.objects.get().acted == 1
    assert pressed(person, token).text == "That was done already, by alice."
    assert Silence.objects.count() == 1


def test_what_has_nothing_to_be_known_by_is_not_silenced(channel: Channel, alice: User) -> None:
    alert = firing(title="alert", labels={})
    answer = pressed(linked(alice), tokens(alert, channel)["silence"])
    assert answer.text.startswith("It cannot be silenced from here.")
    unchanged(alert)


# Old ones


def test_old_buttons_are_forgotten(channel: Channel) -> None:
    tokens(firing(), channel)
    expired = NOW + 24 * HOUR
    assert forget_buttons(now=expired + KEPT - SECOND) == 1
    assert forget_buttons(now=expired + KEPT + SECOND) == 2
    forget_old_buttons()
