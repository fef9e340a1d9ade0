"""What an alert may look like: every refusal names its field, and nothing of the batch is stored."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts import limits
from alerts.models import Alert
from alerts.services.raising import raise_alerts
from tests.alerts.raising import NOON, an_alert, minutes, raised
from tests.cast import ROOT

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"category": "RISK"}, "category must be one of SYSTEM_ERROR, "),
        ({"priority": "URGENT"}, "priority must be one of LOW, MEDIUM, HIGH, CRITICAL"),
        ({"title": ""}, "title must not be empty"),
        ({"title": "x" * 201}, "title has 201 characters; at most 200"),
        ({"title": "a\nb"}, "title must be one line without control characters"),
        ({"title": "a\x00"}, "title must be one line without control characters"),
        ({"title": "\ud800"}, "title must be one line without control characters"),
        ({"message": "x" * 10_001}, "message has 10001 characters; at most 10000"),
        ({"message": "a\x1b[31m"}, "message must not have control characters"),
        ({"labels": {"a": 1}}, "labels.a must be text"),
        ({"labels": {"a b": "x"}}, "labels has a name that is not allowed: 'a b'"),
        ({"labels": {"a\n": "x"}}, "labels has a name that is not allowed"),
        ({"labels": {"a": "x" * 513}}, "labels.a has 513 characters; at most 512"),
        ({"labels": {f"a{n}": "x" for n in range(10_000)}}, "labels has 10000 entries; at most 64"),
        ({"labels": []}, "labels must be an object"),
        ({"annotations": {"a": "x" * 4097}}, "annotations.a has 4097 characters"),
        ({"details": {"a": "x" * 16_384}}, "details has"),
        ({"details": {"a": float("nan")}}, "details has NaN"),
        ({"details": {"a": object()}}, "details has a object"),
        ({"details": {"a": "\x00"}}, "details must not have control characters"),
        ({"details": {"a": 2**64}}, "details has an integer of more than 64 bits"),
        ({"dedupe_key": ""}, "dedupe_key must not be empty"),
        ({"generator_url": "x" * 2049}, "generator_url has 2049 characters"),
        ({"starts_at": datetime(2026, 11, 23)}, "starts_at must be a time with its zone"),  # noqa: DTZ001
        ({"ends_at": datetime(9999, 12, 31, tzinfo=UTC)}, "ends_at must lie between the years 1970 and 8999"),
        ({"starts_at": minutes(2), "ends_at": minutes(1)}, "ends_at must not lie before starts_at"),
    ],
)
def test_refuses_and_names_the_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        raised(NOON, an_alert(**fields))
    with pytest.raises(ValueError, match="^" + re.escape(f"alerts[1].{said}")):
        raised(NOON, an_alert(), an_alert(**fields))
    assert not Alert.objects.exists()


def test_refuses_deep_details() -> None:
    details: dict[str, Any] = {}
    for _ in range(11):
        details = {"a": details}
    with pytest.raises(ValueError, match="details is nested more than 10 deep"):
        raised(NOON, an_alert(details=details))


def test_refuses_too_many() -> None:
    with pytest.raises(ValueError, match="at most 1000"):
        raise_alerts(actor=ROOT, alerts=[an_alert()] * (limits.BATCH + 1), now=NOON)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 23), "occurred_at must be a time with its zone"),  # noqa: DTZ001
        (minutes(11), "occurred_at lies in the future: 2026-11-23T12:16:00Z"),
        (NOON - timedelta(days=7, seconds=1), "occurred_at is too long ago: 2026-11-16T12:04:59Z"),
        (datetime(1970, 1, 1, tzinfo=UTC), "occurred_at is too long ago: 1970-01-01T00:00:00Z"),
        # Elsewhere on earth these are no years at all.
        (datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")), "occurred_at must lie between the years 1970 and"),
        (datetime(9999, 12, 31, 23, tzinfo=ZoneInfo("America/New_York")), "occurred_at must lie between"),
    ],
)
def test_times_far_off(moment: datetime, said: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        limits.check_time("occurred_at", moment, now=NOON)


def test_times_that_are_allowed() -> None:
    limits.check_time("occurred_at", minutes(10), now=NOON)
    limits.check_time("occurred_at", NOON - timedelta(days=7), now=NOON)
    limits.check_time("starts_at", NOON - timedelta(days=700), now=NOON, oldest=None)


def test_texts_that_are_allowed() -> None:
    raised(NOON, an_alert("x" * 200, message="a\n\tb\r\n\u202e<script>", labels={"a": "\u202eü\u00a0"}))
    assert Alert.objects.get().labels == {"a": "\u202eü\u00a0"}
