"""What a process tells of itself."""

from typing import Any

import pytest

from killswitch import services
from killswitch.models import Acknowledgement, TradingClient
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting, caller
from tests.killswitch.conftest import Connect

URL = "/monitoring/kill-switch/report"
OVERRIDE = {"at": "2026-11-22T10:30:00Z", "message": "is_active set to False"}


def report(user: User, client: TradingClient, **fields: Any) -> Any:
    return caller(user).post(URL, {"name": client.name, "instance": client.instance} | fields)


def test_refuses_an_unknown_process(trader: User) -> None:
    answer = report(trader, TradingClient(name="AAPL", instance="0" * 32))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "unknown_client")


def test_refuses_the_process_of_another_account(alice: User, connect: Connect) -> None:
    with pytest.raises(services.UnknownClient):
        services.report(
            actor=acting(alice), name="AAPL", instance=connect().instance, report=services.Report()
        )


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"instance": 7}, "instance"),
    ({"exposure": [1]}, "exposure"),
    ({"exposure": {"open_orders": -1}}, "open_orders"),
    ({"exposure": {"open_orders": 2**31}}, "open_orders"),
    ({"exposure": {"positions": [1]}}, "positions"),
    ({"exposure": {"last_order": 7}}, "last_order"),
    ({"callbacks": {"name": "x"}}, "callbacks"),
    ({"callbacks": [{"activation": 1, "name": "x", "ok": "yes"}]}, "ok"),
    ({"callbacks": [{"activation": "1", "name": "x", "ok": True}]}, "activation"),
    ({"callbacks": [{"activation": 1, "name": "x", "ok": True, "ms": "fast"}]}, "callbacks.ms"),
    ({"commands": [{"ok": True}]}, "commands.id"),
    ({"commands": [{"id": 1, "ok": True, "left": -1}]}, "left"),
    ({"local_stop": "yes"}, "local_stop"),
    ({"override": True}, "override"),
]


@pytest.mark.parametrize(("fields", "named"), BAD)
def test_a_bad_field_is_named(trader: User, connect: Connect, fields: dict[str, Any], named: str) -> None:
    answer = report(trader, connect(), **fields)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["details"]


def test_unknown_fields_are_for_later_versions(trader: User, connect: Connect) -> None:
    assert report(trader, connect(), epoch=1, allowed=True, weather="fine").status_code == 200


def test_exposure_is_kept_and_unknown_stays_unknown(trader: User, connect: Connect) -> None:
    client = connect()
    report(
        trader, client, exposure={"open_orders": 2, "positions": {"AAPL": 300}, "last_order": "buy 100 AAPL"}
    )
    client.refresh_from_db()
    assert (client.open_orders, client.positions, client.last_order) == (2, {"AAPL": 300}, "buy 100 AAPL")
    report(trader, client)
    client.refresh_from_db()
    assert client.open_orders == 2
    report(trader, client, exposure={"open_orders": None, "positions": None})
    client.refresh_from_db()
    assert client.open_orders is None
    assert client.positions is None
    assert client.exposure_at is not None


@pytest.mark.parametrize("state", ["local_stop", "override"])
def test_local_stop_and_override_are_in_the_trail_from_beginning_to_end(
    trader: User, connect: Connect, state: str
) -> None:
    client = connect()
    # Twice the same is one; not named is no change.
    for fields in ({state: OVERRIDE}, {state: OVERRIDE}, {}, {state: None}, {state: None}):
        report(trader, client, **fields)
    events = AuditEvent.objects.filter(action__startswith=f"killswitch.{state}").order_by("id")
    assert [(event.action, event.actor_kind, event.reason) for event in events] == [
        (f"killswitch.{state}_began", "client", OVERRIDE["message"]),
        (f"killswitch.{state}_ended", "client", OVERRIDE["message"]),
    ]
    assert (events[0].before, events[0].after, events[1].after) == (None, OVERRIDE, None)


def test_callback_results_stand_with_the_proof_and_a_repeat_replaces_them(
    alice: User, trader: User, connect: Connect
) -> None:
    client = connect()
    episode = services.activate(actor=acting(alice), reason="MANUAL", message="").activation
    for ok in (False, True):
        results = [
            {
                "activation": episode.pk,
                "name": "cancel",
                "ok": ok,
                "ms": 12.5,
                "error": None if ok else "boom",
            }
        ]
        assert report(trader, client, callbacks=results).status_code == 200
    assert Acknowledgement.objects.get().callbacks == [
        {"name": "cancel", "ok": True, "ms": 12.5, "error": None}
    ]


def test_callback_results_of_a_local_stop_go_to_the_trail(trader: User, connect: Connect) -> None:
    results = [
        {"activation": None, "name": "cancel", "ok": True, "ms": float("nan"), "error": None, "cancelled": 3}
    ]
    assert report(trader, connect(), callbacks=results).status_code == 200
    event = AuditEvent.objects.get(action="killswitch.local_stop_callbacks")
    assert event.metadata["callbacks"][0]["cancelled"] == 3
