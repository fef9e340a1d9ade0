"""GET /: may we trade, what needs somebody, who is connected, what just happened."""

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.checklist.models import ChecklistRule
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db


def test_nobody_signed_in(db: None) -> None:
    assert Client().get("/").status_code == 302


def test_a_drill_that_is_due_needs_somebody(bob: User, alice: User, desk: Desk, browse: Browse) -> None:
    ChecklistRule.objects.update(enabled=False)
    assert "Stop drill is due" in browse(bob).get("/").content.decode()
    desk.stop(alice, drill=True)
    desk.acknowledge()
    assert "Nothing needs you" in browse(bob).get("/").content.decode()


def test_whoever_ignores_stops_comes_first(bob: User, desk: Desk, browse: Browse) -> None:
    desk.report("GOOG", states={"local_stop": {"reason": "MANUAL", "message": "halt file"}})
    desk.report(
        "IBM", states={"override": {"at": "2026-11-22T10:00:00Z", "message": "is_active set to False"}}
    )
    text = browse(bob).get("/").content.decode()
    first, second = text.index("IBM ignores stops"), text.index("GOOG is stopped on its host")
    assert first < second
    assert "is_active set to False" in text


def test_who_is_connected_and_what_happened(bob: User, alice: User, desk: Desk, browse: Browse) -> None:
    desk.report("IBM", open_orders=3, positions={}, last_order="buy 50 @ 99.10")
    desk.stop(alice)
    # The checklist is asked for on this day, too.
    ChecklistRule.objects.update(days=list(range(7)))
    client = browse(bob)
    with most_queries(47):
        text = client.get("/").content.decode()
    assert "buy 50 @ 99.10" in text
    assert "<b>alice</b> stopped everything" in text
    assert "0 of 4 proven stopped" in text
