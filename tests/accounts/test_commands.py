"""manage.py createtoken and ensureadmin."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.services import authenticate_token
from opsconsole.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue().strip()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--user", "desk"], "--role"),
        (["--user", "bad name", "--role", "viewer"], "--user"),
        (["--user", "local", "--role", "viewer"], "--role"),
        (["--user", "local", "--expires-days", "0"], "--expires-days"),
    ],
)
def test_createtoken_refuses(args: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("createtoken", "--name", "x", *args)
    assert not ApiToken.objects.exists()
    assert not User.objects.filter(username="desk").exists()


def test_createtoken_makes_a_service_account_and_prints_the_token_alone() -> None:
    raw = run(
        "createtoken",
        "--user",
        "desk",
        "--name",
        "host-1",
        "--role",
        "trading-system",
        "--expires-days",
        "30",
    )
    token = authenticate_token(raw)
    assert token is not None
    assert token.user.is_service
    assert token.user.has_perm("killswitch.connect_tradingclient")
    assert (token.expires_at - token.created_at).days == 30 if token.expires_at else False
    assert AuditEvent.objects.filter(actor_kind="system", action="accounts.token_created").count() == 1
    assert run("createtoken", "--user", "desk", "--name", "host-2") != raw


def test_ensureadmin_makes_one_and_then_leaves_it_alone() -> None:
    first = json.loads(run("ensureadmin"))
    admin = User.objects.get(username="admin")
    assert first["created"] is True
    assert admin.is_superuser
    assert admin.check_password(first["password"])
    token = authenticate_token(first["api_token"])
    assert token is not None
    assert token.user == admin
    admin.set_password("changed by hand")
    admin.save()
    assert json.loads(run("ensureadmin")) == {
        "username": "admin",
        "created": False,
        "password": None,
        "api_token": None,
    }
    admin.refresh_from_db()
    assert admin.check_password("changed by hand")


def test_ensureadmin_makes_a_new_token_when_asked() -> None:
    run("ensureadmin")
    again = json.loads(run("ensureadmin", "--new-token"))
    assert again["password"] is None
    assert authenticate_token(again["api_token"]) is not None
