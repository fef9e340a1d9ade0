"""What operators press: refused first, then told to every process, in the trail, and shown until all have applied it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.breakers import services
from monitoring.breakers.models import BreakerApplied, BreakerCommand, CircuitBreaker
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.breakers import rows
from tests.cast import acting
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
NAME = "news/reuters v2"
ADDRESS = "/breakers/news/reuters%20v2"
ACTS = ("reset", "force-open", "force-closed", "release")


def url(act: str) -> str:
    return f"/breakers/-/{act}/news/reuters%20v2"


@pytest.fixture
def breaker(db: None) -> CircuitBreaker:
    """Open in one of two processes."""
    now = timezone.now()
    (made,) = rows.breakers([NAME], now=now)
    there = rows.processes(["AAPL", "IBM"], now=now)
    rows.states([made], there[:1], "OPEN", now=now)
    rows.states([made], there[1:], now=now)
    return made


def said(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", response.content.decode()).split())


def press(client: Client, act: str, **fields: Any) -> Any:
    """As the page that asks has it."""
    asked = client.get(url(act)).content.decode()
    was = re.search(r'name="was" value="([^"]*)"', asked)
    assert was
    return client.post(url(act), {"was": was[1]} | fields)


@pytest.mark.parametrize("act", ACTS)
def test_whoever_may_not(act: str, breaker: CircuitBreaker, alice: User, bob: User, browse: Browse) -> None:
    assert Client().post(url(act)).status_code == 302
    for response in (browse(bob).get(url(act)), browse(bob).post(url(act), {"reason": "x"})):
        assert response.status_code == 403
        assert "needs an operator" in said(response)
        assert "Ask alice" in said(response)
    assert browse(alice).put(url(act)).status_code == 405
    assert not BreakerCommand.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_one_that_there_is_not(act: str, alice: User, browse: Browse) -> None:
    client = browse(alice)
    for response in (client.get(url(act)), client.post(url(act), {"reason": "x", "was": ""})):
        assert response.status_code == 404
    assert not BreakerCommand.objects.exists()


@pytest.mark.parametrize("act", ["force-open", "force-closed"])
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Say why"),
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 2001}, "reason: 2000 characters or less"),
        ({"reason": "x", "minutes": "5"}, "Choose for how long"),
    ],
)
def test_what_is_missing_for_a_hold(
    act: str, fields: dict[str, str], told: str, breaker: CircuitBreaker, alice: User, browse: Browse
) -> None:
    response = press(browse(alice), act, **fields)
    assert response.status_code == 422
    assert f"Nothing was changed. {told}" in said(response)
    assert not BreakerCommand.objects.exists()


def test_nobody_overrides_a_hold_that_he_has_not_seen(
    breaker: CircuitBreaker, alice: User, sam: User, browse: Browse
) -> None:
    client = browse(alice)
    services.force_open(actor=acting(sam), name=NAME, reason="The venue asked for it")
    response = client.post(url("force-closed"), {"was": "", "reason": "Let them through"})
    assert response.status_code == 409
    assert "Meanwhile it is held otherwise" in said(response)
    assert "The venue asked for it" in said(response)
    assert client.post(url("release"), {"was": ""}).status_code == 409
    breaker.refresh_from_db()
    assert (breaker.hold, breaker.hold_by) == ("OPEN", "sam")
    # Once seen, it is done.
    assert press(client, "force-closed", reason="Let them through").status_code == 303
    breaker.refresh_from_db()
    assert (breaker.hold, breaker.hold_by) == ("CLOSED", "alice")


def test_nothing_to_release(breaker: CircuitBreaker, alice: User, browse: Browse) -> None:
    client = browse(alice)
    assert "Nobody holds it: there is nothing to release." in said(client.get(url("release")))
    response = press(client, "release")
    assert response.status_code == 303
    assert "Nothing was changed." in said(client.get(ADDRESS))
    assert not BreakerCommand.objects.exists()


def test_the_question_shows_whom_it_reaches(breaker: CircuitBreaker, alice: User, browse: Browse) -> None:
    client = browse(alice)
    with most_queries(24):
        response = client.get(url("reset"))
    assert "Reset news/reuters v2?" in said(response)
    assert "Reaches2 processes: 1 OPEN, 1 CLOSED" in said(response).replace(" 2 processes", "2 processes")
    assert "AAPL OPENIBM CLOSED" in said(response).replace("OPEN IBM", "OPENIBM")
    part = client.get(url("reset"), headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<hx-partial hx-target="#act-scope">')
    assert "<form" not in part


def test_reset_tells_all_and_shows_who_has_applied_it(
    breaker: CircuitBreaker, alice: User, browse: Browse
) -> None:
    client = browse(alice)
    response = press(client, "reset", reason="The service is back")
    assert (response.status_code, response["Location"]) == (303, ADDRESS)
    command = BreakerCommand.objects.get()
    assert (command.kind, command.reason, command.by, command.user_id) == (
        *("reset", "The service is back", "alice"),
        alice.pk,
    )
    event = AuditEvent.objects.get(action="breakers.reset")
    assert (event.actor_name, event.reason) == ("alice", "The service is back")
    shown = said(client.get(ADDRESS))
    assert "Told to close." in shown
    assert "applied by 0 of 2, AAPL, IBM have not yet" in shown
    BreakerApplied.objects.filter(client="AAPL").update(at=command.at)
    assert "applied by 1 of 2, IBM has not yet" in said(client.get(ADDRESS))
    BreakerApplied.objects.update(at=command.at + timedelta(milliseconds=61))
    assert "alice reset it" in said(client.get(ADDRESS))
    assert "applied by all 2, 61 ms after" in said(client.get(ADDRESS))


def test_a_reset_needs_no_reason_and_says_that_a_hold_stays(
    breaker: CircuitBreaker, alice: User, sam: User, browse: Browse
) -> None:
    services.force_open(actor=acting(sam), name=NAME, reason="Wrong prices")
    client = browse(alice)
    assert "It stays so: release it" in said(client.get(url("reset")))
    assert press(client, "reset").status_code == 303
    assert "It stays forced OPEN by sam: release it." in said(client.get(ADDRESS))


@pytest.mark.parametrize(("minutes", "until"), [("60", timedelta(hours=1)), ("", None)])
def test_force_and_release(
    minutes: str, until: timedelta | None, breaker: CircuitBreaker, alice: User, browse: Browse
) -> None:
    client, before = browse(alice), timezone.now()
    response = press(client, "force-open", reason="Wrong prices", minutes=minutes)
    assert (response.status_code, response["Location"]) == (303, ADDRESS)
    breaker.refresh_from_db()
    assert (breaker.hold, breaker.hold_reason, breaker.hold_by) == ("OPEN", "Wrong prices", "alice")
    if until is None:
        assert breaker.hold_until is None
    else:
        assert breaker.hold_until is not None
        assert before + until <= breaker.hold_until <= timezone.now() + until
    assert AuditEvent.objects.filter(action="breakers.forced_open", actor_name="alice").count() == 1
    assert f'href="{url("release")}"' in client.get(ADDRESS).content.decode()
    assert press(client, "release", reason="Prices are right").status_code == 303
    breaker.refresh_from_db()
    assert breaker.hold == ""
    assert AuditEvent.objects.get(action="breakers.released").reason == "Prices are right"


def test_reset_all_is_refused_to_whoever_may_not(breaker: CircuitBreaker, bob: User, browse: Browse) -> None:
    assert browse(bob).post("/breakers/-/reset-all").status_code == 403
    assert not BreakerCommand.objects.exists()


def test_reset_all_shows_whom_it_reaches_and_what_stays(
    breaker: CircuitBreaker, alice: User, sam: User, browse: Browse
) -> None:
    now = timezone.now()
    rows.breakers([f"service-{number}" for number in range(40)], now=now)
    rows.states(
        list(CircuitBreaker.objects.exclude(pk=breaker.pk)),
        rows.processes(["GOOG"], now=now),
        "OPEN",
        now=now,
    )
    services.force_close(actor=acting(sam), name=NAME, reason="Failover test")
    client = browse(alice)
    with most_queries(30):
        asked = said(client.get("/breakers/-/reset-all"))
    assert "Reset all 41 circuit breakers?" in asked
    assert "41 of 41 not closed" in asked
    assert "3 processes" in asked
    assert "and 21 more that are not closed." in asked
    response = client.post("/breakers/-/reset-all", {"reason": "After the outage"})
    assert (response.status_code, response["Location"]) == (303, "/breakers")
    assert BreakerCommand.objects.filter(kind="reset_all", reason="After the outage").count() == 1
    shown = said(client.get("/breakers"))
    assert "alice reset all breakers" in shown
    assert "applied by 0 of 3" in shown
    assert f"Forced, and stay so until released: {NAME}." in shown
