"""Idempotency-Key: a call that is sent again is carried out once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.models import HourCount
from bench.fleet import wait_until
from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.api.idempotency import KeyRefused, forget, once_in_transaction
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


# once_in_transaction


@pytest.fixture
def request_with_key(trader: User) -> Request:
    plain = RequestFactory().post("/", headers=KEY)
    request = Request(plain)
    request.user = trader
    return request


def carried_out(request: Request, act: Callable[[], Response] | None = None, *, body: str = "{}") -> Response:
    def note() -> Response:
        return Response({"number": HourCount.objects.create(category="PERFORMANCE", hour=timezone.now()).pk})

    return once_in_transaction(request, operation="test", body=body, act=act or note)


@pytest.mark.django_db
def test_in_one_transaction_a_repeat_gets_the_first_answer(request_with_key: Request) -> None:
    first, again = carried_out(request_with_key), carried_out(request_with_key)
    assert (first.data, again.status_code) == (again.data, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert HourCount.objects.count() == 1
    with pytest.raises(KeyRefused, match="another body"):
        carried_out(request_with_key, body="[]")


@pytest.mark.django_db
def test_in_one_transaction_a_call_that_dies_leaves_nothing(request_with_key: Request) -> None:
    def half() -> Response:
        HourCount.objects.create(category="PERFORMANCE", hour=timezone.now())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carried_out(request_with_key, half)
    assert (HourCount.objects.count(), IdempotentCall.objects.count()) == (0, 0)
    assert carried_out(request_with_key).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_in_one_transaction_the_second_of_two_waits_for_the_first(request_with_key: Request) -> None:
    begun, answers = threading.Event(), []

    def slowly() -> Response:
        begun.set()
        wait_until(a_session_waits_for_a_lock, "the second call waits")
        return Response({"number": 1})

    def second() -> None:
        begun.wait(10)
        try:
            answers.append(carried_out(request_with_key))
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    first = carried_out(request_with_key, slowly)
    thread.join(20)
    assert [answer.data for answer in answers] == [first.data] == [{"number": 1}]
    assert HourCount.objects.count() == 0


def a_session_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        row = cursor.fetchone()
    return bool(row and row[0])
