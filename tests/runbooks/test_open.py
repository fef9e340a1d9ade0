"""Opening a runbook: in the incident that is about the same, else in a new one; and which belong to an alert."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from opsconsole.audit.models import AuditEvent
from opsconsole.runbooks import matching, services
from opsconsole.runbooks.models import Incident, IncidentAlert, Procedure, Runbook
from tests.alert_rows import an_alert
from tests.at_once import Run
from tests.cast import ROOT
from tests.runbooks.rows import BREAKER, COST, DEGRADED, breaker_alert, opened

pytestmark = pytest.mark.django_db


def test_what_cannot_be_opened() -> None:
    Runbook.objects.filter(slug=DEGRADED).update(enabled=False)
    closed = opened()
    services.close(actor=ROOT, incident_id=closed.pk, summary="over")
    before = Incident.objects.count(), AuditEvent.objects.count()
    refusals: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (services.UnknownRunbook, "none", {}),
        (services.SwitchedOff, DEGRADED, {"values": {"component": "redis"}}),
        (services.UnknownAlert, COST, {"alert_id": 4711}),
        (services.UnknownIncident, COST, {"incident_id": 4711}),
        (services.IncidentClosed, COST, {"incident_id": closed.pk}),
        (services.MissingValues, BREAKER, {}),
        (services.MissingValues, BREAKER, {"values": {"breaker": "  "}}),
        (ValueError, BREAKER, {"values": {"breaker": "two\nlines"}}),
        (ValueError, BREAKER, {"values": {"breaker": "x" * 201}}),
    ]
    for refusal, slug, values in refusals:
        with pytest.raises(refusal):
            services.open_runbook(actor=ROOT, slug=slug, **values)
    assert (Incident.objects.count(), AuditEvent.objects.count()) == before


def test_from_an_alert_it_begins_when_that_was_raised_and_knows_its_labels() -> None:
    alert, now = breaker_alert("api/eu$(id)", age_s=300), timezone.now()
    found = services.open_runbook(actor=ROOT, slug=BREAKER, alert_id=alert.pk, now=now)
    assert (found.started, found.added, found.joined) == (True, True, True)
    incident = found.incident
    assert (incident.title, incident.since, incident.started_at) == (alert.title, alert.first_at, now)
    procedure = Procedure.objects.get(incident=incident)
    assert procedure.values == {"breaker": "api/eu$(id)"}
    first, _, press, _ = procedure.steps.all()
    assert (first.title, first.target) == ("Check the breaker api/eu$(id)", "api/eu$(id)")
    # No shell takes it for more than a word.
    assert "circuit-breakers/api%2Feu%24%28id%29/reset" in press.command
    event = AuditEvent.objects.get(action="incidents.started")
    assert event.object_id == str(incident.pk)
    assert event.metadata["alert"] == alert.pk


def test_of_an_alert_that_has_long_fired_only_the_last_day_is_told() -> None:
    now = timezone.now()
    incident = opened(BREAKER, alert_id=breaker_alert(age_s=7 * 86_400).pk, now=now)
    assert incident.since == now - timedelta(hours=24)


def test_the_same_again_joins_what_is_open() -> None:
    alert = breaker_alert()
    first = opened(BREAKER, alert_id=alert.pk)
    again = services.open_runbook(actor=ROOT, slug=BREAKER, alert_id=alert.pk)
    assert (again.incident, again.started, again.added, again.joined) == (first, False, False, False)
    assert AuditEvent.objects.filter(action__startswith="incidents.").count() == 1
    # Another alert about the same breaker, and by hand.
    other = breaker_alert(title="It is open again")
    joined = services.open_runbook(actor=ROOT, slug=BREAKER, alert_id=other.pk)
    assert (joined.incident, joined.joined) == (first, True)
    assert opened(BREAKER, values={"breaker": "yahoo_finance"}) == first
    # Another runbook for the same alert.
    more = services.open_runbook(actor=ROOT, slug=COST, alert_id=alert.pk)
    assert (more.incident, more.added) == (first, True)
    actions = AuditEvent.objects.filter(action__startswith="incidents.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "incidents.started",
        "incidents.alert_joined",
        "incidents.runbook_opened",
    ]


def test_another_breaker_is_another_incident_and_so_is_one_after_the_end() -> None:
    first = opened(BREAKER, alert_id=breaker_alert().pk)
    assert opened(BREAKER, alert_id=breaker_alert("sec_edgar").pk) != first
    services.close(actor=ROOT, incident_id=first.pk, summary="over")
    assert opened(BREAKER, values={"breaker": "yahoo_finance"}) != first


def test_steps_stay_as_they_were_when_it_was_opened() -> None:
    incident = opened()
    runbook = Runbook.objects.get(slug=COST)
    services.change(
        actor=ROOT,
        runbook_id=runbook.pk,
        values={},
        steps=[{"kind": "confirm", "title": "Only this"}],
        reason="simpler",
    )
    services.delete(actor=ROOT, runbook_id=runbook.pk, reason="gone")
    procedure = Procedure.objects.get(incident=incident)
    assert (procedure.runbook, procedure.name, procedure.steps.count()) == (None, "High API Costs", 5)


@pytest.mark.django_db(transaction=True)
def test_two_who_open_the_same_at_once_meet(at_once: Run) -> None:
    alert = breaker_alert()
    slugs = [BREAKER, COST] * 4
    found = at_once([partial(opened, slug, alert_id=alert.pk) for slug in slugs])
    assert len({incident.pk for incident in found}) == 1
    assert Procedure.objects.count() == 2
    assert IncidentAlert.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"title": "Daily AI cost", "category": "COST_ALERT", "labels": {}}, ["High API Costs"]),
        ({"category": "SYSTEM_ERROR", "labels": {"breaker": "x"}}, ["Circuit Breaker Open"]),
        ({"category": "SYSTEM_ERROR", "labels": {"component": "redis"}}, ["System Degraded"]),
        (
            {"title": "Trading stopped: everything", "labels": {"scope": "global"}},
            ["Kill Switch Won’t Deactivate"],
        ),
        (
            {"category": "COST_ALERT", "labels": {"breaker": "claude_api"}},
            ["Circuit Breaker Open", "High API Costs"],
        ),
        ({"labels": {"symbol": "IBM"}}, []),
        ({"labels": {"breaker": ""}}, []),
    ],
)
def test_which_belong_to_an_alert(values: dict[str, Any], names: list[str]) -> None:
    assert [runbook.name for runbook in matching.for_alert(an_alert(**values))] == names


def test_one_that_is_switched_off_belongs_to_none() -> None:
    Runbook.objects.filter(slug=BREAKER).update(enabled=False)
    assert matching.for_alert(breaker_alert()) == []
