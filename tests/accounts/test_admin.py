"""Accounts and tokens in the admin."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.services import authenticate_token
from opsconsole.audit.models import AuditEvent
from tests.cast import account, token_of

TOKENS, USERS = "/admin/accounts/apitoken/", "/admin/accounts/user/"


@pytest.fixture
def root(client: Client, alice: User) -> Client:
    user = account("root")
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=True)
    client.force_login(User.objects.get(pk=user.pk))
    return client


def test_refuses_to_change_or_delete_a_token(root: Client, alice: User) -> None:
    token_of(alice)
    token = ApiToken.objects.get()
    assert root.post(f"{TOKENS}{token.pk}/change/", {"name": "x"}).status_code == 403
    assert root.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 403


def test_shows_a_new_token_once(root: Client, alice: User) -> None:
    page = root.post(
        f"{TOKENS}add/", {"user": alice.pk, "name": "desk", "expires_at_0": "", "expires_at_1": ""}
    )
    found = re.search(r"ops_[\w-]{43}", page.content.decode())
    assert found is not None
    assert "no-store" in page.headers["Cache-Control"]
    token = authenticate_token(found[0])
    assert token is not None
    assert (token.user, token.name, token.created_by) == (alice, "desk", "root")
    assert ApiToken.objects.count() == 1
    for path in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        assert found[0] not in root.get(path).content.decode()


def test_revokes(root: Client, alice: User) -> None:
    raw = token_of(alice)
    token = ApiToken.objects.get()
    root.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    assert authenticate_token(raw) is None
    assert AuditEvent.objects.get(action="accounts.token_revoked").actor_name == "root"


def test_changes_of_accounts_are_in_the_trail_without_passwords(root: Client, alice: User) -> None:
    new = {"usable_password": "true", "password1": "correct-horse-9", "password2": "correct-horse-9"}
    root.post(f"{USERS}add/", {"username": "dana"} | new)
    root.post(f"{USERS}{alice.pk}/password/", new)
    root.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    events = AuditEvent.objects.filter(object_type="accounts.user").order_by("id")
    assert [(event.action, event.object_label, event.actor_name) for event in events] == [
        ("accounts.user_added", "dana", "root"),
        ("accounts.user_changed", "alice", "root"),
        ("accounts.user_deleted", "alice", "root"),
    ]
    assert "correct-horse-9" not in str(list(events.values()))


@pytest.mark.parametrize("path", ["/admin/auth/group/add/", f"{USERS}add/"])
def test_a_form_with_all_permissions_asks_a_handful_of_queries(
    path: str, root: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        assert root.get(path).status_code == 200
