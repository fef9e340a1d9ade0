"""Signing in and out."""

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.accounts.signin import PAIR_FREE
from opsconsole.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
URL = "/accounts/sign-in"


def test_an_empty_form(db: None) -> None:
    response = Client().post(URL)
    assert response.status_code == 422
    assert "Enter your username." in response.content.decode()


def test_a_wrong_password_is_not_told_from_a_wrong_name(alice: User) -> None:
    wrong = Client().post(URL, {"username": "alice", "password": "nope"})
    nobody = Client().post(URL, {"username": "nobody", "password": "nope"})
    assert wrong.status_code == nobody.status_code == 403
    said = "Username and password do not match an account that may sign in."
    assert said in wrong.content.decode()
    assert said in nobody.content.decode()
    assert AuditEvent.objects.filter(action="accounts.sign_in_failed").count() == 2


def test_a_service_account_never_signs_in(trader: User) -> None:
    assert Client().post(URL, {"username": "trader", "password": "trader-password"}).status_code == 403


def test_too_many_wrong_passwords(alice: User) -> None:
    client = Client()
    for _ in range(PAIR_FREE):
        client.post(URL, {"username": "alice", "password": "nope"})
    response = client.post(URL, {"username": "alice", "password": "alice-password"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert "Too many wrong passwords. Try again in" in response.content.decode()


def test_where_it_goes(alice: User) -> None:
    good = {"username": "alice", "password": "alice-password"}
    assert Client().post(URL, good | {"next": "/audit?q=x"}).headers["Location"] == "/audit?q=x"
    assert Client().post(URL, good | {"next": "https://evil.example/"}).headers["Location"] == "/"
    assert AuditEvent.objects.filter(action="accounts.signed_in", actor_id=alice.pk).count() == 2


def test_sign_out_is_a_post(alice: User) -> None:
    client = Client()
    client.force_login(alice, backend="opsconsole.accounts.backends.PeopleBackend")
    assert client.get("/accounts/sign-out").status_code == 405
    assert client.post("/accounts/sign-out").headers["Location"] == "/accounts/sign-in?why=out"
    assert client.get("/").status_code == 302
    assert AuditEvent.objects.filter(action="accounts.signed_out").count() == 1


def test_one_s_own_account_names_its_roles(sam: User) -> None:
    client = Client()
    client.force_login(sam, backend="opsconsole.accounts.backends.PeopleBackend")
    assert "supervisor" in client.get("/accounts/me").content.decode()
