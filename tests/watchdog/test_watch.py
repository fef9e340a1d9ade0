"""Where the canary stays away is what is dead: named, told, and over when it comes again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Submission
from monitoring.health import system
from monitoring.health.checks.pulses import BEAT
from monitoring.health.models import HealthComponent, Pulse
from monitoring.health.watchdog import selectors, watching
from monitoring.health.watchdog.models import Canary, CanaryState, Watch
from monitoring.health.watchdog.stages import Stage, StageStatus, first_late, judge
from monitoring.metrics.exposition import expose
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.pages.browse import Browse
from tests.watchdog.conftest import BEGAN, NOW, Outside

S = timedelta(seconds=1)


def passed(*ages: int | None) -> dict[Stage, datetime | None]:
    """Seconds ago, for each stage."""
    return {stage: None if age is None else NOW - age * S for stage, age in zip(Stage, ages, strict=True)}


@pytest.mark.parametrize(
    ("ages", "dead"),
    [
        ((1, 60, 60, 60), None),
        ((1, 120, 120, 120), None),
        ((46, 100, 100, 100), Stage.BEAT),
        ((1, 121, 121, 121), Stage.WORKER),
        ((1, 30, 121, 121), Stage.OUTBOX),
        ((1, 30, 30, 121), Stage.OUTSIDE),
        ((1, 30, 30, None), Stage.OUTSIDE),
    ],
)
def test_the_first_that_is_late_is_dead(ages: tuple[int | None, ...], dead: Stage | None) -> None:
    late = first_late(judge(passed(*ages), now=NOW, began=BEGAN, outside=True))
    assert (late and late.stage) == dead


def test_a_dead_beat_is_late_before_the_worker_whose_canaries_it_sends() -> None:
    for second in range(200):
        # Beat has died with its last tick; the worker's last canary is at most a minute older.
        late = first_late(
            judge(passed(second, second + 60, second + 60, second + 60), now=NOW, began=BEGAN, outside=True)
        )
        assert late is None or late.stage == Stage.BEAT


def test_nothing_is_late_before_it_could_have_come_by() -> None:
    for ages in ((None,) * 4, (9000,) * 4):
        found = judge(passed(*ages), now=NOW, began=NOW - 40 * S, outside=True)
        assert {passing.status for passing in found} == {StageStatus.WAITING}


def test_without_an_address_nobody_outside_is_missed() -> None:
    found = judge(passed(1, 1, 1, None), now=NOW, began=BEGAN, outside=False)
    assert (found[-1].status, first_late(found)) == (StageStatus.OFF, None)


def signs(*, beat: int = 1, outbox: int | None = 30, answered: int | None = 30, error: str = "") -> None:
    """Signs of life so many seconds old; the worker's is half a minute old."""
    Pulse.objects.update_or_create(
        name=BEAT, defaults={"at": NOW - beat * S, "host": "h", "pid": 1, "started_at": BEGAN}
    )
    Canary.objects.all().delete()
    moments: dict[str, Any] = {
        "outbox_at": None if outbox is None else NOW - outbox * S,
        "answered_at": None if answered is None else NOW - answered * S,
    }
    state = CanaryState.FAILED if error else CanaryState.ANSWERED
    Canary.objects.create(sent_at=NOW - 30 * S, worker_at=NOW - 30 * S, error=error, state=state, **moments)


def look(*, after: int = 0) -> bool:
    return watching.look(now=NOW + after * S, began=BEGAN)


def told() -> list[tuple[str, str, bool, bool]]:
    rows = [row.alert for row in Submission.objects.order_by("pk")]
    return [(row["title"], row["priority"], row["force"], row["resolved"]) for row in rows]


@pytest.mark.django_db
def test_what_is_dead_is_named_and_told_urgently_until_it_is_back(bob: User, browse: Browse) -> None:
    signs()
    assert look()
    assert (told(), system.status().dead) == ([], None)
    signs(beat=46)
    assert not look(after=1)
    assert look(after=5)
    assert told() == [("Watchdog: beat does not tick", "CRITICAL", True, False)]
    found = system.status()
    assert "The watchdog's canary does not come through: beat is dead" in found.why
    assert found.word == "degraded"
    look(after=10)
    assert len(told()) == 1
    signs(beat=-14)
    look(after=15)
    assert told()[1:] == [("Watchdog: beat does not tick", "CRITICAL", True, True)]
    assert system.status().dead is None
    events = AuditEvent.objects.filter(action__startswith="watchdog.").order_by("id")
    assert [(event.action, event.object_label) for event in events] == [
        ("watchdog.lost", "Beat"),
        ("watchdog.back", "Beat"),
    ]


@pytest.mark.django_db
def test_what_health_tells_of_is_told_if_it_outlasts_that() -> None:
    HealthComponent.objects.filter(slug="beat").update(told="unhealthy")
    signs(beat=60)
    look()
    assert told() == []
    assert Watch.objects.get().late == Stage.BEAT
    HealthComponent.objects.filter(slug="beat").update(told="")
    look(after=5)
    assert len(told()) == 1


@pytest.mark.django_db
def test_no_answer_from_outside_says_why(outside: Outside) -> None:
    signs(answered=130, error="127.0.0.1: it answered 404")
    look()
    assert told() == [("Watchdog: no answer from outside", "HIGH", False, False)]
    message = Submission.objects.get().alert["message"]
    assert message == "The last sign of it is 130 s old, 120 s are allowed; 127.0.0.1: it answered 404."


@pytest.mark.django_db
def test_the_page_names_it(
    outside: Outside, bob: User, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs(outbox=130, answered=130)
    monkeypatch.setattr(selectors, "began_at", lambda: BEGAN)
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    text = browse(bob).get("/health/-/watchdog").content.decode()
    assert "Outbox is dead" in text
    assert text.count("DEAD") == 1
    assert "what comes before it is dead" in text


@pytest.mark.django_db
def test_prometheus_sees_when_each_stage_was_passed(outside: Outside) -> None:
    signs(answered=None)
    text = expose(now=NOW)
    at = (NOW - 30 * S).timestamp()
    assert f'opsconsole_watchdog_passed_timestamp_seconds{{stage="outbox"}} {at}' in text
    assert 'opsconsole_watchdog_passed_timestamp_seconds{stage="outside"} 0.0' in text
