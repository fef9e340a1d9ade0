"""The trail in the admin is to read, for superusers too."""

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_refuses_to_add_change_and_delete(root: Client) -> None:
    event = record(actor=Actor.system("tests"), action="tests.done", reason="")
    assert root.get("/admin/audit/auditevent/add/").status_code == 403
    assert root.post(f"/admin/audit/auditevent/{event.pk}/change/", {"reason": "x"}).status_code == 403
    assert root.post(f"/admin/audit/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403


def test_shows_events_with_their_leaf(root: Client) -> None:
    event = record(actor=Actor.system("tests"), action="tests.done", reason="why it was")
    assert "why it was" in root.get("/admin/audit/auditevent/").content.decode()
    page = root.get(f"/admin/audit/auditevent/{event.pk}/change/").content.decode()
    assert bytes(event.leaf).hex() in page
