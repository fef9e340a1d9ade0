"""Opening a stream, and what it carries."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import Settings

from killswitch import services
from killswitch.choices import CommandKind
from killswitch.feed import KillSwitchFeed
from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from opsconsole.audit.models import AuditEvent
from opsconsole.live.feeds import StreamRefused, StreamRequest
from tests.cast import account, acting, token_of
from tests.killswitch.conftest import HUB, Connect, open_stream

Query = dict[str, str | tuple[str, ...]]


@pytest.fixture
def raw(trader: User) -> str:
    return token_of(trader)


BAD: list[tuple[Query, str]] = [
    ({"name": ""}, "name"),
    ({"name": ()}, "name"),
    ({"name": ("A", "B")}, "name"),
    ({"name": "x" * 65}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"instance": ""}, "instance"),
    ({"instance": "xyz"}, "instance"),
    ({"instance": "0" * 31}, "instance"),
    ({"pid": "-1"}, "pid"),
    ({"pid": "²"}, "pid"),
    ({"pid": "99999999999"}, "pid"),
    ({"host": "h" * 256}, "host"),
    ({"version": "v" * 33}, "version"),
    ({"scope": "IBM"}, "scope"),
    ({"scope": ("symbol:IBM", "global")}, "scope"),
    ({"scope": tuple(f"symbol:{number}" for number in range(51))}, "scope"),
]


@pytest.mark.parametrize(("query", "named"), BAD)
def test_a_bad_parameter_is_named(raw: str, query: Query, named: str) -> None:
    with pytest.raises(StreamRefused) as refused:
        open_stream(raw, **query)  # type: ignore[arg-type]  # `hub` is not among them
    assert (refused.value.status, refused.value.details) == (400, {"parameter": named})
    assert refused.value.message.startswith(f"{named}: ")
    assert not TradingClient.objects.exists()


@pytest.mark.parametrize("header", ["Bearer ops_wrong", "Basic x", ""])
def test_refuses_a_wrong_token(db: None, header: str) -> None:
    request = StreamRequest(query={}, headers={"authorization": header}, ip="127.0.0.1", hub=HUB)
    with pytest.raises(StreamRefused) as refused:
        KillSwitchFeed().open(request)
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")
    assert "wrong" not in refused.value.message


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR])
def test_refuses_accounts_that_are_no_trading_system(db: None, role: Role | None) -> None:
    with pytest.raises(StreamRefused) as refused:
        open_stream(token_of(account("somebody", *[role] if role else [])))
    assert refused.value.status == 403


def test_refuses_an_instance_of_another_account(raw: str) -> None:
    open_stream(raw, instance="a" * 32)
    with pytest.raises(StreamRefused) as refused:
        open_stream(token_of(account("other", Role.TRADING_SYSTEM)), instance="A" * 32)
    assert (refused.value.status, refused.value.details) == (403, {"parameter": "instance"})


@pytest.mark.parametrize(
    ("local", "ip", "allowed"),
    [(True, "127.0.0.1", True), (True, "192.0.2.1", False), (False, "127.0.0.1", False)],
)
def test_the_loopback_rule_counts_here_too(
    db: None, settings: Settings, local: bool, ip: str, allowed: bool
) -> None:
    settings.LOCAL_ACCOUNT = local
    query = {"name": ("AAPL",), "instance": (uuid4().hex,)}
    request = StreamRequest(query=query, headers={"host": "localhost"}, ip=ip, hub=HUB)
    if allowed:
        assert KillSwitchFeed().open(request).client_id
        return
    with pytest.raises(StreamRefused) as refused:
        KillSwitchFeed().open(request)
    assert (refused.value.status, refused.value.code) == (401, "not_authenticated")


def test_registers_a_process_once(raw: str, trader: User) -> None:
    grants = [
        open_stream(
            raw, instance="A" * 32, host="desk-1", version="0.1.0", scope=("Symbol:AAPL", "venue:sim")
        )
        for _ in range(2)
    ]
    client = TradingClient.objects.get()
    assert {grant.client_id for grant in grants} == {client.pk}
    assert {grant.key for grant in grants} == {f"AAPL/{'a' * 32}"}
    assert grants[1].opened_at == client.connected_at
    assert (client.host, client.pid, client.version, client.user) == ("desk-1", 4711, "0.1.0", trader)
    assert (client.scopes, client.hub) == (["symbol:AAPL", "venue:sim"], HUB)
    assert AuditEvent.objects.filter(action="killswitch.client_registered").count() == 1


def snapshot() -> tuple[int, Any]:
    with connection.cursor() as cursor:
        cursor.execute(KillSwitchFeed.snapshot_sql)
        epoch, _, state = cursor.fetchone()
    return epoch, json.loads(state)


def test_the_snapshot_of_an_untouched_console(db: None) -> None:
    assert snapshot() == (0, {"switches": [], "drills": [], "commands": []})


def test_the_snapshot_carries_what_the_protocol_says(alice: User, trader: User, connect: Connect) -> None:
    client = connect()
    stop = services.activate(
        actor=acting(alice), reason="VOLATILITY", message="m", metadata={"vix": 80}, scope="symbol:IBM"
    ).activation
    drill = services.activate(actor=acting(alice), reason="MANUAL", message="monthly", drill=True).activation
    command = services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    epoch, state = snapshot()
    since = f"{stop.activated_at:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert epoch == 3
    assert state["switches"] == [
        {
            "scope": "symbol:IBM", "mode": "HALTED", "reason": "VOLATILITY", "message": "m", "metadata": {"vix": 80},
            "since": since, "by": "alice", "activation": stop.pk, "epoch": 1,
        }
    ]  # fmt: skip
    assert [item["activation"] for item in state["drills"]] == [drill.pk]
    assert state["commands"] == [
        {"id": command.pk, "kind": "cancel_orders", "activation": None, "by": "alice", "targets": [client.pk]}
    ]
    services.report(
        actor=acting(trader), name=client.name, instance=client.instance,
        report=services.Report(commands=[{"id": command.pk, "ok": True}]),
    )  # fmt: skip
    services.acknowledge(
        actor=acting(trader), name=client.name, instance=client.instance, epoch=3, activations=[drill.pk]
    )
    services.deactivate(actor=acting(alice), message="", scope="symbol:IBM")
    assert snapshot() == (4, {"switches": [], "drills": [], "commands": []})
