"""The named cast of the tests.

Alice is an operator, Bob a viewer, Sam a supervisor, Charlie has an account without any role, and Trader is the trading system's service
account. Their tokens are made by `token_of`; `caller` gives an API client for one of them.
"""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from opsconsole.accounts.actor import actor_of_account
from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from opsconsole.accounts.services import create_token
from opsconsole.audit.actor import Actor

ROOT = Actor.system("tests")


def account(username: str, *roles: Role, is_service: bool = False) -> User:
    user = User.objects.create_user(username=username, password=f"{username}-password", is_service=is_service)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def token_of(user: User, *, name: str = "tests") -> str:
    """The text of a new token that does not expire."""
    return create_token(actor=ROOT, user=user, name=name, expires_at=None)[1]


def acting(user: User) -> Actor:
    """`user` as the author of a service call."""
    return actor_of_account(user=user, token=None, ip="192.0.2.7")


class ApiClient(Client):
    """Django's client, with bodies as curl sends them: JSON, or nothing at all."""

    def post(self, path: str, data: Any = b"", content_type: str = "application/json", **extra: Any) -> Any:  # type: ignore[override]
        return super().post(path, data, content_type=content_type, **extra)


def caller(user: User) -> ApiClient:
    """An API client with a token of the user's, from an address elsewhere."""
    return ApiClient(headers={"Authorization": f"Bearer {token_of(user)}"}, REMOTE_ADDR="192.0.2.7")


@pytest.fixture
def alice(db: None) -> User:
    return account("alice", Role.OPERATOR)


@pytest.fixture
def bob(db: None) -> User:
    return account("bob", Role.VIEWER)


@pytest.fixture
def sam(db: None) -> User:
    return account("sam", Role.SUPERVISOR)


@pytest.fixture
def charlie(db: None) -> User:
    return account("charlie")


@pytest.fixture
def trader(db: None) -> User:
    return account("trader", Role.TRADING_SYSTEM, is_service=True)
