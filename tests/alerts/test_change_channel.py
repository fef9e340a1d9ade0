"""Channels: making, changing, deleting and testing them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.choices import DeliveryKind, DeliveryState
from alerts.models import Channel, Delivery
from alerts.rule_values import Refused
from alerts.sealing import unseal
from alerts.services import channels
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import ApiClient, acting, caller
from tests.telegram_server import TOKEN

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
KEY = "a-signing-key-of-some-length"
HOOK = {"secrets": {"url": "https://hooks.example.com/s3cr3t/path", "signing_key": KEY}}
URL = "/monitoring/alerts/channels"
TELEGRAM = {"name": "desk", "kind": "telegram", "settings": {"chat_id": "-1001"}, "secrets": {"token": TOKEN}}


def make(user: User, name: str = "hook", kind: str = "webhook", **values: Any) -> Channel:
    return channels.create(
        actor=acting(user), name=name, kind=kind, values=HOOK | values, reason="new", now=NOW
    )


def change(user: User, **values: Any) -> Channel:
    return channels.change(actor=acting(user), name="hook", values=values, reason="why", now=NOW)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "a/b"}, "name: must be 1 to 64"),
    ({"name": None}, "name: must be"),
    ({"kind": "pager"}, "kind: must be one of telegram, slack, email, webhook, apprise"),
    ({"colour": "red"}, "colour: is not a field here; allowed are enabled,"),
    ({"min_priority": "URGENT"}, "min_priority: must be one of LOW, MEDIUM, HIGH, CRITICAL"),
    ({"categories": ["NEWS"]}, "categories: must be a list of SYSTEM_ERROR"),
    ({"escalation": 10}, "escalation: must be a whole number from 0 to 9"),
    ({"enabled": "yes"}, "enabled: must be true or false"),
    ({"fallback": "nowhere"}, "fallback: must be the name of another channel, or null"),
    ({"settings": []}, "settings: must be an object"),
    ({"settings": {}}, "settings.chat_id: is missing; a channel of kind telegram needs it"),
    ({"settings": {"chat_id": "desk"}}, "settings.chat_id: must be the number of a chat"),
    ({"settings": {"chat_id": 1, "colour": 2}}, "settings.colour: is not a field here; allowed are chat_id"),
    ({"settings": {"chat_id": 1, "updates": "push"}}, "settings.updates: must be one of poll, webhook, off"),
    ({"secrets": {}}, "secrets.token: is missing; a channel of kind telegram needs it"),
    ({"secrets": {"token": "nonsense"}}, "secrets.token: must be a bot's token"),
    ({"kind": "slack", "settings": {}, "secrets": {}}, "secrets.bot_token: is missing"),
    ({"kind": "slack", "settings": {}, "secrets": {"bot_token": "xoxb-12345678"}}, "settings.channel: is missing"),
    ({"kind": "slack", "settings": {}, "secrets": {"webhook_url": "http://hooks.example/x"}}, "secrets.webhook_url: must be an"),
    ({"kind": "email", "settings": {"to": ["x\nBcc: y@z.de"]}, "secrets": {}}, "settings.to: must be a mail address"),
    ({"kind": "email", "settings": {"to": ["a@example.com"]}, "secrets": {"token": "x"}}, "secrets.token: is not a field here"),
    ({"kind": "webhook", "settings": {}, "secrets": {"url": "ftp://x", "signing_key": KEY}}, "secrets.url: must be an address"),
    ({"kind": "webhook", "settings": {}, "secrets": {"url": "http://u:p@x/", "signing_key": KEY}}, "secrets.url: must be an address"),
    ({"kind": "webhook", "settings": {}, "secrets": {"url": "http://x/", "signing_key": "short"}}, "secrets.signing_key: must be 16"),
    ({"kind": "webhook", "settings": {}, "secrets": {**HOOK["secrets"], "authorization": "a\r\nX: y"}}, "secrets.authorization: must be visible"),
    ({"kind": "apprise", "settings": {}, "secrets": {"url": "json://127.0.0.1"}}, "secrets.url: json:// is not allowed here"),
    ({"kind": "apprise", "settings": {}, "secrets": {"url": "nothing://x"}}, "secrets.url: must be one URL of a service"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "said"), REFUSED)
def test_refuses_and_names_the_field(sam: User, changed: dict[str, Any], said: str) -> None:
    answer = caller(sam).post(URL, TELEGRAM | changed)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(said)
    assert not Channel.objects.exists()


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_only_supervisors_change_channels(alice: User, sam: User, method: str) -> None:
    make(sam)
    path = URL if method == "post" else f"{URL}/hook"
    answer = getattr(caller(alice), method)(path, TELEGRAM, content_type="application/json")
    assert (answer.status_code, "supervisor" in answer.json()["error"]["message"]) == (403, True)
    assert caller(alice).post(f"{URL}/hook/test").status_code == 403
    assert Channel.objects.get().version == 1


def test_nobody_without_a_role_reads_them(charlie: User, sam: User) -> None:
    make(sam)
    assert caller(charlie).get(URL).status_code == 403
    assert caller(charlie).get(f"{URL}/hook").status_code == 403


def test_a_channel_that_is_not_there(sam: User) -> None:
    client = caller(sam)
    for answer in (
        client.get(f"{URL}/none"),
        client.patch(f"{URL}/none", {}, content_type="application/json"),
        client.delete(f"{URL}/none"),
        client.post(f"{URL}/none/test"),
    ):
        assert answer.status_code == 404


def test_two_of_one_name(sam: User) -> None:
    make(sam)
    with pytest.raises(channels.ChannelExists):
        make(sam)
    assert caller(sam).post(URL, TELEGRAM | {"name": "hook"}).status_code == 409


def test_makes_one_whose_secrets_are_seen_by_nobody(sam: User, bob: User) -> None:
    answer = caller(sam).post(URL, TELEGRAM | {"min_priority": "HIGH", "reason": "for the desk"})
    channel = Channel.objects.get()
    event = AuditEvent.objects.get(action="alerts.channel_created")
    assert answer.status_code == 201
    assert unseal(channel.secrets) == {"token": TOKEN}
    assert (channel.settings["chat_id"], channel.min_priority) == (-1001, "HIGH")
    for text in (answer.content.decode(), caller(bob).get(URL).content.decode(), str(vars(event))):
        assert TOKEN not in text
    shown = caller(bob).get(f"{URL}/desk").json()
    assert (shown["secrets"], shown["secrets_readable"]) == (["token"], True)
    assert (shown["settings"], shown["goes_to"]) == ({"chat_id": -1001}, "chat -1001")
    assert event.reason == "for the desk"
    assert event.after is not None
    assert event.after["secrets"] == ["token"]


def test_a_secret_address_is_told_by_its_host(sam: User) -> None:
    assert make(sam).settings == {"goes_to": "hooks.example.com"}


def test_changes_only_what_is_given(sam: User) -> None:
    make(sam, min_priority="HIGH")
    channel = change(sam, categories=["RISK_WARNING"], secrets={"authorization": "Bearer x"})
    event = AuditEvent.objects.get(action="alerts.channel_changed")
    assert (channel.version, channel.min_priority, channel.categories) == (2, "HIGH", ["RISK_WARNING"])
    assert unseal(channel.secrets) == {**HOOK["secrets"], "authorization": "Bearer x"}
    assert event.before is not None
    assert event.after is not None
    assert (event.before["secrets"], event.after["secrets"]) == (
        ["signing_key", "url"],
        ["authorization", "signing_key", "url"],
    )


def test_a_replaced_secret_is_in_the_trail_by_its_name(sam: User) -> None:
    make(sam)
    change(sam, secrets={"signing_key": "another-key-of-some-length"})
    event = AuditEvent.objects.get(action="alerts.channel_changed")
    assert event.metadata == {"replaced_secrets": ["signing_key"]}
    assert "another-key" not in str(vars(event))


def test_null_takes_away_what_is_not_needed(sam: User) -> None:
    make(sam, secrets={**HOOK["secrets"], "authorization": "Bearer x"})
    assert unseal(change(sam, secrets={"authorization": None}).secrets) == HOOK["secrets"]
    with pytest.raises(Refused, match=r"secrets\.url: is missing"):
        change(sam, secrets={"url": None})


def test_the_same_again_changes_nothing(sam: User) -> None:
    make(sam)
    assert change(sam, enabled=True, **HOOK).version == 1
    assert not AuditEvent.objects.filter(action="alerts.channel_changed").exists()


def test_a_change_since_it_was_read_is_not_overwritten(sam: User) -> None:
    make(sam)
    change(sam, enabled=False)
    answer = caller(sam).patch(
        f"{URL}/hook", {"enabled": True, "version": 1}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["error"]["details"]) == (409, {"version": 2})


def test_a_channel_is_not_its_own_fallback(sam: User) -> None:
    make(sam)
    other = make(sam, name="second", fallback="hook")
    assert other.fallback == Channel.objects.get(name="hook")
    with pytest.raises(Refused, match="fallback"):
        change(sam, fallback="hook")


def test_follows_a_chat_that_has_moved(sam: User) -> None:
    made = channels.create(
        actor=acting(sam),
        name="tg",
        kind="telegram",
        values={"settings": {"chat_id": -1, "thread_id": 3}, "secrets": {"token": TOKEN}},
        reason="",
    )
    channels.moved(channel_id=made.pk, settings={"chat_id": -2})
    channels.moved(channel_id=made.pk + 1, settings={"chat_id": -2})
    made.refresh_from_db()
    event = AuditEvent.objects.get(action="alerts.channel_changed")
    assert made.settings == {"chat_id": -2, "thread_id": 3, "goes_to": "chat -2"}
    assert (event.actor_kind, event.reason) == ("system", channels.MOVED)


def test_deleting_cancels_what_waits_and_keeps_what_was(sam: User) -> None:
    channel = make(sam)
    given = {"channel": channel, "channel_name": "hook", "kind": "test", "priority": "LOW"}
    for state in (DeliveryState.PENDING, DeliveryState.SENT):
        Delivery.objects.create(**given, state=state, created_at=NOW, due_at=NOW)
    assert caller(sam).delete(f"{URL}/hook").status_code == 204
    assert not Channel.objects.exists()
    waited, was_sent = Delivery.objects.order_by("id")
    assert (waited.state, waited.channel_name, waited.channel) == (DeliveryState.CANCELLED, "hook", None)
    assert (was_sent.state, was_sent.channel_name, was_sent.channel) == (DeliveryState.SENT, "hook", None)
    assert AuditEvent.objects.get(action="alerts.channel_deleted").metadata == {"cancelled": 1}


def test_a_test_goes_through_the_outbox(sam: User) -> None:
    make(sam)
    delivery = channels.test(actor=acting(sam), name="hook", reason="morning", now=NOW)
    assert (delivery.kind, delivery.state, delivery.due_at) == (DeliveryKind.TEST, DeliveryState.PENDING, NOW)
    assert delivery.content == {"by": "sam"}
    event = AuditEvent.objects.get(action="alerts.channel_tested")
    assert (event.reason, event.metadata) == ("morning", {"delivery": delivery.pk})


def test_a_test_that_is_under_way_answers_202(sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.api_channels.PATIENCE", 0)
    make(sam)
    client: ApiClient = caller(sam)
    answer = client.post(f"{URL}/hook/test")
    assert (answer.status_code, answer.json()["state"]) == (202, "PENDING")
    assert answer.json()["delivery"] == Delivery.objects.get().pk
