"""POST /api/v2/alerts in the real web process: the fast way, and what it leaves to Django."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alerts import tasks
from alerts.choices import AlertState
from alerts.models import Alert
from alerts.services.repeats import add_repeats
from opsconsole.accounts.models import ApiToken
from opsconsole.accounts.roles import Role
from opsconsole.accounts.services import create_token, revoke_token
from tests.alerts.alertmanager.caller import in_minutes, matcher, posted, silence
from tests.cast import ROOT, account
from tests.console import ConsoleProcess


class Poster:
    """One connection to the web process, with a token of Alice's."""

    def __init__(self, console: ConsoleProcess, raw: str) -> None:
        self.port = console.port
        self.raw = raw
        self.connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.raw}"} | headers
        self.connection.request(method, f"/api/v2{path}", data, sent)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def post(self, *alerts: dict[str, Any]) -> None:
        assert self.ask("POST", "/alerts", list(alerts)) == (200, b"")

    def alerts(self) -> list[dict[str, Any]]:
        status, body = self.ask("GET", "/alerts")
        assert status == 200
        found: list[dict[str, Any]] = json.loads(body)
        return found


@pytest.fixture
def token(console: ConsoleProcess) -> tuple[ApiToken, str]:
    del console  # its database first
    return create_token(actor=ROOT, user=account("alice", Role.OPERATOR), name="am", expires_at=None)


@pytest.fixture
def poster(console: ConsoleProcess, token: tuple[ApiToken, str]) -> Iterator[Poster]:
    made = Poster(console, token[1])
    yield made
    made.connection.close()


# What Django answers


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        ([posted()], {"Authorization": "Bearer ops_no"}, 401, "The bearer token is not valid"),
        ([posted()], {"Authorization": "Bearer ops_no", "Host": "elsewhere"}, 400, ""),
        ([posted()], {"Content-Type": "text/plain"}, 415, "unsupported media type"),
        (b"", {}, 422, "alerts in body is required"),
        (b"{}", {}, 400, "parsing alerts body"),
        ([{}], {}, 422, "0.labels in body is required"),
        ([{"labels": {"a": 1}}], {}, 400, "parsing alerts body"),
        ([posted() | {"startsAt": "nonsense"}], {}, 400, "parsing alerts body"),
        ([posted() | {"generatorURL": "foo"}], {}, 422, "0.generatorURL in body"),
        ([posted() | {"annotations": {"a": 1}}], {}, 400, "parsing alerts body"),
        (b"[" + b" " * 3_000_000 + b"]", {}, 413, ""),
    ],
)
def test_what_is_not_plainly_right(
    poster: Poster, body: Any, headers: dict[str, str], status: int, said: str
) -> None:
    answered, content = poster.ask("POST", "/alerts", body, **headers)
    assert answered == status, content
    assert said in content.decode()
    assert not Alert.objects.exists()


def test_other_methods_and_the_slash(poster: Poster) -> None:
    assert poster.ask("PUT", "/alerts", [])[0] == 405
    assert poster.ask("POST", "/alerts/", [posted()])[0] == 200
    assert poster.ask("GET", "/alerts/")[0] == 200


def test_a_role_that_may_not(console: ConsoleProcess) -> None:
    raw = create_token(actor=ROOT, user=account("bob", Role.VIEWER), name="am", expires_at=None)[1]
    status, content = Poster(console, raw).ask("POST", "/alerts", [posted()])
    assert (status, json.loads(content)["message"]) == (403, "This account may not raise alerts.")


def test_a_revoked_token_ends_within_seconds(poster: Poster, token: tuple[ApiToken, str]) -> None:
    poster.post(posted())
    revoke_token(actor=ROOT, token=token[0], reason="Lost")
    # This process revoked it; the web process may believe in it for as long as it remembers tokens.
    status = 200
    while status == 200:
        status = poster.ask("POST", "/alerts", [posted()])[0]
    assert status == 401


# What it takes


def test_after_200_it_can_be_read(poster: Poster) -> None:
    for number in range(20):
        poster.post(posted(f"A{number}", severity="critical"))
        assert len(poster.alerts()) == number + 1
    assert set(Alert.objects.values_list("priority", "raised_by")) == {("CRITICAL", "alice via am")}


def test_known_alerts_are_counted(poster: Poster) -> None:
    for _ in range(5):
        poster.post(posted("A"), posted("B"), posted("A"))
    add_repeats()
    assert dict(Alert.objects.values_list("title", "count")) == {"A": 10, "B": 5}


def test_one_that_cannot_be_taken_does_not_keep_the_others_out(poster: Poster) -> None:
    status, content = poster.ask(
        "POST", "/alerts", [{"labels": {}}, posted("Sound"), {"labels": {"a-b": "x"}}]
    )
    said = 'at least one label pair required; invalid label set: invalid name "a-b"'
    assert (status, json.loads(content)) == (400, said)
    assert Alert.objects.get().title == "Sound"


def test_a_known_alert_with_other_annotations_is_updated(poster: Poster) -> None:
    poster.post(posted("A", summary="old"))
    poster.post(posted("A", summary="new"))
    assert poster.alerts()[0]["annotations"] == {"summary": "new"}


def test_a_known_alert_s_end_moves_on(poster: Poster) -> None:
    poster.post(posted("A") | {"endsAt": in_minutes(4)})
    end = in_minutes(9)
    poster.post(posted("A") | {"endsAt": end})
    poster.post(posted("A") | {"endsAt": in_minutes(2)})
    assert poster.alerts()[0]["endsAt"][:22] == end[:22]


def test_resolved_and_fired_again_in_their_order(poster: Poster) -> None:
    poster.post(posted("A") | {"startsAt": in_minutes(-9)})
    over = posted("A") | {"endsAt": in_minutes(-1)}
    poster.post(over)
    assert poster.alerts() == []
    poster.post(posted("A"))
    assert len(poster.alerts()) == 1
    poster.post(posted("A"), over)
    assert poster.alerts() == []
    poster.post(over, posted("A"))
    assert len(poster.alerts()) == 1
    assert Alert.objects.filter(state=AlertState.RESOLVED).count() == 2


def test_a_silence_counts_for_the_next_repeat(poster: Poster) -> None:
    poster.post(posted("A"))
    poster.post(posted("A"))
    assert Alert.objects.get().decision != "SILENCED"
    assert poster.ask("POST", "/silences", silence(matcher("alertname", "A")))[0] == 200
    poster.post(posted("A"))
    assert Alert.objects.get().decision == "SILENCED"


def test_many_at_once_lose_nothing(console: ConsoleProcess, token: tuple[ApiToken, str]) -> None:
    def send(writer: int) -> None:
        poster = Poster(console, token[1])
        for number in range(25):
            poster.post(
                *(posted(f"A{(number + step) % 40}") for step in range(8)), posted(f"U{writer}-{number}")
            )
        poster.connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    add_repeats()
    counts = dict(Alert.objects.values_list("title", "count"))
    assert sum(count for title, count in counts.items() if title.startswith("A")) == 8 * 25 * 8
    assert [count for title, count in counts.items() if title.startswith("U")] == [1] * 8 * 25


def test_kill_9_after_200_loses_nothing(console: ConsoleProcess, token: tuple[ApiToken, str]) -> None:
    told: list[list[str]] = []

    def send(writer: int) -> None:
        poster = Poster(console, token[1])
        for number in range(1000):
            names = [f"W{writer}-{number}-{step}" for step in range(10)]
            try:
                poster.post(*(posted(name) for name in names), posted("Storm"))
            except (OSError, http.client.HTTPException):
                return
            told.append(names)
            if len(told) == 100:
                console.kill()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert len(told) >= 100
    tasks.tick()
    stored = set(Alert.objects.values_list("title", flat=True))
    assert {name for names in told for name in names} <= stored
    assert Alert.objects.get(title="Storm").count >= len(told)
    console.start()
    status, content = Poster(console, token[1]).ask("GET", "/alerts")
    assert status == 200
    assert len(json.loads(content)) == len(stored)
