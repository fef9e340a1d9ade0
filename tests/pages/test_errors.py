"""Pages for what went wrong, and the headers that every page carries."""

import pytest
from django.db import OperationalError
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.console.middleware import CONTENT_SECURITY_POLICY
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db


def test_404_keeps_the_state_bar(alice: User, browse: Browse) -> None:
    response = browse(alice).get("/no/such/page")
    assert response.status_code == 404
    assert 'id="state"' in response.content.decode()


def test_404_tells_strangers_nothing(db: None) -> None:
    response = Client().get("/no/such/page")
    assert response.status_code == 404
    assert 'id="state"' not in response.content.decode()


@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (RuntimeError("bug"), 500)])
def test_static_pages_name_the_other_two_ways(
    error: Exception, status: int, alice: User, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise error

    client = browse(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("killswitch.selectors.status", fail)
    response = client.get("/kill-switch")
    text = response.content.decode()
    assert response.status_code == status
    assert "manage.py killswitch activate" in text
    assert "touch $OPSCLIENT_HALT_FILE" in text
    assert response.headers["X-Request-ID"] in text


def test_every_page_has_the_policy(alice: User, browse: Browse) -> None:
    client = browse(alice)
    for path in ("/", "/kill-switch", "/audit", "/accounts/me", "/no/such/page", "/admin/login/"):
        response = client.get(path)
        assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
        assert response.headers["X-Content-Type-Options"] == "nosniff", path
        assert response.headers["Referrer-Policy"] == "same-origin", path
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin", path
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_readyz(db: None) -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "database": True})
