"""POST /kill-switch/stop: the door of both presses, with and without a script."""

import pytest
from django.test import Client

from killswitch.models import Activation, Switch
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.desk import Desk
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
URL = "/kill-switch/stop"


def test_nobody_signed_in(db: None) -> None:
    response = Client().post(URL)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/sign-in")
    assert not Activation.objects.exists()


def test_a_viewer_is_told_who_may(bob: User, alice: User, browse: Browse) -> None:
    response = browse(bob).post(URL)
    assert response.status_code == 403
    assert "Stopping needs an operator" in response.content.decode()
    assert "alice" in response.content.decode()
    assert not Activation.objects.exists()


def test_a_form_without_its_token_stops_nothing(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="opsconsole.accounts.backends.PeopleBackend")
    response = client.post(URL)
    assert response.status_code == 403
    assert "manage.py killswitch activate" in response.content.decode()
    assert not Activation.objects.exists()


def test_an_empty_form_stops_everything_as_manual(alice: User, desk: Desk, browse: Browse) -> None:
    response = browse(alice).post(URL)
    assert response.status_code == 303
    assert response.headers["Location"] == "/kill-switch"
    switch = Switch.objects.get()
    assert (switch.scope, switch.mode) == ("global", "HALTED")
    activation = Activation.objects.get()
    assert (activation.reason, activation.activated_by, activation.acknowledgements.count()) == (
        "MANUAL",
        "alice",
        4,
    )
    event = AuditEvent.objects.get(action="killswitch.activated")
    assert event.actor_id == alice.pk
    assert event.request_id


def test_a_script_gets_the_committed_state(alice: User, desk: Desk, browse: Browse) -> None:
    response = browse(alice).post(URL, {"message": "prices look wrong"}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert response.status_code == 200
    assert text.startswith('<hx-partial hx-target="#state">')
    assert 'id="state" data-state="stopping"' in text
    assert Activation.objects.get().message == "prices look wrong"


def test_the_second_press_of_two_people_is_one_stop(
    alice: User, sam: User, desk: Desk, browse: Browse
) -> None:
    browse(sam).post(URL)
    response = browse(alice).post(URL, follow=True)
    assert "was stopped already, by sam" in response.content.decode()
    assert Activation.objects.count() == 1


def test_a_repeated_press_does_not_stop_what_was_rearmed(alice: User, sam: User, browse: Browse) -> None:
    press = {"key": "3f6f0a4e-press"}
    browse(alice).post(URL, press)
    browse(sam).post(
        "/kill-switch/rearm", {"scope": "global", "message": "looked at it, all well", "word": "RE-ARM"}
    )
    browse(alice).post(URL, press)
    assert Activation.objects.count() == 1
    assert Switch.objects.get().mode == "ACTIVE"


def test_one_scope_alone(alice: User, desk: Desk, browse: Browse) -> None:
    browse(alice).post(URL, {"scope": "symbol:IBM"})
    assert Activation.objects.get().acknowledgements.count() == 1
    page = browse(alice).get("/kill-switch").content.decode()
    assert 'data-state="trading" data-title="TRADING, IBM STOPPING"' in page


def test_a_scope_that_cannot_be_read_stops_everything_and_says_so(
    alice: User, desk: Desk, browse: Browse
) -> None:
    response = browse(alice).post(URL, {"scope": "IBM"}, follow=True)
    assert Activation.objects.get().scope == "global"
    assert "everything is stopped" in response.content.decode()


def test_the_page_without_a_script(alice: User, browse: Browse) -> None:
    text = browse(alice).get(URL).content.decode()
    assert "Stop all trading now?" in text
    assert '<form class="oc-pad" method="post" action="/kill-switch/stop">' in text
