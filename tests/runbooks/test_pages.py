"""The pages of runbooks and incidents, and what they add to the alert's page and to the overview."""

import re

import pytest
from django.test import Client

from alerts.models import Alert
from killswitch.models import Activation
from monitoring.breakers.models import CircuitBreaker
from monitoring.health import asking
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Incident, IncidentNote, IncidentStep, Runbook
from tests.alert_rows import an_alert
from tests.breakers.reporting import Process, a_breaker, row
from tests.cast import ROOT, acting
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries
from tests.runbooks.rows import BREAKER, COST, DEGRADED, breaker_alert, opened, step_of

pytestmark = pytest.mark.django_db


def shown(html: str) -> str:
    """The page's text: no tags, each run of blanks one blank."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


# Refusals


def test_nobody_signed_in(db: None) -> None:
    for path in ("/incidents", "/incidents/1", "/incidents/1/export", "/runbooks", f"/runbooks/{COST}"):
        assert Client().get(path).status_code == 302


def test_without_a_role_there_is_nothing_to_read(charlie: User, browse: Browse) -> None:
    for path, words in (
        ("/incidents", "Reading incidents needs a viewer"),
        ("/runbooks", "Reading runbooks"),
    ):
        answer = browse(charlie).get(path)
        assert (answer.status_code, words in answer.content.decode()) == (403, True)


def test_a_viewer_looks_and_is_told_who_may_work(alice: User, bob: User, browse: Browse) -> None:
    incident = opened()
    step = step_of(incident, "read")
    client, one = browse(bob), f"/incidents/{incident.pk}"
    assert client.get(one).status_code == 200
    for path in (
        "/incidents/new",
        f"/runbooks/{COST}/open",
        *(f"{one}/{act}" for act in ("notes", "close")),
        *(f"{one}/steps/{step.pk}/{act}" for act in ("done", "undone", "press")),
    ):
        answer = client.post(path, {"title": "x", "text": "x", "summary": "x"})
        assert (answer.status_code, "needs an operator" in answer.content.decode()) == (403, True), path
    assert Incident.objects.get().is_open
    assert not IncidentStep.objects.filter(done_at__isnull=False).exists()


def test_what_there_is_not(alice: User, browse: Browse) -> None:
    incident, client = opened(), browse(alice)
    other = step_of(opened(DEGRADED, values={"component": "redis"}), "refresh_health")
    for path in ("/incidents/4711", "/incidents/4711/export", "/runbooks/none"):
        assert client.get(path).status_code == 404
    for path in (
        "/incidents/4711/notes",
        f"/incidents/{incident.pk}/steps/{other.pk}/done",
        f"/incidents/{incident.pk}/steps/{other.pk}/press",
        "/runbooks/none/open",
    ):
        assert client.post(path, {"text": "x"}).status_code == 404
    assert client.post(f"/runbooks/{COST}/open", {"alert": "4711"}).status_code == 404
    assert client.post(f"/runbooks/{COST}/open", {"incident": "x"}).status_code == 404
    assert client.get(f"/incidents/{incident.pk}/notes").status_code == 405
    assert client.get(f"/incidents/{incident.pk}?show=me").status_code == 422
    assert client.get(f"/incidents/{incident.pk}?before=x").status_code == 422
    assert client.get("/incidents?state=half").status_code == 422


def test_each_button_needs_what_its_own_page_asks_for(alice: User, browse: Browse) -> None:
    incident = opened(BREAKER, values={"breaker": "yahoo_finance"})
    Process().report(a_breaker())
    step = step_of(incident, "reset_breaker")
    # Somebody who may work on incidents and nothing else.
    group = alice.groups.get()
    group.permissions.remove(*group.permissions.filter(codename="reset_circuitbreaker"))
    answer = browse(alice).post(f"/incidents/{incident.pk}/steps/{step.pk}/press")
    assert (answer.status_code, "Resetting circuit breakers needs" in answer.content.decode()) == (403, True)
    assert CircuitBreaker.objects.get().reset_version is None
    assert (
        "Resetting circuit breakers needs an operator"
        in browse(alice).get(f"/incidents/{incident.pk}").content.decode()
    )


# From the alert


def test_the_alert_shows_its_runbook_and_opens_it(alice: User, browse: Browse) -> None:
    alert, client = breaker_alert(), browse(alice)
    html = client.get(f"/alerts/{alert.pk}").content.decode()
    assert f'formaction="/runbooks/{BREAKER}/open"' in html
    assert "Nothing is written for this alert" not in html
    answer = client.post(f"/runbooks/{BREAKER}/open", {"alert": alert.pk})
    incident = Incident.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/incidents/{incident.pk}")
    html = client.get(f"/alerts/{alert.pk}").content.decode()
    assert f"Incident {incident.pk} open, 0 of 4 steps ticked" in shown(html)
    # It is not offered twice.
    assert f"/runbooks/{BREAKER}/open" not in html
    assert f"/incidents/{incident.pk}" in client.get("/").content.decode()


def test_an_alert_without_one_pretends_nothing(bob: User, browse: Browse) -> None:
    html = browse(bob).get(f"/alerts/{an_alert().pk}").content.decode()
    assert "Nothing is written for this alert" in html
    assert "runbook-form" in html
    assert "/open" not in html


def test_values_that_are_missing_are_asked_for(alice: User, browse: Browse) -> None:
    Process().report(a_breaker("sec_edgar"))
    client = browse(alice)
    answer = client.post(f"/runbooks/{BREAKER}/open")
    assert (answer.status_code, "Say which breaker." in answer.content.decode()) == (422, True)
    assert '<option value="sec_edgar">' in answer.content.decode()
    assert not Incident.objects.exists()
    client.post(f"/runbooks/{BREAKER}/open", {"value-breaker": "sec_edgar"})
    assert Incident.objects.get().title == "Circuit Breaker Open: sec_edgar"


def test_one_that_is_switched_off_can_be_read_and_not_opened(alice: User, browse: Browse) -> None:
    Runbook.objects.filter(slug=COST).update(enabled=False)
    client = browse(alice)
    assert "switched off" in client.get(f"/runbooks/{COST}").content.decode()
    assert client.post(f"/runbooks/{COST}/open").status_code == 409
    assert not Incident.objects.exists()


# One incident


def test_what_it_shows(alice: User, browse: Browse) -> None:
    Process().opens(now=None)
    incident = opened(BREAKER, alert_id=breaker_alert().pk)
    text = shown(browse(alice).get(f"/incidents/{incident.pk}").content.decode())
    assert "0 of 4 steps done" in text
    assert "1. Check the breaker yahoo_finance" in text
    assert "open since" in text
    assert "1 of 1 processes have it open" in text
    assert "http://testserver/monitoring/circuit-breakers/yahoo_finance" in text
    assert "started the incident" in text


def test_every_reading_of_every_runbook(desk: Desk, alice: User, browse: Browse) -> None:
    incident = services.start(actor=ROOT, title="All").incident
    for runbook in Runbook.objects.all():
        services.open_runbook(
            actor=ROOT,
            slug=runbook.slug,
            incident_id=incident.pk,
            values={"breaker": "none", "component": "redis"},
        )
    client = browse(alice)
    html = client.get(f"/incidents/{incident.pk}").content.decode()
    text = shown(html)
    for words in (
        "never reported; the budget is $10.00 a day",
        "trading Nothing is stopped",
        "4 connected none ignores stops",
        "No process has reported none",
        "nobody is needed",
        "Re-arming needs a supervisor",
    ):
        assert words in text, words
    readings = IncidentStep.objects.filter(kind="read").count()
    assert html.count('id="reading-') >= readings
    answer = client.get(f"/incidents/{incident.pk}", headers={"HX-Request": "true"}).content.decode()
    assert answer.count('<hx-partial hx-target="#reading-') == readings
    assert '<hx-partial hx-target="#timeline">' in answer


def test_few_queries_whatever_there_is(alice: User, browse: Browse) -> None:
    incident = opened(COST)
    for number in range(20):
        services.add_note(actor=ROOT, incident_id=incident.pk, text=f"note {number}")
        an_alert(f"alert {number}")
        opened(BREAKER, values={"breaker": f"b{number}"})
    client = browse(alice)
    with most_queries(54):
        client.get(f"/incidents/{incident.pk}")
    with most_queries(18):
        client.get("/incidents")


def test_steps_notes_and_the_end(alice: User, browse: Browse) -> None:
    incident, client = opened(), browse(alice)
    one, step = f"/incidents/{incident.pk}", step_of(incident, "read")
    answer = client.post(f"{one}/steps/{step.pk}/done", {"note": "$12"})
    assert (answer.status_code, answer["Location"]) == (303, f"{one}#step-{step.pk}")
    assert "“ $12 ”" in shown(client.get(one).content.decode())
    client.post(f"{one}/steps/{step.pk}/undone")
    step.refresh_from_db()
    assert step.done_at is None
    assert client.post(f"{one}/notes", {"text": " "}).status_code == 422
    client.post(f"{one}/notes", {"text": "<b>hm</b>"})
    assert IncidentNote.objects.get().by == "alice"
    assert "&lt;b&gt;hm&lt;/b&gt;" in client.get(one).content.decode()
    assert "how it ended" in client.post(f"{one}/close", {"summary": ""}).content.decode()
    client.post(f"{one}/close", {"summary": "A loop"})
    text = shown(client.get(one).content.decode())
    assert "CLOSED" in text
    assert "Add note" not in text
    answer = client.post(f"{one}/notes", {"text": "late"})
    assert (answer.status_code, "was closed by alice" in answer.content.decode()) == (409, True)


def test_reset_in_one_press(alice: User, browse: Browse) -> None:
    Process().report(a_breaker())
    incident = opened(BREAKER, values={"breaker": "yahoo_finance"})
    step = step_of(incident, "reset_breaker")
    client = browse(alice)
    answer = client.post(
        f"/incidents/{incident.pk}/steps/{step.pk}/press", {"note": "it is back"}, follow=True
    )
    assert "yahoo_finance is told to close in every process." in answer.content.decode()
    assert row().reset_version is not None
    assert AuditEvent.objects.get(action="breakers.reset").reason == "it is back"


def test_health_is_looked_at_now(alice: User, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = opened(DEGRADED, values={"component": "redis"})
    step = step_of(incident, "refresh_health")
    url = f"/incidents/{incident.pk}/steps/{step.pk}/press"
    monkeypatch.setattr(asking, "look", lambda: None)
    answer = browse(alice).post(url)
    assert (answer.status_code, "Others are checking right now" in answer.content.decode()) == (409, True)
    monkeypatch.setattr(asking, "look", lambda: 3)
    browse(alice).post(url)
    step.refresh_from_db()
    assert step.note.startswith("Looked: ")


def test_a_stop_asks_as_it_always_does_and_comes_back(desk: Desk, alice: User, browse: Browse) -> None:
    incident, client = opened(COST), browse(alice)
    step = step_of(incident, "stop")
    page = client.get(f"/incidents/{incident.pk}").content.decode()
    found = re.search(rf'id="step-{step.pk}-press" href="([^"]+)"', page)
    assert found is not None
    to = found[1].replace("&amp;", "&")
    asked = client.get(to).content.decode()
    assert not Activation.objects.exists()
    assert "<option selected>COST_ALERT</option>" in asked
    back = f"/incidents/{incident.pk}#step-{step.pk}"
    assert f'name="next" value="{back}"' in asked
    answer = client.post("/kill-switch/stop", {"reason": "COST_ALERT", "next": back})
    assert answer["Location"] == back
    assert Activation.objects.get().reason == "COST_ALERT"
    assert "as the audit trail has it" in client.get(f"/incidents/{incident.pk}").content.decode()


def test_no_page_sends_elsewhere_than_to_the_console(
    desk: Desk, alice: User, sam: User, browse: Browse
) -> None:
    answer = browse(alice).post("/kill-switch/stop", {"next": "https://evil.example/"})
    assert answer["Location"] == "/kill-switch"
    desk.acknowledge()
    fields = {
        "scope": "global",
        "message": "It was a test of ours",
        "word": "RE-ARM",
        "next": "//evil.example",
    }
    assert browse(sam).post("/kill-switch/rearm", fields)["Location"] == "/kill-switch"


def test_re_arming_stays_as_strict(desk: Desk, sam: User, alice: User, browse: Browse) -> None:
    incident = opened(COST)
    desk.stop(alice)
    step, client = step_of(incident, "rearm"), browse(sam)
    page = client.get(f"/incidents/{incident.pk}").content.decode()
    found = re.search(rf'id="step-{step.pk}-press" href="([^"]+)"', page)
    assert found is not None
    back = f"/incidents/{incident.pk}#step-{step.pk}"
    assert f'name="next" value="{back}"' in client.get(found[1].replace("&amp;", "&")).content.decode()
    fields = {"scope": "global", "message": "The loop is mended", "word": "RE-ARM", "next": back}
    assert client.post("/kill-switch/rearm", fields).status_code == 409
    desk.acknowledge()
    assert client.post("/kill-switch/rearm", fields | {"word": "yes"}).status_code == 422
    answer = client.post("/kill-switch/rearm", fields)
    assert (answer.status_code, answer["Location"]) == (303, back)
    # Nothing of the incident's own re-arms.
    desk.stop(alice)
    assert client.post(f"/incidents/{incident.pk}/steps/{step.pk}/press").status_code == 409
    assert Activation.objects.filter(ended_at=None).exists()


# Lists


def test_the_list(bob: User, browse: Browse) -> None:
    assert "There was no incident yet" in browse(bob).get("/incidents").content.decode()
    first, second = opened(COST), opened(BREAKER, values={"breaker": "x"})
    services.close(actor=ROOT, incident_id=first.pk, summary="A loop")
    html = browse(bob).get("/incidents").content.decode()
    assert html.index(f'id="incident-{second.pk}"') < html.index(f'id="incident-{first.pk}"')
    html = browse(bob).get("/incidents?state=closed&q=loop").content.decode()
    assert f'id="incident-{first.pk}"' in html
    assert f'id="incident-{second.pk}"' not in html
    assert "Nothing matches all of this" in browse(bob).get("/incidents?q=zzz").content.decode()
    part = browse(bob).get("/incidents", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<hx-partial hx-target="#found">')


def test_start_one_with_nothing_but_a_title(alice: User, browse: Browse) -> None:
    client = browse(alice)
    client.post("/incidents/new", {"title": " "})
    assert not Incident.objects.exists()
    answer = client.post("/incidents/new", {"title": "The office has no power"})
    incident = Incident.objects.get()
    assert answer["Location"] == f"/incidents/{incident.pk}"
    html = client.get(f"/incidents/{incident.pk}").content.decode()
    assert f'formaction="/runbooks/{COST}/open"' in html
    client.post(f"/runbooks/{COST}/open", {"incident": incident.pk})
    assert incident.procedures.get().name == "High API Costs"


def test_the_runbooks(sam: User, bob: User, browse: Browse) -> None:
    html = browse(bob).get("/runbooks").content.decode()
    assert "Circuit Breaker Open" in html
    assert "/admin/" not in html[html.index("<main") : html.index("</main>")]
    assert "/admin/runbooks/runbook/" in browse(sam).get("/runbooks").content.decode()


def test_an_export_from_the_page(bob: User, browse: Browse) -> None:
    incident = opened(COST, actor=acting(bob))
    answer = browse(bob).get(f"/incidents/{incident.pk}/export")
    assert answer.content.decode().startswith(f"# Incident {incident.pk}: High API Costs\n")
    assert Alert.objects.count() == 0
