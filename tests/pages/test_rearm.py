"""POST /kill-switch/rearm: the strict side."""

import pytest

from killswitch.models import Activation, Switch
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.desk import Desk
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
URL = "/kill-switch/rearm"
GOOD = {"scope": "global", "message": "Prices are back in line", "word": "RE-ARM"}


def test_get_is_refused(sam: User, browse: Browse) -> None:
    assert browse(sam).get(URL).status_code == 405


def test_an_operator_is_told_who_may(alice: User, sam: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice)
    desk.acknowledge()
    response = browse(alice).post(URL, GOOD)
    assert response.status_code == 403
    assert "Re-arming needs a supervisor" in response.content.decode()
    assert Switch.objects.get().mode == "HALTED"
    assert "Re-arming needs a supervisor</b>: sam." in browse(alice).get("/kill-switch").content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"message": "too short"}, "10 characters or more"),
        ({"message": ""}, "what was wrong and why it is safe"),
        ({"message": "         .         "}, "10 characters or more"),
        ({"word": "yes"}, "Type RE-ARM, in full"),
        ({"word": ""}, "Type RE-ARM."),
        ({"scope": "symbol:IBM"}, "Choose a scope that is stopped now"),
    ],
)
def test_a_form_that_is_not_complete(
    change: dict[str, str], words: str, sam: User, desk: Desk, browse: Browse
) -> None:
    desk.stop(sam)
    desk.acknowledge()
    response = browse(sam).post(URL, GOOD | change)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "Nothing was re-armed" in response.content.decode()
    assert Switch.objects.get().mode == "HALTED"


def test_not_before_the_proof_is_complete(sam: User, desk: Desk, browse: Browse) -> None:
    desk.stop(sam)
    desk.acknowledge("AAPL", "GOOG", "MSFT")
    response = browse(sam).post(URL, GOOD)
    assert response.status_code == 409
    assert "The proof is not complete" in response.content.decode()
    assert Switch.objects.get().mode == "HALTED"


def test_nothing_is_stopped(sam: User, browse: Browse) -> None:
    response = browse(sam).post(URL, GOOD)
    assert response.status_code == 409
    assert "nothing is stopped" in response.content.decode()


def test_rearm(sam: User, desk: Desk, browse: Browse) -> None:
    desk.stop(sam)
    desk.acknowledge()
    response = browse(sam).post(URL, GOOD, follow=True)
    assert "global is re-armed" in response.content.decode()
    assert Switch.objects.get().mode == "ACTIVE"
    activation = Activation.objects.get()
    assert (activation.ended_by, activation.ended_message) == ("sam", "Prices are back in line")
    assert AuditEvent.objects.get(action="killswitch.rearmed").reason == "Prices are back in line"
