"""GET /kill-switch: what it says of each state."""

import pytest
from django.test import Client

from killswitch import proof, services
from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/kill-switch"


def test_nobody_signed_in(db: None) -> None:
    assert Client().get(URL).status_code == 302


def test_anybody_signed_in_may_look(charlie: User, browse: Browse) -> None:
    response = browse(charlie).get(URL)
    assert response.status_code == 200
    assert "No trading process has connected yet" in response.content.decode()


def test_it_is_kept_by_no_cache(alice: User, browse: Browse) -> None:
    response = browse(alice).get(URL)
    assert "no-store" in response.headers["Cache-Control"]
    assert "HX-Request" in response.headers["Vary"]
    assert "style=" not in response.content.decode().partition("<body")[2]


def test_trading(alice: User, desk: Desk, browse: Browse) -> None:
    text = browse(alice).get(URL).content.decode()
    assert "<title>TRADING · Kill switch · opsconsole</title>" in text
    assert "<b>4 of 4</b> processes hold a lease" in text
    assert text.count("May trade") == 4


def test_stopping_names_the_one_that_has_not_answered(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice)
    desk.acknowledge("AAPL", "GOOG", "MSFT")
    text = browse(alice).get(URL).content.decode()
    assert "<title>STOPPING" in text
    assert "<b>3 of 4</b> processes proven stopped" in text
    assert text.count("WAITING") == 1
    assert f'<li class="oc-prow oc-prow-wait" id="proof-{desk.processes["IBM"].pk}">' in text


def test_stopped_only_with_the_last_proof(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice, message="prices look wrong")
    desk.acknowledge()
    text = browse(alice).get(URL).content.decode()
    assert "<title>STOPPED" in text
    assert "<b>4 of 4</b> proven stopped in" in text
    assert text.count(">ACKED ") == 4
    assert "alice, MANUAL: “prices look wrong”" in text


def test_unknown_is_unknown_and_not_zero(alice: User, desk: Desk, browse: Browse) -> None:
    desk.report("IBM", open_orders=1, positions={"IBM": 150}, last_order="")
    desk.stop(alice)
    TradingClient.objects.filter(name="IBM").update(hub="")
    text = browse(alice).get(URL).content.decode()
    assert "unknown, was 1" in text
    assert "unknown, was IBM +150" in text
    assert "Ask the venue" in text


def test_only_what_may_be_left_can_be_cancelled_or_closed(alice: User, desk: Desk, browse: Browse) -> None:
    desk.report("AAPL", open_orders=0, positions={"AAPL": 0}, last_order="")
    desk.report("GOOG", open_orders=0, positions={"GOOG": -40}, last_order="")
    desk.report("IBM", open_orders=3, positions={}, last_order="")
    desk.stop(alice)
    text = browse(alice).get(URL).content.decode()
    offered = {
        (name, act): f'id="left-{desk.processes[name].pk}-{act}"' in text
        for name in desk.processes
        for act in ("cancel", "close")
    }
    assert [pair for pair, shown in offered.items() if shown] == [
        ("GOOG", "close"),
        ("IBM", "cancel"),
        ("MSFT", "cancel"),
        ("MSFT", "close"),
    ]
    assert text.count("Nothing left") == 1


def test_orders_cancelled_by_the_process_itself_are_counted(alice: User, desk: Desk, browse: Browse) -> None:
    stop = desk.stop(alice)
    desk.acknowledge()
    done = {"activation": stop.pk, "name": "cancel_orders", "ok": True, "ms": 4.0, "error": None}
    services.report(
        actor=acting(desk.trader),
        name="IBM",
        instance=desk.processes["IBM"].instance,
        report=services.Report(callbacks=[{**done, "cancelled": 2, "left": 1, "unknown": None}]),
    )
    assert "cancel_orders: 2 done, 1 left, unknown unknown" in browse(alice).get(URL).content.decode()


def test_reduce_only(alice: User, desk: Desk, browse: Browse) -> None:
    desk.stop(alice, mode="REDUCE_ONLY")
    text = browse(alice).get(URL).content.decode()
    assert "<title>REDUCE ONLY" in text
    assert 'data-state="reduce"' in text


def test_what_a_process_says_is_text(alice: User, trader: User, browse: Browse) -> None:
    desk = Desk(trader)
    desk.connect("<script>alert(1)</script>")
    text = browse(alice).get(URL).content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_two_hundred_processes_fold_but_for_the_abnormal(alice: User, trader: User, browse: Browse) -> None:
    desk = Desk(trader)
    desk.connect(*(f"BOT{number:03}" for number in range(200)))
    for name in ("BOT008", "BOT009"):
        desk.report(name, open_orders=3, positions={}, last_order="")
    desk.stop(alice)
    desk.acknowledge(*(name for name in desk.processes if name != "BOT007"))
    client = browse(alice)
    with most_queries(24):
        text = client.get(URL).content.decode()
    shown, _, folded = text.partition('<details id="proof-calm">')
    assert "<b>199 other processes</b>: acknowledged, slowest" in folded
    assert shown.count('<li class="oc-prow') == 1
    assert "<b>BOT007</b>" in shown
    left = folded.partition('<div id="left">')[2]
    assert "6 open orders, 198 processes unknown" in left
    assert "<b>2 other processes</b>: what they left is known" in left
    assert "</b> orders or position of 198 processes" in left
    assert "<b>201 others</b>: ACTIVE" in left


@pytest.mark.parametrize(("ms", "x"), [(1, "0"), (10, "0"), (100, "39.1"), (2000, "90"), (1e9, "97")])
def test_the_axis_is_logarithmic_up_to_the_bound(ms: float, x: str) -> None:
    assert proof.place(ms, 2000) == x
