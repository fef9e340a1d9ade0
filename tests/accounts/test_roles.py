"""What each role may do with the kill switch."""

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from tests.cast import account, caller

BASE = "/monitoring/kill-switch"
CALLS = {
    "stop": ("/activate", '{"message": "x"}'),
    "drill": ("/activate", '{"drill": true}'),
    "rearm": ("/deactivate", "{}"),
    "command": ("/commands", '{"kind": "cancel_orders"}'),
    "acknowledge": ("/acknowledge", '{"name": "A", "instance": "0", "epoch": 0, "activations": []}'),
    "report": ("/report", '{"name": "A", "instance": "0"}'),
}
ALLOWED = {
    None: set(),
    Role.VIEWER: set(),
    Role.AUDITOR: set(),
    Role.OPERATOR: {"stop", "drill", "command"},
    Role.SUPERVISOR: {"stop", "drill", "command", "rearm"},
    Role.TRADING_SYSTEM: {"stop", "acknowledge", "report"},
}


@pytest.mark.parametrize("role", list(ALLOWED), ids=str)
def test_each_role_may_do_what_it_is_for_and_no_more(db: None, role: Role | None) -> None:
    client = caller(account("somebody", *[role] if role else []))
    for what, (path, body) in CALLS.items():
        status = client.post(BASE + path, body, content_type="application/json").status_code
        assert (status != 403) == (what in ALLOWED[role]), (what, status)
        assert status != 401


def test_anybody_with_an_account_may_look(charlie: User) -> None:
    client = caller(charlie)
    for path in ("", "/activations", "/clients", "/commands"):
        assert client.get(BASE + path).status_code == 200


def test_a_refusal_says_who_may(bob: User) -> None:
    answer = caller(bob).post(f"{BASE}/deactivate")
    assert answer.json()["error"]["message"] == "Re-arming needs the role supervisor."


def test_a_refused_stop_stops_nothing(bob: User, client: Client) -> None:
    assert caller(bob).post(f"{BASE}/activate").status_code == 403
    assert caller(bob).get(BASE).json()["is_active"] is False
