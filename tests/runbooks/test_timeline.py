"""The timeline: from every source, in order, in pages; and what it leaves out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.models import Alert
from killswitch import services as killswitch
from killswitch.choices import Reason
from monitoring.breakers.models import BreakerTransition
from monitoring.health.models import HealthChange, HealthComponent
from opsconsole.accounts.models import User
from opsconsole.audit.services import record
from opsconsole.runbooks import services, timeline
from opsconsole.runbooks.choices import Shown
from opsconsole.runbooks.models import Incident
from tests.alert_rows import an_alert, resolved
from tests.breakers.reporting import Process
from tests.cast import ROOT, acting
from tests.pages.queries import most_queries
from tests.runbooks.rows import BREAKER, COST, breaker_alert, opened, step_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def words(incident: Incident, **values: object) -> list[str]:
    return [entry.words for entry in timeline.page(incident, limit=100, **values).entries]  # type: ignore[arg-type]


def test_everything_that_happened_between_its_beginning_and_its_end(alice: User) -> None:
    an_alert("before it", age_s=900)
    over = resolved("Feed is late")
    alert = breaker_alert(age_s=120)
    Process().opens(now=timezone.now() - timedelta(seconds=60))
    redis = HealthComponent.objects.get(slug="redis")
    HealthChange.objects.create(
        component=redis,
        at=timezone.now() - 30 * SECOND,
        before="healthy",
        after="unhealthy",
        message="Connection refused",
    )
    incident = opened(BREAKER, alert_id=alert.pk, actor=acting(alice))
    killswitch.activate(actor=acting(alice), reason=Reason.MANUAL, message="to be safe")
    services.add_note(actor=acting(alice), incident_id=incident.pk, text="The provider answers")
    services.complete(
        actor=acting(alice), incident_id=incident.pk, step_id=step_of(incident, "read").pk, note="seen"
    )
    Alert.objects.filter(pk=over.pk).update(resolved_at=timezone.now())
    services.close(actor=acting(alice), incident_id=incident.pk, summary="It was the provider")
    later = an_alert("after it", age_s=-5)
    # Rows of their own tell of these.
    for action in ("health.changed", "breakers.opened", "breakers.closed"):
        record(actor=ROOT, action=action, reason="", now=incident.started_at)
    incident.refresh_from_db()
    found = words(incident)
    told = [
        "closed the incident",
        "Over: Feed is late",
        "did step 1. Check the breaker yahoo_finance",
        "noted",
        "stopped everything",
        "started the incident",
        "redis is unhealthy, was healthy".replace("redis", redis.name),
        "Breaker yahoo_finance went from closed to open in AAPL: failures in a row",
        "HIGH alert: Circuit breaker open: yahoo_finance",
    ]
    assert [line for line in told if line not in found] == []
    assert [found.index(line) for line in told] == sorted(found.index(line) for line in told)
    assert not [line for line in found if "before it" in line or later.title in line]
    assert not [line for line in found if line.startswith(("health.", "breakers."))]
    assert over.title not in words(incident, shown=Shown.INCIDENT)
    (change,) = timeline.page(incident, limit=9, shown=Shown.HEALTH).entries
    assert change.url == "/health/redis"


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (Shown.INCIDENT, "started the incident"),
        (Shown.ALERTS, "HIGH alert: Circuit breaker open: yahoo_finance"),
        (Shown.SWITCH, "stopped everything"),
        (Shown.OTHER, "signed in"),
    ],
)
def test_a_part_of_it(shown: Shown, line: str, alice: User) -> None:
    incident = opened(BREAKER, alert_id=breaker_alert().pk)
    killswitch.activate(actor=acting(alice), reason=Reason.MANUAL, message="")
    record(actor=acting(alice), action="accounts.signed_in", reason="")
    found = words(incident, shown=shown)
    assert line in found
    assert not [
        other
        for other in ("started the incident", "stopped everything", "signed in")
        if other in found and other != line
    ]


def test_what_belongs_to_another_incident_is_told_there() -> None:
    incident, other = opened(), opened(BREAKER, values={"breaker": "x"})
    services.add_note(actor=ROOT, incident_id=other.pk, text="elsewhere")
    assert words(incident, shown=Shown.INCIDENT) == ["started the incident"]


def test_secrets_of_others_are_hidden() -> None:
    incident = opened(COST, alert_id=an_alert("token=abcdef123456", category="COST_ALERT").pk)
    found = timeline.page(incident, limit=100).entries
    assert [entry.words for entry in found if entry.kind == Shown.ALERTS] == ["HIGH alert: token=[secret]"]


def test_pages_have_every_entry_once_even_of_one_instant() -> None:
    began = timezone.now() - timedelta(minutes=5)
    Process().opens(now=began + 10 * SECOND)
    breaker = BreakerTransition.objects.get().breaker
    incident = opened(COST)
    Incident.objects.filter(pk=incident.pk).update(since=began)
    incident.refresh_from_db()
    moment = began + timedelta(minutes=1)
    for number in range(6):
        an_alert(f"alert {number}")
        BreakerTransition.objects.create(
            breaker=breaker,
            client="AAPL",
            instance="a",
            seq=number,
            from_state="OPEN",
            to_state="CLOSED",
            at=moment,
            in_previous_s=1,
            why="reset",
            received_at=moment,
        )
    Alert.objects.update(first_at=moment)
    whole = timeline.page(incident, limit=100)
    assert whole.next_key is None
    seen, before = [], None
    while True:
        page = timeline.page(incident, limit=3, before=before)
        seen += [str(entry.key) for entry in page.entries]
        if page.next_key is None:
            break
        before = timeline.Key.read(str(page.next_key))
    assert seen == [str(entry.key) for entry in whole.entries]
    assert len(seen) == len(set(seen)) >= 14
    assert [str(entry.key) for entry in timeline.whole(incident, most=10, size=4)] == seen[:10]


@pytest.mark.parametrize("text", ["", "x", "1-2", "1-2-x", "-1-0-0", f"{'9' * 30}-0-0", f"{'9' * 18}-0-0"])
def test_what_is_no_place_in_it(text: str) -> None:
    with pytest.raises(ValueError, match="must be a `next` of this list"):
        timeline.Key.read(text)


def test_few_queries() -> None:
    incident = opened(COST)
    for number in range(20):
        an_alert(f"alert {number}")
    with most_queries(8):
        timeline.page(incident, limit=50)
