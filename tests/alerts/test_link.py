"""Which account in a chat is which person: by a code that the person sends there, or by a supervisor."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from alerts.chat import telegram
from alerts.chat.people import ChatPerson, user_of
from alerts.choices import ChatKind
from alerts.models import ChatLink, LinkCode
from alerts.services import linking
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW
from tests.cast import acting

PERSON = ChatPerson(ChatKind.TELEGRAM, "42", "@alice")
ADMIN = "/admin/alerts/chatlink/"
MINUTE = timedelta(minutes=1)


def code_of(user: User) -> str:
    return linking.make_code(actor=acting(user), user=user, now=NOW)


def redeem(code: str, person: ChatPerson = PERSON, **fields: Any) -> User | None:
    return linking.redeem(person=person, code=code, **({"now": NOW} | fields))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="opsconsole.accounts.backends.PeopleBackend")
    return client


# Codes: refusals


@pytest.mark.parametrize("code", ["", "x", "ABCDEFGHJKLM", "A" * 13, "\x00" * 12, "ÄBCDEFGHJKLM"])
def test_what_is_no_code(alice: User, code: str) -> None:
    code_of(alice)
    assert redeem(code) is None
    assert not ChatLink.objects.exists()


def test_a_code_does_not_last(alice: User) -> None:
    code = code_of(alice)
    assert redeem(code, now=NOW + 10 * MINUTE) is None
    assert redeem(code, now=NOW + 10 * MINUTE - timedelta(seconds=1)) == alice


def test_a_code_works_once(alice: User) -> None:
    code = code_of(alice)
    redeem(code)
    assert redeem(code, ChatPerson(ChatKind.TELEGRAM, "43")) is None
    assert ChatLink.objects.count() == 1


def test_a_new_code_ends_the_old_one(alice: User) -> None:
    old, new = code_of(alice), code_of(alice)
    assert redeem(old) is None
    assert redeem(new) == alice


def test_whose_account_is_switched_off(alice: User) -> None:
    code = code_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert redeem(code) is None


# Codes: it works


def test_links(alice: User) -> None:
    code = code_of(alice)
    assert code not in str(LinkCode.objects.values())
    assert redeem(f" {code.lower()} ") == alice
    link = ChatLink.objects.get()
    assert (link.user, link.kind, link.external_id) == (alice, "telegram", "42")
    assert user_of(PERSON) == alice
    event = AuditEvent.objects.get(action="alerts.chat_linked")
    assert (event.actor_name, event.actor_id) == ("alice via telegram", alice.pk)
    assert event.metadata["chat"] == "telegram 42 (@alice)"


def test_the_chat_account_passes_to_whoever_has_both(alice: User, sam: User) -> None:
    redeem(code_of(alice))
    assert redeem(code_of(sam)) == sam
    assert ChatLink.objects.get().user == sam
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["alerts.chat_unlinked", "alerts.chat_linked"]


def test_linked_already(alice: User) -> None:
    redeem(code_of(alice))
    assert redeem(code_of(alice)) == alice
    assert AuditEvent.objects.filter(action="alerts.chat_linked").count() == 1


# Telegram's messages


def message(text: str, *, kind: str = "private") -> dict[str, Any]:
    sender, chat = {"id": 42, "username": "alice"}, {"id": 42, "type": kind}
    return {"update_id": 1, "message": {"text": text, "from": sender, "chat": chat}}


@pytest.mark.parametrize("text", ["hello", "/link", "link ABC", "/linked ABC", "/link a b"])
def test_other_messages_are_left(db: None, text: str) -> None:
    assert telegram.handle(message(text), channels=[], now=NOW) == []


def test_a_code_that_others_can_read_is_not_taken(alice: User) -> None:
    (call,) = telegram.handle(message(f"/link {code_of(alice)}", kind="group"), channels=[], now=NOW)
    assert "private chat" in call.params["text"]
    assert not ChatLink.objects.exists()


def test_a_wrong_code_is_answered(db: None) -> None:
    (call,) = telegram.handle(message("/link ABCDEFGHJKLM"), channels=[], now=NOW)
    assert "not valid" in call.params["text"]


@pytest.mark.parametrize("command", ["/link", "/start", "/link@desk_bot"])
def test_the_bot_links(alice: User, command: str) -> None:
    (call,) = telegram.handle(message(f"{command} {code_of(alice)}"), channels=[], now=NOW)
    assert (call.method, call.params["chat_id"]) == ("sendMessage", 42)
    assert call.params["text"].startswith("You are alice now")
    assert user_of(PERSON) == alice


# One's own page


def test_the_page_is_for_who_is_signed_in(db: None) -> None:
    for path in ("", "/code", "/1/remove"):
        answer = Client().post(f"/accounts/chats{path}") if path else Client().get("/accounts/chats")
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/accounts/sign-in")


def test_looking_makes_no_code(bob: User) -> None:
    client = signed_in(bob)
    assert "No chat account is linked to you" in client.get("/accounts/chats").content.decode()
    assert client.get("/accounts/chats/code").status_code == 405
    assert not LinkCode.objects.exists()


def test_the_page_shows_the_code_once(bob: User) -> None:
    client = signed_in(bob)
    answer = client.post("/accounts/chats/code")
    found = re.search(r"/link ([A-Z2-9]{12})", answer.content.decode())
    assert found is not None
    assert "no-store" in answer.headers["Cache-Control"]
    assert found[1] not in client.get("/accounts/chats").content.decode()
    assert linking.redeem(person=PERSON, code=found[1]) == bob
    page = client.get("/accounts/chats").content.decode()
    assert ">42</span>" in page


def test_unlinks_ones_own_only(bob: User, alice: User) -> None:
    redeem(code_of(alice))
    link = ChatLink.objects.get()
    signed_in(bob).post(f"/accounts/chats/{link.pk}/remove")
    assert ChatLink.objects.exists()
    assert signed_in(alice).post(f"/accounts/chats/{link.pk}/remove").status_code == 303
    assert not ChatLink.objects.exists()
    event = AuditEvent.objects.get(action="alerts.chat_unlinked")
    assert (event.actor_name, event.before and event.before["external_id"]) == ("alice", "42")


def test_the_account_leads_there(bob: User) -> None:
    assert "/accounts/chats" in signed_in(bob).get("/accounts/me").content.decode()


# By a supervisor


@pytest.mark.parametrize(
    ("kind", "external_id", "field"),
    [
        ("irc", "42", "kind"),
        ("telegram", "@alice", "external_id"),
        ("telegram", "-100", "external_id"),
        ("telegram", "0", "external_id"),
        ("slack", "alice", "external_id"),
        ("slack", "u123", "external_id"),
    ],
)
def test_ids_that_no_chat_has(alice: User, kind: str, external_id: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        linking.link(actor=acting(alice), user_id=alice.pk, kind=kind, external_id=external_id, reason="")


def test_not_to_a_service_account(sam: User, trader: User) -> None:
    with pytest.raises(ValueError, match=r"^user: must be an active person"):
        linking.link(actor=acting(sam), user_id=trader.pk, kind="telegram", external_id="42", reason="")


def test_what_is_somebody_elses(sam: User, alice: User, bob: User) -> None:
    for user in (alice, alice):
        linking.link(actor=acting(sam), user_id=user.pk, kind="telegram", external_id="42", reason="known")
    with pytest.raises(ValueError, match="external_id: is linked to alice already"):
        linking.link(actor=acting(sam), user_id=bob.pk, kind="telegram", external_id="42", reason="known")
    assert AuditEvent.objects.filter(action="alerts.chat_linked").count() == 1


@pytest.fixture
def staff(sam: User) -> Client:
    User.objects.filter(pk=sam.pk).update(is_staff=True)
    return signed_in(User.objects.get(pk=sam.pk))


def test_an_operator_does_not_link_others(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    fields = {"user": bob.pk, "kind": "telegram", "external_id": "42", "reason": "x"}
    assert signed_in(User.objects.get(pk=alice.pk)).post(f"{ADMIN}add/", fields).status_code == 403
    assert not ChatLink.objects.exists()


def test_the_admin_links_and_unlinks(staff: Client, alice: User) -> None:
    bad = {"user": alice.pk, "kind": "slack", "external_id": "alice", "reason": "told me"}
    assert "Slack&#x27;s member id" in staff.post(f"{ADMIN}add/", bad).content.decode()
    assert staff.post(f"{ADMIN}add/", bad | {"external_id": "U012AB3CD"}).status_code == 302
    link = ChatLink.objects.get()
    assert (link.user, link.external_id, link.created_by) == (alice, "U012AB3CD", "sam")
    event = AuditEvent.objects.get(action="alerts.chat_linked")
    assert (event.actor_name, event.reason) == ("sam", "told me")
    assert staff.post(f"{ADMIN}{link.pk}/change/", {"external_id": "U1"}).status_code == 403
    staff.post(f"{ADMIN}{link.pk}/delete/", {"post": "yes"})
    assert not ChatLink.objects.exists()
    assert AuditEvent.objects.filter(action="alerts.chat_unlinked", actor_name="sam").count() == 1


def test_supervisors_alone_hold_the_permission(db: None, sam: User) -> None:
    holders = Group.objects.filter(permissions__codename="add_chatlink").values_list("name", flat=True)
    assert list(holders) == ["supervisor"]
