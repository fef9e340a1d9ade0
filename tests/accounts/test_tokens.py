"""API tokens: made, used, expired, revoked."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.roles import Role
from opsconsole.accounts.services import (
    authenticate_token,
    create_service_account,
    create_token,
    revoke_token,
)
from opsconsole.audit.models import AuditEvent
from tests.cast import ROOT, account, acting, caller, token_of

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def test_refuses_a_token_without_a_name_or_a_future(alice: User) -> None:
    with pytest.raises(ValueError, match="name"):
        create_token(actor=ROOT, user=alice, name=" ", expires_at=None)
    with pytest.raises(ValueError, match="expires_at"):
        create_token(actor=ROOT, user=alice, name="desk", expires_at=NOW, now=NOW)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("raw", ["", "ops_", "ops_unknown", "Bearer", "x" * 10_000, "ops_\udcff", "ops_\x00"])
def test_refuses_other_texts(alice: User, raw: str) -> None:
    token_of(alice)
    assert authenticate_token(raw) is None


def test_is_kept_only_as_a_hash(alice: User) -> None:
    token, raw = create_token(actor=acting(alice), user=alice, name="desk", expires_at=NOW + DAY, now=NOW)
    token.refresh_from_db()
    assert raw not in str(vars(token))
    assert raw.startswith(token.prefix)
    told = AuditEvent.objects.get(action="accounts.token_created")
    assert raw not in str(vars(told))
    assert told.after == {"user": "alice", "expires_at": "2026-11-23T10:30:00Z"}


def test_ends_with_its_expiry(alice: User) -> None:
    _, raw = create_token(actor=ROOT, user=alice, name="desk", expires_at=NOW + DAY, now=NOW)
    assert authenticate_token(raw, now=NOW + DAY) is None
    valid = authenticate_token(raw, now=NOW + DAY - timedelta(microseconds=1))
    assert valid is not None
    assert valid.user == alice


def test_ends_when_it_is_revoked_once(alice: User) -> None:
    token, raw = create_token(actor=ROOT, user=alice, name="desk", expires_at=None)
    # Looked up just before, so that it is among those that this process remembers.
    assert authenticate_token(raw) is not None
    assert revoke_token(actor=ROOT, token=token, reason="lost")
    assert not revoke_token(actor=ROOT, token=token, reason="lost again")
    assert authenticate_token(raw) is None
    assert [event.reason for event in AuditEvent.objects.filter(action="accounts.token_revoked")] == ["lost"]


def test_ends_with_its_account(alice: User) -> None:
    raw = token_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert authenticate_token(raw) is None


def test_notes_its_use_once_a_minute(alice: User) -> None:
    token, raw = create_token(actor=ROOT, user=alice, name="desk", expires_at=None, now=NOW)
    for seconds in (0, 59, 61):
        authenticate_token(raw, now=NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == NOW + timedelta(seconds=0 if seconds < 60 else 61)


def test_names_account_and_token_in_the_trail(alice: User) -> None:
    caller(alice).post("/monitoring/kill-switch/activate")
    event = AuditEvent.objects.get(action="killswitch.activated")
    assert (event.actor_kind, event.actor_name, event.ip) == ("token", "alice via tests", "192.0.2.7")


def test_a_service_account_never_signs_in(db: None, client: Client) -> None:
    account("anyone")
    user = create_service_account(actor=ROOT, username="desk", role=Role.TRADING_SYSTEM)
    user.set_password("known")
    user.save()
    assert not client.login(username="desk", password="known")
    assert authenticate_token(token_of(user)) is not None
    with pytest.raises(ValueError, match="taken"):
        create_service_account(actor=ROOT, username="desk", role=Role.VIEWER)
