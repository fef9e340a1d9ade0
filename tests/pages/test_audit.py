"""GET /audit."""

import re
from base64 import b64encode

import pytest
from django.db import transaction
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.models import AuditEvent, AuditSeal
from opsconsole.audit.parts import audit_seal
from opsconsole.audit.services import record
from tests.audit.sealing import seal_now, tamper
from tests.pages.browse import Browse
from tests.pages.queries import most_queries
from tests.pages.seen import words

pytestmark = pytest.mark.django_db
URL = "/audit"


def write(
    action: str, by: str, reason: str = "", *, kind: ActorKind = ActorKind.USER, **fields: object
) -> int:
    with transaction.atomic():
        actor = Actor(kind=kind, name=by, ip="192.0.2.7", request_id="req-1")
        return record(actor=actor, action=action, reason=reason, **fields).pk  # type: ignore[arg-type]  # test's own


def shown(client: Client, **filters: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="event-(\d+)"', client.get(URL, filters).content.decode())]


def test_nobody_signed_in(db: None) -> None:
    assert Client().get(URL).status_code == 302


@pytest.mark.parametrize("name", ["since", "until", "before"])
def test_a_filter_that_cannot_be_read(name: str, bob: User, browse: Browse) -> None:
    response = browse(bob).get(URL, {name: "rubbish"})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


def test_nothing_matches(bob: User, browse: Browse) -> None:
    assert "Nothing matches" in browse(bob).get(URL, {"q": "nobody"}).content.decode()


def test_search_and_filters(bob: User, browse: Browse) -> None:
    first = write("rule.changed", "Ana Costa", object_type="alerts.rule", object_id="7")
    second = write("breaker.reset", "Dana Reyes")
    third = write("rule.changed", "Dana Reyes")
    client = browse(bob)
    assert shown(client)[:3] == [third, second, first]
    assert shown(client, q="RULE") == [third, first]
    assert shown(client, q="ana c") == [first]
    assert shown(client, q="alerts.rule:7") == [first]
    assert shown(client, q=f"#{second}") == [second]
    assert shown(client, actor="Dana Reyes", action="rule.changed") == [third]
    assert shown(client, q="rule", actor="Dana Reyes") == [third]
    assert shown(client, until="2020-01-01") == []
    assert shown(client, since="2020-01-01", action="breaker.reset") == [second]


def test_pages_by_key(bob: User, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsconsole.audit.views.PAGE_EVENTS", 3)
    made = [write("rule.changed" if number % 2 else "rule.made", "Ana Costa") for number in range(8)]
    client, seen, query = browse(bob), [], "?q=rule"
    while True:
        text = client.get(f"{URL}{query}").content.decode()
        seen += [int(pk) for pk in re.findall(r'id="event-(\d+)"', text)]
        older = re.search(r'href="(\?[^"]*)" rel="next"', text)
        if older is None:
            break
        query = older[1].replace("&amp;", "&")
    assert seen == made[::-1]


def test_before_and_after_side_by_side(bob: User, browse: Browse) -> None:
    before, after = (
        {"max_per_hour": 10, "channel": "telegram", "same": 1},
        {"max_per_hour": 20, "same": 1, "added": None},
    )
    pk = write("rule.changed", "Ana Costa", "Too many <repeats>", before=before, after=after)
    text = browse(bob).get(URL, {"q": str(pk)}).content.decode()
    assert "<blockquote>Too many &lt;repeats&gt;</blockquote>" in text
    assert "<del>10</del>" in text
    assert "<ins>20</ins>" in text
    assert "1 field unchanged" in text
    assert "<ins>none</ins>" in text
    assert "<code>req-1</code>" in text
    leaf = AuditEvent.objects.get(pk=pk).leaf.hex()
    assert f"{leaf[:4]} {leaf[4:8]} {leaf[8:12]}" in text


def test_direct_sql_is_marked(bob: User, browse: Browse) -> None:
    write("channel.changed", "database:postgres", kind=ActorKind.DATABASE)
    assert "Outside the console." in browse(bob).get(URL).content.decode()


def seal_words() -> str:
    return words(audit_seal(), "audit-seal", end="</section>")


def test_how_far_it_is_sealed(bob: User, browse: Browse) -> None:
    assert seal_words() == "Seal Nothing yet No event is sealed yet."
    first, second = write("rule.changed", "Ana"), write("rule.changed", "Ana")
    seal_now()
    page = browse(bob).get(URL).content.decode()
    assert page.index('id="audit-seal"') < page.index('role="search"')
    assert f"All sealed Sealed up to event #{second:,} of #{second:,} at " in seal_words()
    assert "Events in the tree 2 Root " in seal_words()
    assert "script/manage audit verify" in seal_words()
    third = write("rule.changed", "Ana")
    assert "1 waiting Sealed up to event" in seal_words()
    assert f"#{second:,} of #{third:,}" in seal_words()
    seal = AuditSeal.objects.get()
    assert bytes(seal.root).hex() in seal_words()
    assert f"opsconsole 2 {b64encode(seal.root).decode()}" in seal_words()
    assert first < second


def test_what_waits_too_long(db: None) -> None:
    write("rule.changed", "Ana")
    tamper("UPDATE audit_auditpending SET written_at = now() - interval '61 seconds'")
    assert "Late No event is sealed yet; 1 waiting for 1 min." in seal_words().replace("\xa0", " ")


def test_a_broken_end(bob: User, browse: Browse) -> None:
    write("rule.changed", "Ana")
    seal_now()
    tamper("UPDATE audit_auditseal SET root = sha256('x')")
    assert "BROKEN Nothing is sealed any more. Seal " in seal_words()
    assert "its root is not that of its frontier" in browse(bob).get(URL).content.decode()


def test_queries_do_not_grow_with_events(bob: User, browse: Browse) -> None:
    for number in range(60):
        write("rule.changed", f"Person {number % 3}")
    client = browse(bob)
    with most_queries(22):
        client.get(URL)
