"""Working through an incident: steps, notes, the end; and which buttons count as pressed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Alert
from alerts.services import owning
from killswitch import services as killswitch
from killswitch.choices import Reason
from monitoring.breakers import services as breakers
from monitoring.breakers.models import CircuitBreaker
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.runbooks import presses, selectors, services
from opsconsole.runbooks.models import Incident, IncidentNote, IncidentStep
from tests.breakers.reporting import Process, a_breaker, row
from tests.cast import ROOT, acting
from tests.runbooks.rows import BREAKER, COST, DEGRADED, breaker_alert, opened, step_of

pytestmark = pytest.mark.django_db
SECRET = "the key is sk-abcdefgh12345678"


def test_what_is_refused_changes_nothing() -> None:
    incident, other = opened(), opened(DEGRADED, values={"component": "redis"})
    step = step_of(other, "read")
    for refusal, act in (
        (services.UnknownIncident, lambda: services.add_note(actor=ROOT, incident_id=4711, text="x")),
        (ValueError, lambda: services.add_note(actor=ROOT, incident_id=incident.pk, text="  ")),
        (ValueError, lambda: services.add_note(actor=ROOT, incident_id=incident.pk, text="x" * 4001)),
        (ValueError, lambda: services.close(actor=ROOT, incident_id=incident.pk, summary="")),
        (
            services.UnknownStep,
            lambda: services.complete(actor=ROOT, incident_id=incident.pk, step_id=step.pk, note=""),
        ),
    ):
        with pytest.raises(refusal):
            act()
    assert not IncidentNote.objects.exists()
    assert not IncidentStep.objects.filter(done_at__isnull=False).exists()


def test_nothing_is_written_after_the_end() -> None:
    incident = opened()
    step = step_of(incident, "read")
    services.close(actor=ROOT, incident_id=incident.pk, summary="over")
    for act in (
        lambda: services.add_note(actor=ROOT, incident_id=incident.pk, text="x"),
        lambda: services.close(actor=ROOT, incident_id=incident.pk, summary="again"),
        lambda: services.complete(actor=ROOT, incident_id=incident.pk, step_id=step.pk, note=""),
        lambda: services.take_back(actor=ROOT, incident_id=incident.pk, step_id=step.pk, reason=""),
    ):
        with pytest.raises(services.IncidentClosed):
            act()
    assert Incident.objects.get().summary == "over"


def test_a_step_is_done_once_and_can_be_taken_back(alice: User, sam: User) -> None:
    incident = opened()
    step = step_of(incident, "read")
    ids: dict[str, Any] = {"incident_id": incident.pk, "step_id": step.pk}
    _, changed = services.complete(actor=acting(alice), note="$12 already", **ids)
    assert changed
    found, changed = services.complete(actor=acting(sam), note="me too", **ids)
    assert (changed, found.done_by, found.note) == (False, "alice", "$12 already")
    event = AuditEvent.objects.get(action="incidents.step_done")
    assert (event.reason, event.metadata["step"]) == ("$12 already", "1. Check current costs")
    found, changed = services.take_back(actor=acting(sam), reason="wrong desk", **ids)
    assert (changed, found.done_at, found.done_by, found.note) == (True, None, "", "")
    event = AuditEvent.objects.get(action="incidents.step_taken_back")
    assert (event.reason, event.before and event.before["note"]) == ("wrong desk", "$12 already")
    assert services.take_back(actor=ROOT, reason="", **ids)[1] is False


def test_what_looks_like_a_secret_is_nowhere_kept(alice: User) -> None:
    incident = services.start(actor=acting(alice), title=SECRET).incident
    services.add_note(actor=acting(alice), incident_id=incident.pk, text=SECRET)
    services.open_runbook(actor=acting(alice), slug=COST, incident_id=incident.pk)
    services.complete(
        actor=acting(alice), incident_id=incident.pk, step_id=step_of(incident, "read").pk, note=SECRET
    )
    services.close(actor=acting(alice), incident_id=incident.pk, summary=SECRET)
    incident.refresh_from_db()
    written = [incident.title, incident.summary, IncidentNote.objects.get().text]
    written += [*AuditEvent.objects.values_list("reason", flat=True)]
    written += [*AuditEvent.objects.values_list("object_label", flat=True)]
    assert sum("[secret]" in text for text in written) >= 8
    assert not [text for text in written if "abcdefgh" in text]


def test_the_end_says_what_is_left(alice: User) -> None:
    incident = opened()
    services.complete(actor=ROOT, incident_id=incident.pk, step_id=step_of(incident, "read").pk, note="")
    services.close(actor=acting(alice), incident_id=incident.pk, summary="A loop that asked for ever")
    event = AuditEvent.objects.get(action="incidents.closed")
    assert (event.reason, event.metadata) == ("A loop that asked for ever", {"steps": 5, "steps_left": 4})


# Buttons


def done_of(incident: Incident, step: IncidentStep) -> tuple[bool, str]:
    found = selectors.detail(incident.pk).step(step.pk)
    assert found is not None
    return found.done, found.done_by


def test_a_stop_counts_wherever_it_was_pressed(alice: User, sam: User) -> None:
    before = timezone.now() - timedelta(hours=1)
    killswitch.activate(actor=acting(sam), reason=Reason.MANUAL, message="", now=before)
    killswitch.deactivate(actor=acting(sam), message="earlier", now=before)
    incident = opened(COST)
    stop, rearm = step_of(incident, "stop"), step_of(incident, "rearm")
    assert (done_of(incident, stop), done_of(incident, rearm)) == ((False, ""), (False, ""))
    killswitch.activate(actor=acting(alice), reason=Reason.COST_ALERT, message="")
    assert done_of(incident, stop) == (True, "alice")
    killswitch.deactivate(actor=acting(sam), message="The loop is mended")
    assert done_of(incident, rearm) == (True, "sam")
    # What was pressed after the end is no part of it.
    services.close(actor=ROOT, incident_id=incident.pk, summary="over")
    later = opened(COST)
    killswitch.activate(actor=acting(alice), reason=Reason.MANUAL, message="")
    assert done_of(later, step_of(later, "stop")) == (True, "alice")
    assert selectors.detail(incident.pk).done == 2


def test_a_stop_of_another_scope_does_not_count(alice: User) -> None:
    incident = opened(COST)
    IncidentStep.objects.filter(what="stop").update(target="symbol:IBM")
    stop = step_of(incident, "stop")
    killswitch.activate(actor=acting(alice), reason=Reason.MANUAL, message="", scope="symbol:AAPL")
    assert done_of(incident, stop) == (False, "")
    killswitch.activate(actor=acting(alice), reason=Reason.MANUAL, message="", scope="symbol:IBM")
    assert done_of(incident, stop) == (True, "alice")


def test_a_reset_closes_it_and_ticks_the_step(alice: User) -> None:
    Process().opens()
    incident = opened(BREAKER, alert_id=breaker_alert().pk)
    step = step_of(incident, "reset_breaker")
    said = presses.press(actor=acting(alice), incident=incident, step=step, reason="")
    assert said == "yahoo_finance is told to close in every process"
    assert row().reset_version is not None
    event = AuditEvent.objects.get(action="breakers.reset")
    assert (event.actor_name, event.reason) == ("alice", f"Incident {incident.pk}: Reset the breaker")
    step.refresh_from_db()
    assert (step.done_by, step.note) == ("alice", said)


def test_a_reset_of_another_does_not_count(alice: User) -> None:
    for name in ("yahoo_finance", "sec_edgar"):
        Process().report(a_breaker(name))
    incident = opened(BREAKER, values={"breaker": "yahoo_finance"})
    step = step_of(incident, "reset_breaker")
    breakers.reset(actor=acting(alice), name="sec_edgar", reason="")
    assert done_of(incident, step) == (False, "")
    breakers.reset_all(actor=acting(alice), reason="")
    assert done_of(incident, step) == (True, "alice")


def test_what_cannot_be_pressed(alice: User) -> None:
    incident = opened(BREAKER, values={"breaker": "unheard_of"})
    step = step_of(incident, "reset_breaker")
    with pytest.raises(presses.NotPressed, match="unheard_of"):
        presses.press(actor=acting(alice), incident=incident, step=step, reason="")
    stop = step_of(opened(COST), "stop")
    with pytest.raises(presses.NotPressed, match="a page of its own"):
        presses.press(actor=acting(alice), incident=incident, step=stop, reason="")
    Process().report(a_breaker("unheard_of"))
    services.close(actor=ROOT, incident_id=incident.pk, summary="over")
    incident.refresh_from_db()
    with pytest.raises(services.IncidentClosed):
        presses.press(actor=acting(alice), incident=incident, step=step, reason="")
    assert CircuitBreaker.objects.get().reset_version is None
    assert not IncidentStep.objects.filter(done_at__isnull=False).exists()


def test_its_alerts_are_acknowledged(alice: User, sam: User) -> None:
    alert = breaker_alert()
    incident = opened(BREAKER, alert_id=alert.pk)
    IncidentStep.objects.filter(what="reset_breaker").update(what="acknowledge", target="")
    step = step_of(incident, "acknowledge")
    said = presses.press(actor=acting(alice), incident=incident, step=step, reason="on it")
    found = Alert.objects.get()
    assert (said, found.acknowledged_by, found.acknowledge_note) == (
        f"Acknowledged #{alert.pk}",
        "alice",
        "on it",
    )
    with pytest.raises(presses.NotPressed, match="No alert"):
        presses.press(actor=acting(alice), incident=incident, step=step, reason="")
    # Of another alert it says nothing.
    other = opened(BREAKER, alert_id=breaker_alert("sec_edgar").pk)
    IncidentStep.objects.filter(what="reset_breaker").update(what="acknowledge", target="")
    owning.acknowledge(actor=acting(sam), alert_id=breaker_alert("third").pk, note="")
    assert done_of(other, step_of(other, "acknowledge")) == (False, "")
