"""/monitoring/incidents."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Incident, IncidentNote
from tests.cast import ROOT, acting, caller
from tests.runbooks.rows import BREAKER, COST, breaker_alert, opened, step_of

pytestmark = pytest.mark.django_db
URL = "/monitoring/incidents"


def test_who_may(bob: User, charlie: User, trader: User) -> None:
    incident = opened()
    one = f"{URL}/{incident.pk}"
    for user in (charlie, trader):
        for path in (URL, one, f"{one}/timeline", f"{one}/export"):
            assert caller(user).get(path).status_code == 403
    for path, body in ((f"{one}/notes", {"text": "x"}), (f"{one}/close", {"summary": "x"})):
        answer = caller(bob).post(path, body)
        assert (answer.status_code, "needs the role operator" in answer.json()["error"]["message"]) == (
            403,
            True,
        )
    assert Incident.objects.get().is_open
    assert not IncidentNote.objects.exists()


def test_what_cannot_be_read(alice: User) -> None:
    incident, client = opened(), caller(alice)
    one = f"{URL}/{incident.pk}"
    for path, field in (
        (f"{URL}?state=half", "state"),
        (f"{URL}?cursor=x", "cursor"),
        (f"{URL}?since=yesterday", "since"),
        (f"{one}/timeline?show=me", "show"),
        (f"{one}/timeline?cursor=1-2", "cursor"),
        (f"{one}/timeline?limit=0", "limit"),
    ):
        answer = client.get(path)
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])
    for body, field in (({}, "text"), ({"text": " "}, "text"), ({"text": "x", "by": "me"}, "by")):
        answer = client.post(f"{one}/notes", body)
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])
    for path in ("", "/timeline", "/export"):
        assert client.get(f"{URL}/4711{path}").status_code == 404
    assert client.post(f"{URL}/4711/notes", {"text": "x"}).status_code == 404


@pytest.mark.parametrize("query", ["search=%00", "runbook=%00"])
def test_what_cannot_be_stored_finds_nothing(query: str, bob: User) -> None:
    opened()
    assert caller(bob).get(f"{URL}?{query}").json() == {"results": [], "next": None}


def test_the_list_pages_by_key_and_filters(bob: User) -> None:
    first = opened(COST)
    services.add_note(actor=ROOT, incident_id=first.pk, text="The Zurich feed")
    services.close(actor=ROOT, incident_id=first.pk, summary="A loop")
    second = opened(BREAKER, alert_id=breaker_alert().pk)
    client = caller(bob)
    page = client.get(f"{URL}?limit=1").json()
    assert [one["id"] for one in page["results"]] == [second.pk]
    rest = client.get(f"{URL}?limit=1&cursor={page['next']}").json()
    assert ([one["id"] for one in rest["results"]], rest["next"]) == ([first.pk], None)
    assert rest["results"][0]["state"] == "closed"
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat().replace("+", "%2B")
    for query, found in (
        ("state=open", [second.pk]),
        ("state=closed", [first.pk]),
        ("search=loop", [first.pk]),
        ("search=zurich", [first.pk]),
        ("search=yahoo", [second.pk]),
        (f"search=%23{second.pk}", [second.pk]),
        ("search=nothing", []),
        (f"runbook={COST}", [first.pk]),
        (f"since={tomorrow}", []),
        (f"until={tomorrow}", [second.pk, first.pk]),
    ):
        assert [one["id"] for one in client.get(f"{URL}?{query}").json()["results"]] == found, query


def test_one_with_everything(alice: User) -> None:
    alert = breaker_alert()
    incident = opened(BREAKER, alert_id=alert.pk)
    step = step_of(incident, "read")
    services.complete(actor=acting(alice), incident_id=incident.pk, step_id=step.pk, note="seen")
    services.add_note(actor=acting(alice), incident_id=incident.pk, text="hm")
    found = caller(alice).get(f"{URL}/{incident.pk}").json()
    assert (found["state"], found["steps"], found["steps_done"]) == ("open", 4, 1)
    assert [(one["id"], one["title"]) for one in found["alerts"]] == [(alert.pk, alert.title)]
    (procedure,) = found["procedures"]
    assert (procedure["runbook"], procedure["values"]) == (
        "Circuit Breaker Open",
        {"breaker": "yahoo_finance"},
    )
    first = procedure["steps"][0]
    assert (first["done"], first["done_by"], first["note"], first["audit_event"]) == (
        True,
        "alice",
        "seen",
        None,
    )
    assert [(note["by"], note["text"]) for note in found["notes"]] == [("alice", "hm")]


def test_a_note_is_taken_once_under_one_key(alice: User) -> None:
    incident, client = opened(), caller(alice)
    for _ in range(2):
        answer = client.post(
            f"{URL}/{incident.pk}/notes", {"text": "password=hunter22"}, headers={"Idempotency-Key": "k"}
        )
        assert (answer.status_code, answer.json()["text"]) == (201, "password=[secret]")
    note = IncidentNote.objects.get()
    event = AuditEvent.objects.get(action="incidents.noted")
    assert (note.by, event.reason, event.metadata["note"]) == (
        "alice via tests",
        "password=[secret]",
        note.pk,
    )


def test_the_end(alice: User) -> None:
    incident, client = opened(), caller(alice)
    answer = client.post(f"{URL}/{incident.pk}/close", {"summary": "A loop"})
    assert (answer.status_code, answer.json()["state"], answer.json()["summary"]) == (200, "closed", "A loop")
    for path, body in (("close", {"summary": "again"}), ("notes", {"text": "x"})):
        answer = client.post(f"{URL}/{incident.pk}/{path}", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "closed")
    assert Incident.objects.get().summary == "A loop"


def test_the_timeline_pages_by_key(bob: User) -> None:
    incident = opened(BREAKER, alert_id=breaker_alert().pk)
    client, seen, cursor = caller(bob), [], ""
    while True:
        page = client.get(f"{URL}/{incident.pk}/timeline?limit=1&cursor={cursor}").json()
        seen += [(one["kind"], one["words"]) for one in page["results"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert ("incident", "started the incident") in seen
    assert ("alerts", "HIGH alert: Circuit breaker open: yahoo_finance") in seen
    alerts = client.get(f"{URL}/{incident.pk}/timeline?show=alerts").json()["results"]
    assert {one["kind"] for one in alerts} == {"alerts"}


def test_the_document(bob: User) -> None:
    incident = opened(BREAKER, alert_id=breaker_alert().pk)
    answer = caller(bob).get(f"{URL}/{incident.pk}/export")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="incident-{incident.pk}.md"'
    text = answer.content.decode()
    assert text.startswith(f"# Incident {incident.pk}: Circuit breaker open: yahoo\\_finance\n")
    assert "http://testserver/monitoring/circuit-breakers/yahoo_finance" in text
