"""Idempotency-Key: a call that is sent again is carried out once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.api.idempotency import forget
from opsconsole.api.models import IdempotentCall
from tests.cast import ApiClient, caller

ACTIVATE, DEACTIVATE = "/monitoring/kill-switch/activate", "/monitoring/kill-switch/deactivate"
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def client(sam: User) -> ApiClient:
    return caller(sam)


def test_refuses_a_malformed_key(client: ApiClient) -> None:
    client.post(ACTIVATE)
    answer = client.post(DEACTIVATE, headers={"Idempotency-Key": "with space"})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["error"]["details"]


def test_refuses_a_key_that_came_with_another_body(client: ApiClient) -> None:
    client.post(ACTIVATE)
    assert client.post(DEACTIVATE, {"message": "a"}, headers=KEY).status_code == 200
    client.post(ACTIVATE)
    answer = client.post(DEACTIVATE, {"message": "b", "scope": "global"}, headers=KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "key_reused")
    assert client.get("/monitoring/kill-switch").json()["is_active"] is True


def test_refuses_while_the_first_call_is_under_way(client: ApiClient) -> None:
    client.post(ACTIVATE)
    client.post(DEACTIVATE, headers=KEY)
    IdempotentCall.objects.update(status=None, answer=None)
    client.post(ACTIVATE)
    assert client.post(DEACTIVATE, headers=KEY).status_code == 409
    IdempotentCall.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    assert client.post(DEACTIVATE, headers=KEY).status_code == 200


def test_a_stop_is_never_refused_over_its_key(client: ApiClient) -> None:
    for number, key in enumerate(("k-1", "with space", "k-1", "x" * 500)):
        body = f'{{"message": "stop {number}"}}'
        answer = client.post(ACTIVATE, body, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["changed"]) == (200, True)
        client.post(DEACTIVATE)


def test_a_repeat_gets_the_first_answer_and_does_nothing(client: ApiClient) -> None:
    first = client.post(ACTIVATE, headers=KEY)
    client.post(DEACTIVATE)
    again = client.post(ACTIVATE, headers=KEY)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert Activation.objects.count() == 1
    assert client.get("/monitoring/kill-switch").json()["is_active"] is False


def test_a_refused_call_is_not_remembered(client: ApiClient) -> None:
    assert client.post(DEACTIVATE, headers=KEY).status_code == 409
    client.post(ACTIVATE)
    assert client.post(DEACTIVATE, headers=KEY).status_code == 200


def test_keys_belong_to_their_account(client: ApiClient, alice: User) -> None:
    client.post(ACTIVATE, headers=KEY)
    client.post(DEACTIVATE)
    assert caller(alice).post(ACTIVATE, headers=KEY).json()["changed"] is True


def test_forgets_after_a_day(client: ApiClient) -> None:
    client.post(ACTIVATE, headers=KEY)
    assert forget() == 0
    assert forget(now=timezone.now() + timedelta(hours=25)) == 1
