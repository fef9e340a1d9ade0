"""/kill-switch/commands: what will be sent is listed, and asked once."""

import pytest

from killswitch.models import Command, CommandResult, TradingClient
from opsconsole.accounts.models import User
from tests.desk import Desk
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
URL = "/kill-switch/commands"


def test_a_viewer_may_not(bob: User, desk: Desk, browse: Browse) -> None:
    assert browse(bob).post(URL, {"kind": "cancel_orders"}).status_code == 403
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    "data", [{}, {"kind": "sell_everything"}, {"kind": "cancel_orders", "client": "4000"}]
)
def test_what_cannot_be_sent(data: dict[str, str], alice: User, desk: Desk, browse: Browse) -> None:
    response = browse(alice).post(URL, data)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not Command.objects.exists()


def test_one_that_has_gone(alice: User, desk: Desk, browse: Browse) -> None:
    gone = desk.processes["IBM"]
    TradingClient.objects.filter(pk=gone.pk).update(hub="")
    response = browse(alice).post(URL, {"kind": "cancel_orders", "client": gone.pk})
    assert response.status_code == 409
    assert "Nothing was sent" in response.content.decode()


def test_the_list_of_what_will_be_sent(alice: User, desk: Desk, browse: Browse) -> None:
    desk.report("IBM", open_orders=7, positions={"IBM": -150}, last_order="sell 150 @ 99.10")
    ibm = str(desk.processes["IBM"].pk)
    one = browse(alice).get(URL, {"kind": "close_positions", "client": ibm}).content.decode()
    assert "Close positions of IBM?" in one
    assert "IBM −150" in one
    assert "AAPL" not in one.partition('<main id="main"')[2].partition("</main>")[0].partition("h-send")[2]
    assert not Command.objects.exists()


def test_for_one_and_for_all(alice: User, desk: Desk, browse: Browse) -> None:
    response = browse(alice).post(URL, {"kind": "cancel_orders", "client": desk.processes["IBM"].pk})
    assert response.headers["Location"] == "/kill-switch#left"
    browse(alice).post(URL, {"kind": "close_positions"})
    sent = {command.kind: command.results.count() for command in Command.objects.all()}
    assert sent == {"cancel_orders": 1, "close_positions": 4}


def test_the_answers_stand_beside_each_process(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice)
    browse(alice).post(URL, {"kind": "cancel_orders"})
    command = Command.objects.get().pk
    desk.report("AAPL", commands=[{"id": command, "ok": True, "cancelled": 2, "left": 0, "unknown": 0}])
    desk.report("GOOG", commands=[{"id": command, "ok": True, "cancelled": 1, "left": 1, "unknown": 0}])
    desk.report("IBM", commands=[{"id": command, "ok": False, "error": "venue does not answer"}])
    assert CommandResult.objects.filter(state="PENDING").count() == 1
    page = browse(alice).get("/kill-switch").content.decode()
    assert '<small class="oc-result">Cancel: 2 done, 0 left, 0 unknown</small>' in page
    assert '<small class="oc-result oc-warn">Cancel: 1 done, 1 left, 0 unknown</small>' in page
    assert '<small class="oc-result oc-warn">Cancel failed: venue does not answer</small>' in page
    assert '<small class="oc-result">Cancel: sent, no answer yet</small>' in page
