"""/monitoring/alerts/silences: refusals first; then made, read, changed, ended."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from alerts.models import Silence
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import caller

URL = "/monitoring/alerts/silences"
JSON = "application/json"
GIVEN = {"matchers": ["symbol=AAPL"], "minutes": 60, "comment": "Earnings call"}


def test_needs_the_rights(charlie: User, bob: User) -> None:
    assert caller(charlie).get(URL).status_code == 403
    answer = caller(bob).post(URL, GIVEN)
    assert (answer.status_code, Silence.objects.count()) == (403, 0)
    assert "operator" in answer.json()["error"]["message"]
    address = f"{URL}/{uuid4()}"
    assert caller(bob).patch(address, {}, content_type=JSON).status_code == 403
    assert caller(bob).delete(address).status_code == 403


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"matchers": None}, "matchers"),
        ({"matchers": []}, "matchers"),
        ({"matchers": "symbol=AAPL"}, "matchers"),
        ({"matchers": ["symbol"]}, "matchers"),
        ({"matchers": ["symbol=~("]}, "matchers"),
        ({"matchers": ["symbol=~.*"]}, "matchers"),
        ({"matchers": ["symbol=AAPL", {"name": "a", "value": "b"}]}, "matchers[0]"),
        ({"matchers": [{"name": "a"}]}, "matchers[0]"),
        ({"minutes": 0}, "ends_at"),
        ({"minutes": 525_601}, "minutes"),
        ({"minutes": None}, "ends_at"),
        ({"ends_at": "2099-01-01T00:00:00Z"}, "minutes"),
        ({"minutes": None, "ends_at": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"minutes": None, "ends_at": "tomorrow"}, "ends_at"),
        ({"minutes": None, "ends_at": "2099-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2099-01-01T00:00:00"}, "starts_at"),
        ({"comment": "x" * 2001}, "comment"),
        ({"comment": "\x00"}, "comment"),
        ({"created_by": "mallory"}, "created_by"),
    ],
)
def test_a_bad_silence_is_refused_by_field(alice: User, values: dict[str, Any], field: str) -> None:
    answer = caller(alice).post(URL, GIVEN | values)
    assert answer.status_code == 400
    assert next(iter(answer.json()["error"]["details"])).startswith(field)
    assert Silence.objects.count() == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=7", "state=over"])
def test_a_bad_parameter_is_named(bob: User, query: str) -> None:
    answer = caller(bob).get(f"{URL}?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [query.partition("=")[0]])


def test_what_is_not_there_is_not_found(alice: User) -> None:
    client, address = caller(alice), f"{URL}/{uuid4()}"
    assert client.get(address).status_code == 404
    assert client.patch(address, {"comment": "x"}, content_type=JSON).status_code == 404
    assert client.delete(address).status_code == 404


def test_silences_for_an_hour(alice: User) -> None:
    answer = caller(alice).post(URL, GIVEN)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["created_by"], made["owner"]) == ("active", "alice via tests", "alice")
    assert made["matchers"] == [{"name": "symbol", "value": "AAPL", "isRegex": False, "isEqual": True}]
    silence = Silence.objects.get(pk=made["id"])
    assert silence.ends_at - silence.starts_at == timedelta(minutes=60)
    assert AuditEvent.objects.get(action="alerts.silence_created").reason == "Earnings call"
    assert caller(alice).get(f"{URL}/{made['id']}").json() == made


def test_a_repeat_with_the_same_key_makes_one(alice: User) -> None:
    client = caller(alice)
    answers = [client.post(URL, GIVEN, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Silence.objects.count() == 1


def made(client: Any, **values: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(URL, GIVEN | values).json()
    return answer


def test_a_longer_end_keeps_the_id_and_other_matchers_make_a_new_one(alice: User) -> None:
    client = caller(alice)
    first = made(client)
    longer = client.patch(f"{URL}/{first['id']}", {"minutes": 120}, content_type=JSON).json()
    assert (longer["id"], longer["comment"]) == (first["id"], "Earnings call")
    assert longer["ends_at"] > first["ends_at"]
    other = client.patch(f"{URL}/{first['id']}", {"matchers": ["symbol=IBM"]}, content_type=JSON).json()
    assert other["id"] != first["id"]
    assert client.get(f"{URL}/{first['id']}").json()["state"] == "expired"
    assert client.get(f"{URL}/{other['id']}").json()["state"] == "active"


def test_ends_once_and_says_so(alice: User) -> None:
    client = caller(alice)
    address = f"{URL}/{made(client)['id']}"
    first = client.delete(address, {"reason": "Call is over"}, content_type=JSON).json()
    second = client.delete(address).json()
    assert (first["changed"], first["state"], second["changed"]) == (True, "expired", False)
    assert AuditEvent.objects.get(action="alerts.silence_expired").reason == "Call is over"
    assert client.delete(address, {"why": "x"}, content_type=JSON).status_code == 400


def test_lists_by_state_and_in_pages(alice: User) -> None:
    client, now = caller(alice), timezone.now()
    ends: list[datetime] = [now + timedelta(hours=hours) for hours in (1, 2, 2, -1)]
    rows = [
        Silence.objects.create(
            matchers=[],
            starts_at=now - timedelta(hours=2),
            ends_at=end,
            created_by="x",
            created_at=now,
            updated_at=now,
        )
        for end in ends
    ]
    rows[0].starts_at = now + timedelta(minutes=30)
    rows[0].save()
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{URL}?limit=1&cursor={cursor}").json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next"]
    same_end = sorted((str(rows[1].pk), str(rows[2].pk)), reverse=True)
    assert seen == [*same_end, str(rows[0].pk), str(rows[3].pk)]
    states = {
        state: len(client.get(f"{URL}?state={state}").json()["results"])
        for state in ("active", "pending", "expired")
    }
    assert states == {"active": 2, "pending": 1, "expired": 1}
