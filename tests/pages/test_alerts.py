"""GET /alerts: who is needed first, then every alert, with search, filters and pages by key."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import PostedAlerts
from opsconsole.accounts.models import User
from tests.alert_rows import an_alert, resolved
from tests.health.rows import looked_at
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/alerts"


def needing(client: Client) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="alert-(\d+)"', client.get(URL).content.decode())]


def found(client: Client, **filters: str) -> list[int]:
    text = client.get(URL, filters).content.decode()
    return [int(pk) for pk in re.findall(r'id="found-(\d+)"', text)]


def test_nobody_signed_in(db: None) -> None:
    assert Client().get(URL).status_code == 302


@pytest.mark.parametrize(
    "name", ["state", "priority", "category", "decision", "acknowledged", "since", "until", "before"]
)
def test_a_filter_that_cannot_be_read(name: str, bob: User, browse: Browse) -> None:
    response = browse(bob).get(URL, {name: "rubbish"})
    assert response.status_code == 422
    text = response.content.decode()
    assert 'role="alert"' in text
    assert "Nothing was looked for: a filter cannot be read." in text
    assert "Nothing matches" not in text


def test_nothing_yet(bob: User, browse: Browse) -> None:
    text = browse(bob).get(URL).content.decode()
    assert "No alerts need you. None has been raised yet" in text
    assert "No alert has been raised yet" in text


def test_nothing_needs_you_says_what_the_last_one_was(bob: User, browse: Browse) -> None:
    last = resolved()
    text = browse(bob).get(URL).content.decode()
    assert re.search(rf'Last one: <a id="needing-last" href="/alerts/{last.pk}">.*resolved\.', text)


def test_says_how_many_wait_to_be_decided(bob: User, browse: Browse) -> None:
    client = browse(bob)
    assert "wait to be decided" not in client.get(URL).content.decode()
    PostedAlerts.objects.create(at=timezone.now(), raised_by="prometheus", body=b"[]", size=4711)
    assert "4,711 more wait to be decided" in client.get(URL).content.decode()


def test_overdue_comes_first_then_by_due_time(bob: User, browse: Browse) -> None:
    now = timezone.now()
    later = an_alert("later", due_at=now + timedelta(hours=1))
    soon = an_alert("soon", due_at=now + timedelta(minutes=1))
    overdue = an_alert("overdue", due_at=now - timedelta(minutes=4))
    an_alert("nobody was told", decision="DEDUPED")
    an_alert("owned", acknowledged_at=now, acknowledged_by="alice")
    resolved()
    client = browse(bob)
    assert needing(client) == [overdue.pk, soon.pk, later.pk]
    text = client.get(URL).content.decode()
    assert "3 open, 1 overdue" in text
    assert text.count("oc-row-bad") == 1
    assert re.search(rf'oc-row-bad" id="alert-{overdue.pk}"', text)


def test_an_acknowledgement_that_ran_out_needs_somebody_again(bob: User, browse: Browse) -> None:
    now = timezone.now()
    ran_out = an_alert(acknowledged_at=now, acknowledged_by="alice", acknowledged_until=now)
    assert needing(browse(bob)) == [ran_out.pk]


def test_what_was_not_sent_says_why_in_the_list(bob: User, browse: Browse) -> None:
    an_alert(decision="DEDUPED")
    text = browse(bob).get(URL).content.decode()
    assert "Suppressed: the same alert was sent 4 minutes ago; window 15 minutes" in text


def test_search_and_filters(bob: User, browse: Browse) -> None:
    cost = an_alert("Cost of today", category="COST_ALERT", priority="LOW", labels={"model": "large"})
    late = resolved()
    ibm = an_alert()
    client = browse(bob)
    assert found(client) == [ibm.pk, late.pk, cost.pk]
    assert found(client, state="RESOLVED") == [late.pk]
    assert found(client, priority="LOW", category="COST_ALERT") == [cost.pk]
    assert found(client, q=str(ibm.pk)) == [ibm.pk]
    assert found(client, q="model=large") == [cost.pk]
    assert found(client, decision="DEDUPED") == []
    assert found(client, until="2020-01-01") == []
    assert found(client, since="2020-01-01") == [ibm.pk, late.pk, cost.pk]
    assert "Nothing matches" in client.get(URL, {"decision": "DEDUPED"}).content.decode()


def test_pages_by_key(bob: User, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.views.PAGE_ROWS", 2)
    made = [an_alert(f"number {number}").pk for number in range(5)]
    client, seen, query = browse(bob), [], ""
    while True:
        text = client.get(f"{URL}{query}").content.decode()
        seen += [int(pk) for pk in re.findall(r'id="found-(\d+)"', text)]
        older = re.search(r'href="(\?[^"]*)" rel="next"', text)
        if older is None:
            break
        query = older[1]
    assert seen == made[::-1]


def test_texts_from_outside_stay_texts(bob: User, browse: Browse) -> None:
    title = "<script>alert(1)</script> \u202eevil"
    alert = an_alert(title)
    for address in (URL, f"{URL}/{alert.pk}", "/", f"{URL}/silences/new?alert={alert.pk}"):
        text = browse(bob).get(address).content.decode()
        assert "<script>alert" not in text


def test_the_navigation_counts_what_is_open_on_every_page(bob: User, browse: Browse) -> None:
    looked_at(now=timezone.now())
    client = browse(bob)
    assert "oc-count" not in client.get("/audit").content.decode()
    an_alert()
    overdue = an_alert(due_at=timezone.now())
    text = client.get("/audit").content.decode()
    assert 'oc-count oc-count-bad">2<span class="visually-hidden"> open, 1 overdue' in text
    overdue.delete()
    assert 'oc-count">1<span' in client.get("/audit").content.decode()


def test_only_the_found_part_for_htmx(bob: User, browse: Browse) -> None:
    an_alert()
    text = browse(bob).get(URL, headers={"HX-Request": "true"}).content.decode()
    assert text.startswith('<hx-partial hx-target="#found">')
    assert "<html" not in text


def test_few_queries_however_many_alerts(bob: User, browse: Browse) -> None:
    client = browse(bob)
    for number in range(60):
        an_alert(f"number {number}")
    with most_queries(20):
        text = client.get(URL).content.decode()
    assert "50 of 60" in text
