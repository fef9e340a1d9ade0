"""POST alerts: one, or many; what is refused is named."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Alert, AlertRule
from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller

URL = "/monitoring/alerts"
GIVEN = {
    "category": "RISK_WARNING",
    "priority": "CRITICAL",
    "title": "Volatility above limit",
    "labels": {"symbol": "TSLA"},
}


@pytest.fixture
def client(trader: User) -> ApiClient:
    return caller(trader)


def iso(**ago: float) -> str:
    return (timezone.now() - timedelta(**ago)).isoformat()


def test_needs_the_right_to_raise(bob: User) -> None:
    answer = caller(bob).post(URL, GIVEN)
    assert (answer.status_code, Alert.objects.count()) == (403, 0)
    assert "trading-system" in answer.json()["error"]["message"]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"category": "RISK"}, "category", "SYSTEM_ERROR, TRADING_SIGNAL"),
    ({"category": None}, "category", "SYSTEM_ERROR, TRADING_SIGNAL"),
    ({"category": ["RISK_WARNING"]}, "category", "SYSTEM_ERROR, TRADING_SIGNAL"),
    ({"priority": "urgent"}, "priority", "LOW, MEDIUM, HIGH, CRITICAL"),
    ({"title": ""}, "title", "1 to 200"),
    ({"title": "x" * 201}, "title", "200"),
    ({"title": "two\nlines"}, "title", "one line"),
    ({"title": "\x00"}, "title", "control"),
    ({"title": "\ud800"}, "title", "control"),
    ({"title": 7}, "title", "text"),
    ({"message": "x" * 10_001}, "message", "10000"),
    ({"message": "\x1b[31mred"}, "message", "control"),
    ({"labels": {f"l{number}": "x" for number in range(10_000)}}, "labels", "64"),
    ({"labels": {"a": "x" * 513}}, "labels.a", "512"),
    ({"labels": {"a": 5}}, "labels.a", "text"),
    ({"labels": {"a b": "x"}}, "labels", "letters"),
    ({"labels": ["a"]}, "labels", "object"),
    ({"annotations": {"a": "\x00"}}, "annotations.a", "control"),
    ({"details": "x"}, "details", "object"),
    ({"details": {"a": "x" * 17_000}}, "details", "16384"),
    ({"details": {"a": float("nan")}}, "details", "NaN"),
    ({"starts_at": "yesterday"}, "starts_at", "2026"),
    ({"starts_at": "2999-01-01T00:00:00Z"}, "starts_at", "future"),
    ({"occurred_at": "1999-01-01T00:00:00Z"}, "occurred_at", "days"),
    ({"ends_at": "2999-01-01T00:00:00Z"}, "ends_at", "30 days"),
    ({"starts_at": iso(minutes=1), "occurred_at": iso(minutes=1)}, "occurred_at", "starts_at"),
    ({"starts_at": iso(minutes=1), "ends_at": iso(minutes=2)}, "ends_at", "starts_at"),
    ({"force": "yes"}, "force", "true or false"),
    ({"resolved": 1}, "resolved", "true or false"),
    ({"dedupe_key": "x" * 201}, "dedupe_key", "200"),
    ({"source": "x" * 65}, "source", "64"),
    ({"generator_url": "x" * 2049}, "generator_url", "2048"),
    ({"severity": "high"}, "severity", "allowed are category"),
]


@pytest.mark.parametrize(("values", "field", "allowed"), BAD)
def test_what_cannot_be_used_is_named_with_what_is_allowed(
    client: ApiClient, values: dict[str, Any], field: str, allowed: str
) -> None:
    answer = client.post(URL, GIVEN | values)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert list(error["details"]) == [field]
    assert allowed in error["details"][field]
    assert error["message"].startswith(f"{field}: ")
    assert Alert.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"alerts": {}}', b'{"alerts": []}', b"[]", b"[{", b'"x"', b'{"alerts": [{}], "x": 1}'],
)
def test_a_body_without_an_alert_is_refused(client: ApiClient, body: bytes) -> None:
    assert client.post(URL, body).status_code == 400


def test_too_many_and_too_long(client: ApiClient) -> None:
    answer = client.post(URL, [GIVEN] * 1001)
    assert (answer.status_code, "1000" in answer.json()["error"]["message"]) == (400, True)
    answer = client.post(URL, b" " * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert Alert.objects.count() == 0


def test_raises_one_and_says_what_was_decided(client: ApiClient) -> None:
    answer = client.post(URL, GIVEN | {"message": "53%, limit 50%", "details": {"value": 0.53}})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["decision"], body["new"], body["state"]) == ("SENT", True, "FIRING")
    assert body["reason"].startswith("sent")
    assert [gate["gate"] for gate in body["trace"]][:2] == ["force", "enabled"]
    alert = Alert.objects.get(pk=body["id"])
    assert (alert.source, alert.raised_by, alert.details) == ("api", "trader via tests", {"value": 0.53})


def test_the_same_one_again_is_counted(client: ApiClient) -> None:
    first, second = client.post(URL, GIVEN), client.post(URL, GIVEN)
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    assert (second.json()["decision"], second.json()["new"]) == ("DEDUPED", False)
    assert second.json()["reason"].startswith("suppressed: the same alert was sent")
    assert Alert.objects.get().count == 2


def test_resolves_what_is_open_and_nothing_else(client: ApiClient) -> None:
    over = GIVEN | {"resolved": True}
    nothing = client.post(URL, over)
    assert (nothing.status_code, nothing.json()["id"], nothing.json()["decision"]) == (200, None, None)
    raised = client.post(URL, GIVEN).json()
    ended = client.post(URL, over).json()
    assert (ended["id"], ended["state"]) == (raised["id"], "RESOLVED")


@pytest.mark.parametrize(
    ("values", "title", "message"),
    [
        (
            {"title": None, "message": "Spread is wide\nsecond line"},
            "Spread is wide",
            "Spread is wide\nsecond line",
        ),
        ({"title": None, "message": "x" * 300}, "x" * 199 + "…", "x" * 300),
        ({"title": " Spread ", "message": None}, "Spread", ""),
        ({"title": "<b>&\u202e"}, "<b>&\u202e", ""),
    ],
)
def test_title_and_message(client: ApiClient, values: dict[str, Any], title: str, message: str) -> None:
    assert client.post(URL, GIVEN | values).status_code == 201
    alert = Alert.objects.get()
    assert (alert.title, alert.message) == (title, message)


def test_the_rule_gives_the_priority_that_is_left_out(client: ApiClient) -> None:
    AlertRule.objects.filter(category="RISK_WARNING").update(default_priority="CRITICAL")
    client.post(URL, {"category": "RISK_WARNING", "title": "x"})
    assert Alert.objects.get().priority == "CRITICAL"


@pytest.mark.parametrize("wrapped", [True, False])
def test_of_many_the_good_ones_are_kept(client: ApiClient, wrapped: bool) -> None:
    alerts: list[Any] = [
        GIVEN,
        {"category": "NOPE", "title": "x"},
        7,
        GIVEN | {"labels": {"symbol": "IBM"}},
        GIVEN,
    ]
    answer = client.post(URL, {"alerts": alerts} if wrapped else alerts)
    assert answer.status_code == 207
    body = answer.json()
    assert [(row["index"], row["decision"], row["new"]) for row in body["accepted"]] == [
        (0, "SENT", True),
        (3, "SENT", True),
        (4, "DEDUPED", False),
    ]
    assert [(row["index"], list(row["details"])) for row in body["rejected"]] == [
        (1, ["category"]),
        (2, ["alert"]),
    ]
    assert Alert.objects.count() == 2


def test_many_good_ones(client: ApiClient) -> None:
    answer = client.post(URL, {"alerts": [GIVEN | {"labels": {"n": str(number)}} for number in range(1000)]})
    assert (answer.status_code, len(answer.json()["accepted"]), answer.json()["rejected"]) == (200, 1000, [])
    assert Alert.objects.count() == 1000


def test_one_that_the_engine_itself_would_refuse_does_not_stop_the_others(client: ApiClient) -> None:
    over = GIVEN | {"starts_at": iso(minutes=1), "ends_at": iso(minutes=2)}
    body = client.post(URL, [over, GIVEN]).json()
    assert [row["index"] for row in body["accepted"]] == [1]
    assert [(row["index"], list(row["details"])) for row in body["rejected"]] == [(0, ["ends_at"])]


def test_many_of_which_none_can_be_used(client: ApiClient) -> None:
    answer = client.post(URL, [{"title": "x"}, {"category": "RISK_WARNING"}])
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["alerts[0]", "alerts[1]"]


def test_a_repeat_with_the_same_key_is_not_counted(client: ApiClient) -> None:
    answers = [client.post(URL, GIVEN, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (answers[1].status_code, answers[1].headers["Idempotent-Replay"]) == (201, "true")
    assert Alert.objects.get().count == 1
    assert client.post(URL, GIVEN | {"title": "y"}, headers={"Idempotency-Key": "k1"}).status_code == 422
