"""The admin shows the kill switch, and changes nothing of it."""

import pytest
from django.test import Client

from killswitch import services
from killswitch.choices import CommandKind
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.killswitch.conftest import Connect

MODELS = ("switch", "activation", "tradingclient", "acknowledgement", "command", "commandresult")


@pytest.fixture
def root(client: Client, alice: User, connect: Connect) -> Client:
    connect()
    services.activate(actor=acting(alice), reason="MANUAL", message="")
    services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("model", MODELS)
def test_shows_and_refuses(root: Client, model: str) -> None:
    base = f"/admin/killswitch/{model}/"
    assert root.get(f"{base}add/").status_code == 403
    page = root.get(base)
    assert page.status_code == 200
    assert page.context["cl"].result_count == 1
    pk = page.context["cl"].result_list[0].pk
    assert root.get(f"{base}{pk}/change/").status_code == 200
    assert root.post(f"{base}{pk}/change/", {}).status_code == 403
    assert root.post(f"{base}{pk}/delete/", {"post": "yes"}).status_code == 403
