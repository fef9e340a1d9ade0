"""Channels in the admin: through their service, with a reason, and without showing a secret."""

from typing import Any

import pytest
from django.test import Client

from alerts.models import Channel, Delivery
from alerts.sealing import unseal
from alerts.services import channels
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import ROOT
from tests.telegram_server import TOKEN

ADMIN = "/admin/alerts/channel/"
OTHER = "987654321:AAOther-token_for_tests_987654321"
# As the page's empty form sends it.
EMPTY = {"name": "desk", "kind": "telegram", "enabled": "on", "min_priority": "LOW", "escalation": "0", "reason": "for the desk"}  # fmt: skip
TELEGRAM = EMPTY | {"settings__telegram__chat_id": "-1001", "secrets__telegram__token": TOKEN}


@pytest.fixture
def supervisor(sam: User) -> Client:
    User.objects.filter(pk=sam.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=sam.pk))
    return client


@pytest.fixture
def desk(db: None) -> Channel:
    values = {
        "settings": {"chat_id": -1001, "thread_id": 3},
        "secrets": {"token": TOKEN, "webhook_secret": "s"},
    }
    return channels.create(actor=ROOT, name="desk", kind="telegram", values=values, reason="")


def page_of(channel: Channel) -> str:
    return f"{ADMIN}{channel.pk}/change/"


def filled_in(channel: Channel, **changed: Any) -> dict[str, Any]:
    given = {"settings__telegram__chat_id": "-1001", "settings__telegram__thread_id": "3"}
    return EMPTY | given | {"version": channel.version} | changed


def test_operators_cannot_change_them(alice: User, desk: Channel) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=alice.pk))
    assert client.post(page_of(desk), filled_in(desk, enabled="")).status_code == 403
    assert client.post(f"{ADMIN}add/", TELEGRAM).status_code == 403
    desk.refresh_from_db()
    assert desk.version == 1


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"reason": ""}, "reason", "Say why."),
        ({"settings__telegram__chat_id": "x"}, "settings__telegram__chat_id", "chat_id: must be the number"),
        ({"secrets__telegram__token": ""}, "secrets__telegram__token", "token: is missing"),
        ({"secrets__telegram__token": "x"}, "secrets__telegram__token", "token: must be a bot's token"),
        ({"name": "a/b"}, "name", "name: must be 1 to 64"),
        ({"kind": "email"}, "settings__email__to", "to: is missing"),
        ({"escalation": "11"}, "escalation", "escalation: must be a whole number"),
    ],
)
def test_refuses_at_the_field(supervisor: Client, changed: dict[str, str], field: str, said: str) -> None:
    answer = supervisor.post(f"{ADMIN}add/", TELEGRAM | changed)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[field][0].startswith(said)
    assert not Channel.objects.exists()


def test_two_of_one_name_are_refused(supervisor: Client, desk: Channel) -> None:
    answer = supervisor.post(f"{ADMIN}add/", TELEGRAM)
    assert "already" in answer.context["adminform"].form.errors["name"][0]
    assert Channel.objects.count() == 1


def test_a_change_since_the_page_was_read_is_refused(supervisor: Client, desk: Channel) -> None:
    answer = supervisor.post(page_of(desk), filled_in(desk, version=7))
    assert "meanwhile" in str(answer.context["adminform"].form.errors)


def test_makes_one(supervisor: Client) -> None:
    answer = supervisor.post(f"{ADMIN}add/", TELEGRAM | {"categories": ["RISK_WARNING"]})
    channel = Channel.objects.get()
    assert answer.status_code == 302
    assert (channel.name, channel.kind, channel.categories) == ("desk", "telegram", ["RISK_WARNING"])
    assert channel.settings == {"chat_id": -1001, "goes_to": "chat -1001"}
    assert unseal(channel.secrets) == {"token": TOKEN}
    assert AuditEvent.objects.get(action="alerts.channel_created").reason == "for the desk"


def test_makes_one_with_several_recipients(supervisor: Client) -> None:
    to = {"kind": "email", "settings__email__to": "a@example.com, b@example.com"}
    assert supervisor.post(f"{ADMIN}add/", EMPTY | to).status_code == 302
    assert Channel.objects.get().settings["to"] == ["a@example.com", "b@example.com"]


def test_no_page_shows_a_secret(supervisor: Client, desk: Channel) -> None:
    for page in (supervisor.get(ADMIN), supervisor.get(page_of(desk))):
        assert page.status_code == 200
        assert TOKEN not in page.content.decode()
        assert desk.secrets not in page.content.decode()


def test_an_empty_secret_stays_and_an_empty_setting_goes(supervisor: Client, desk: Channel) -> None:
    assert (
        supervisor.post(page_of(desk), filled_in(desk, settings__telegram__thread_id="")).status_code == 302
    )
    desk.refresh_from_db()
    assert desk.settings == {"chat_id": -1001, "goes_to": "chat -1001"}
    assert unseal(desk.secrets) == {"token": TOKEN, "webhook_secret": "s"}


def test_replaces_one_secret_and_forgets_another(supervisor: Client, desk: Channel) -> None:
    changed = filled_in(desk, secrets__telegram__token=OTHER, forget=["webhook_secret"])
    assert supervisor.post(page_of(desk), changed).status_code == 302
    desk.refresh_from_db()
    assert unseal(desk.secrets) == {"token": OTHER}
    assert AuditEvent.objects.get(action="alerts.channel_changed").metadata == {"replaced_secrets": ["token"]}


def test_deletes_through_the_service(supervisor: Client, desk: Channel) -> None:
    assert supervisor.post(f"{ADMIN}{desk.pk}/delete/", {"post": "yes"}).status_code == 302
    assert AuditEvent.objects.get(action="alerts.channel_deleted").actor_name == "sam"


def test_sends_a_test(supervisor: Client, desk: Channel) -> None:
    supervisor.post(ADMIN, {"action": "send_test", "_selected_action": [desk.pk]})
    assert Delivery.objects.get().channel == desk
    assert AuditEvent.objects.filter(action="alerts.channel_tested").exists()
