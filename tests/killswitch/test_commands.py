"""Cancel open orders, close positions."""

from typing import Any

import pytest

from killswitch import services
from killswitch.choices import CommandKind, CommandState
from killswitch.models import Command, CommandResult, Epoch, TradingClient
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting, caller
from tests.killswitch.conftest import Connect

URL = "/monitoring/kill-switch/commands"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "kind"),
        ({"kind": "sell"}, "kind"),
        ({"kind": "cancel_orders", "clients": "all"}, "clients"),
        ({"kind": "cancel_orders", "to": 1}, "to"),
    ],
)
def test_a_bad_field_is_named(alice: User, body: dict[str, Any], named: str) -> None:
    answer = caller(alice).post(URL, body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["details"]


def test_is_refused_when_not_all_of_them_are_there(alice: User, connect: Connect) -> None:
    here, gone = connect("HERE"), connect("GONE")
    TradingClient.objects.filter(pk=gone.pk).update(hub="")
    answer = caller(alice).post(URL, {"kind": "cancel_orders", "clients": [here.pk, gone.pk, 999]})
    assert (answer.status_code, answer.json()["error"]["details"]) == (409, {"clients": [gone.pk, 999]})
    TradingClient.objects.update(hub="")
    assert caller(alice).post(URL, {"kind": "cancel_orders"}).status_code == 409
    assert not Command.objects.exists()


def test_reaches_all_or_those_named(alice: User, connect: Connect) -> None:
    clients = [connect("A"), connect("B")]
    everyone = caller(alice).post(URL, {"kind": "close_positions", "message": "flat before the news"}).json()
    assert [result["client_id"] for result in everyone["results"]] == [client.pk for client in clients]
    one = caller(alice).post(URL, {"kind": "cancel_orders", "clients": [clients[1].pk]}).json()
    assert [result["name"] for result in one["results"]] == ["B"]
    assert Epoch.objects.get().value == one["epoch"] == 2
    event = AuditEvent.objects.get(action="killswitch.close_positions")
    assert (event.actor_name, event.reason) == ("alice via tests", "flat before the news")


def test_belongs_to_the_stop_that_is_open(alice: User, connect: Connect) -> None:
    connect()
    episode = services.activate(actor=acting(alice), reason="MANUAL", message="").activation
    command = services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    assert command.activation_id == episode.pk


def test_comes_back_with_each_ones_result(alice: User, trader: User, connect: Connect) -> None:
    done, failed = connect("A"), connect("B")
    command = services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    results: list[dict[str, Any]] = [
        {"id": command.pk, "ok": True, "cancelled": 2, "left": 0, "unknown": None, "error": None},
        {"id": command.pk, "ok": False, "error": "venue timed out"},
    ]
    for client, result in zip((done, failed), results, strict=True):
        report = services.Report(commands=[result])
        services.report(actor=acting(trader), name=client.name, instance=client.instance, report=report)
    rows = CommandResult.objects.order_by("client__name")
    assert [(row.state, row.cancelled, row.left, row.unknown, row.error) for row in rows] == [
        (CommandState.DONE, 2, 0, None, ""),
        (CommandState.FAILED, None, None, None, "venue timed out"),
    ]
    assert caller(alice).get(URL).json()["results"][0]["results"][1]["error"] == "venue timed out"
