"""GET /alerts/{id}: one alert as a story: why somebody got it, or did not."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from alerts.choices import Decision
from alerts.models import Alert, KindTally
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from tests.alert_rows import HELD, a_channel, a_silence, an_alert, resolved, told, trace_of, tried
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db


def shown(client: Client, alert: Alert) -> str:
    """The page's text: no tags, each run of blanks one blank."""
    html = client.get(f"/alerts/{alert.pk}").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_nobody_signed_in(db: None) -> None:
    assert Client().get("/alerts/1").status_code == 302


def test_there_is_none(bob: User, browse: Browse) -> None:
    response = browse(bob).get("/alerts/4711")
    assert response.status_code == 404
    assert "opsconsole" in response.content.decode()


def test_sent_with_every_gate_and_every_delivery(bob: User, browse: Browse) -> None:
    alert = an_alert(count=7, repeats=6, repeated_at=timezone.now())
    telegram, slack = a_channel(), a_channel("slack", kind="slack")
    told(alert, telegram)
    late = told(alert, slack, took_s=31, attempts=2)
    tried(late, 1, "THROTTLED", status=429, retry_after=30.0)
    tried(late, 2, "SENT", status=200)
    text = shown(browse(bob), alert)
    assert "Why you got this" in text
    assert "Every gate let it through" in text
    assert "Rate limit 3rd of 20 this hour" in text
    assert "desk-ops had it in 0.4 s, slack in 31 s" in text
    assert "429 at try 1, waited the 30 s it asked for" in text
    assert "6 repeats were not sent to you" in text
    assert "Now: waiting for you If nobody acknowledges by" in text
    assert "it becomes CRITICAL and goes to the next channels" in text


@pytest.mark.parametrize("decision", HELD)
def test_not_sent_marks_the_gate_that_held_it(decision: str, bob: User, browse: Browse) -> None:
    alert = an_alert(decision=decision, count=3, repeats=2)
    html = browse(bob).get(f"/alerts/{alert.pk}").content.decode()
    assert "Why you did not get this" in html
    assert html.count("oc-gate-held") == 1
    held = html[html.index("oc-gate-held") :]
    assert "(this gate held it)" in held[: held.index("</li>")]
    assert "So were 2 repeats" in html


def test_an_alert_that_was_sent_and_is_a_duplicate_now(bob: User, browse: Browse) -> None:
    began = timezone.now() - timedelta(minutes=10)
    history = [
        {
            "decision": "SENT",
            "at": began.isoformat(),
            "until": began.isoformat(),
            "count": 1,
            "trace": trace_of("SENT"),
        }
    ]
    alert = an_alert(decision=Decision.DEDUPED, sent_count=1, history=history, first_at=began, repeats=3)
    told(alert, a_channel())
    text = shown(browse(bob), alert)
    assert "Why you got this" in text
    assert "Every gate let it through" in text
    assert "Raised again. Dedupe held it back" in text
    assert "Not sent: duplicate. So were 3 repeats" in text


def test_a_long_history_folds(bob: User, browse: Browse) -> None:
    began = timezone.now() - timedelta(hours=1)
    history = [
        {"decision": "DEDUPED", "at": (began + timedelta(minutes=n)).isoformat(), "count": 1, "trace": []}
        for n in range(40)
    ]
    text = shown(browse(bob), an_alert(history=history, first_at=began))
    assert "33 decisions between the first and the newest are not shown" in text
    assert text.count("Not sent: duplicate.") < 10


def test_many_deliveries_fold(bob: User, browse: Browse) -> None:
    alert, channel = an_alert(), a_channel()
    for number in range(30):
        at = alert.first_at + timedelta(seconds=number)
        kind = "repeat" if number else "firing"
        state = "DEAD" if number == 5 else "SENT"
        told(alert, channel, kind=kind, state=state, created_at=at, finished_at=at)
    text = shown(browse(bob), alert)
    assert "It was told 18 times more One delivery of these was given up." in text
    assert text.count("Told again.") == 11


def test_nobody_was_told_for_want_of_a_channel(bob: User, browse: Browse) -> None:
    text = shown(browse(bob), an_alert())
    assert "Why nobody got this" in text
    assert "Nobody was told No enabled channel takes this" in text


def test_told_in_the_digest(bob: User, browse: Browse) -> None:
    now = timezone.now()
    alert = an_alert(
        decision=Decision.QUIET_HOURS, held=False, last_sent_at=now, due_at=now + timedelta(hours=1)
    )
    text = shown(browse(bob), alert)
    assert "Why you got this" in text
    assert "Quiet hours held it back" in text
    assert "The digest told it" in text
    assert "Nobody was told" not in text


def test_the_time_of_an_earlier_incident_is_no_digest(bob: User, browse: Browse) -> None:
    before = timezone.now() - timedelta(hours=1)
    text = shown(browse(bob), an_alert(decision=Decision.DEDUPED, last_sent_at=before, age_s=60))
    assert "Why you did not get this" in text
    assert "The digest told it" not in text


def test_a_delivery_that_was_given_up(bob: User, browse: Browse) -> None:
    alert = an_alert()
    dead = told(alert, a_channel(), state="DEAD", attempts=8, error="403: the bot was blocked")
    told(alert, a_channel("backup"), instead_of=dead, maybe_duplicate=True)
    text = shown(browse(bob), alert)
    assert "given up after 8 tries: 403: the bot was blocked" in text
    assert "Send it again…" in text
    assert "stands in for a channel that failed, may have arrived twice" in text


def test_what_people_did(alice: User, bob: User, browse: Browse) -> None:
    alert = an_alert(acknowledged_at=timezone.now(), acknowledged_by="alice")
    system = Actor.system("alerts")
    with transaction.atomic():
        for action, reason, after in (
            ("alerts.escalated", "Nobody acknowledged within 15 minutes", {"priority": "CRITICAL"}),
            ("alerts.acknowledged", "looking", {}),
        ):
            before: dict[str, Any] = {"priority": "HIGH"}
            record(actor=system, action=action, obj=alert, reason=reason, before=before, after=after)
    text = shown(browse(bob), alert)
    assert "Nobody acknowledged in time, so it went up" in text
    assert "HIGH became CRITICAL" in text
    assert "alerts acknowledged it “looking”" in text
    assert "Now: alice owns it" in text
    assert "Unacknowledge" in text


def test_resolved_has_no_acts(bob: User, browse: Browse) -> None:
    text = shown(browse(bob), resolved(resolved_by="dana", resolve_note="Vendor restarted"))
    assert "dana resolved it “Vendor restarted”" in text
    assert "Acknowledge with note" not in text
    assert "Now:" not in text


def test_what_to_do_and_facts(bob: User, browse: Browse) -> None:
    alert = an_alert(
        annotations={"description": "Look at the quotes.", "runbook_url": "https://runbooks.example/vol"},
        details={"volatility": 52.3},
        generator_url="https://prometheus.example/graph",
    )
    KindTally.objects.create(
        day=timezone.now().date(), category=alert.category, title=alert.title, raised=4, acted=3
    )
    html = browse(bob).get(f"/alerts/{alert.pk}").content.decode()
    assert "Look at the quotes." in html
    assert 'href="https://runbooks.example/vol"' in html
    assert 'href="https://prometheus.example/graph"' in html
    assert "4 times in 30 days, acted on 3 times" in html
    assert "52.3" in html


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil", "https://", "http://[", ""]
)
def test_only_web_addresses_become_links(address: str, bob: User, browse: Browse) -> None:
    alert = an_alert(annotations={"runbook_url": address}, generator_url=address)
    html = browse(bob).get(f"/alerts/{alert.pk}").content.decode()
    assert 'id="runbook"' not in html
    assert 'id="alert-source"' not in html


def test_the_stop_is_of_its_scope(bob: User, browse: Browse) -> None:
    client = browse(bob)
    ibm, all_of_it = an_alert(), an_alert(labels={})
    assert "/kill-switch/stop?scope=symbol%3AIBM" in client.get(f"/alerts/{ibm.pk}").content.decode()
    assert 'href="/kill-switch/stop"><svg' in client.get(f"/alerts/{all_of_it.pk}").content.decode()


def test_what_is_stopped_already_is_not_offered(bob: User, alice: User, desk: Desk, browse: Browse) -> None:
    client = browse(bob)
    ibm, aapl = an_alert(), an_alert("other", labels={"symbol": "AAPL"})
    desk.stop(alice, scope="symbol:IBM")
    assert "IBM is stopped" in shown(client, ibm)
    assert "Stop AAPL …" in shown(client, aapl)
    desk.stop(alice)
    assert "AAPL is stopped" in shown(client, aapl)


def test_its_place_in_line(bob: User, browse: Browse) -> None:
    now = timezone.now()
    first, second, third = (an_alert(str(n), due_at=now + timedelta(minutes=n)) for n in (1, 2, 3))
    html = browse(bob).get(f"/alerts/{second.pk}").content.decode()
    assert "2 of 3 that need you" in html
    assert f'id="alert-next" href="/alerts/{third.pk}"' in html
    assert f'id="alert-previous" href="/alerts/{first.pk}"' in html


def test_silences_that_hold_it_are_shown(bob: User, browse: Browse) -> None:
    a_silence(comment="maintenance")
    assert "Silenced until" in shown(browse(bob), an_alert())


def test_parts_for_htmx(bob: User, browse: Browse) -> None:
    alert, client = an_alert(), browse(bob)
    parts = {"alert-head", "story", "alert-side", "alert-actions"}
    html = client.get(f"/alerts/{alert.pk}", headers={"HX-Request": "true"}).content.decode()
    assert set(re.findall(r'hx-target="#([a-z-]+)"', html)) == parts


def test_few_queries_however_much_there_is(bob: User, browse: Browse) -> None:
    alert, channel = an_alert(), a_channel()
    for _ in range(20):
        tried(told(alert, channel), 1)
        an_alert()
    client = browse(bob)
    with most_queries(30):
        client.get(f"/alerts/{alert.pk}")
