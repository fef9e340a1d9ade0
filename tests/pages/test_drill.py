"""POST /kill-switch/drill."""

import pytest

from killswitch import services
from killswitch.models import Activation, Switch
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.desk import Desk
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
URL = "/kill-switch/drill"


def test_a_viewer_may_not(bob: User, browse: Browse) -> None:
    assert browse(bob).post(URL).status_code == 403
    assert not Activation.objects.exists()


def test_not_while_trading_is_stopped(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice)
    response = browse(alice).post(URL)
    assert response.status_code == 409
    assert "re-arm before a drill" in response.content.decode()


def test_a_drill_is_measured_and_orders_go_on(alice: User, desk: Desk, browse: Browse) -> None:
    browse(alice).post(URL)
    running = browse(alice).get("/kill-switch").content.decode()
    assert "Drill running, orders go on. <b>0 of 4</b> measured" in running
    desk.acknowledge()
    done = browse(alice).get("/kill-switch").content.decode()
    assert 'data-state="trading"' in done
    assert "Drill done, orders went on. <b>4 of 4</b> measured" in done
    assert done.count("MEASURED") == 4
    assert done.count("Goes on trading") == 4
    assert not Switch.objects.exclude(mode="ACTIVE").exists()
    assert Activation.objects.get().ended_at is not None


def test_a_drill_gives_way_to_the_stop_that_came_after_it(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice, drill=True)
    desk.acknowledge()
    desk.stop(alice)
    desk.acknowledge()
    services.deactivate(actor=acting(alice), message="it was only a test")
    text = browse(alice).get("/kill-switch").content.decode()
    assert "MEASURED" not in text
    assert text.count("May trade") == 4
