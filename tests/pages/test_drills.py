"""GET /kill-switch/drills, and the proof at the foot of every page."""

import pytest
from django.test import Client

from killswitch import services
from killswitch.models import Activation
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/kill-switch/drills"


def test_nobody_signed_in(db: None) -> None:
    assert Client().get(URL).status_code == 302


def test_none_yet(bob: User, alice: User, browse: Browse) -> None:
    text = browse(bob).get(URL).content.decode()
    assert "No drill has been run yet." in text
    assert "A drill needs an operator: alice." in text
    assert "Stop never proven" in text


def test_one_press_and_its_evidence(alice: User, desk: Desk, browse: Browse) -> None:
    client = browse(alice)
    response = client.post("/kill-switch/drill", {"from": "drills", "message": "after the move"})
    assert (response.status_code, response["Location"]) == (303, URL)
    assert "Running" in client.get(URL).content.decode()
    desk.acknowledge()
    text = client.get(URL).content.decode()
    assert "4 of 4 acknowledged" in text
    assert "alice: “after the move”" in text
    assert [name for name in ("AAPL", "GOOG", "IBM", "MSFT") if f"<dt>{name}" not in text] == []
    assert "Next by" in text


def test_the_foot_of_every_page_says_when_a_stop_was_last_proven(
    alice: User, desk: Desk, browse: Browse
) -> None:
    desk.stop(alice, drill=True)
    desk.acknowledge()
    drill = Activation.objects.get()
    desk.stop(alice)
    for page in ("/", "/alerts", "/audit", "/checklist", "/accounts/me"):
        text = browse(alice).get(page).content.decode()
        assert "by a drill: the slowest process took" in text, page
        assert f'id="proven-evidence" href="/kill-switch/activations/{drill.pk}"' in text, page


def test_many_drills_are_read_in_few_queries_and_paged(
    alice: User, bob: User, desk: Desk, browse: Browse
) -> None:
    for _ in range(22):
        services.activate(actor=acting(alice), reason="MANUAL", message="", drill=True)
        desk.acknowledge()
    client = browse(bob)
    with most_queries(26):
        text = client.get(URL).content.decode()
    assert text.count("4 of 4 acknowledged") == 20
    older = text.split('href="?before=')[1].split('"')[0]
    assert client.get(f"{URL}?before={older}").content.decode().count("4 of 4 acknowledged") == 2
