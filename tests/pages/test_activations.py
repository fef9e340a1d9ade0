"""/kill-switch/activations: the history, with search, filters and pages by key."""

import re

import pytest
from django.test import Client

from killswitch.models import Activation
from opsconsole.accounts.models import User
from tests.desk import Desk
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/kill-switch/activations"


def shown(client: Client, **filters: str) -> list[int]:
    text = client.get(URL, filters).content.decode()
    return [int(pk) for pk in re.findall(r'<tr id="episode-(\d+)"', text)]


@pytest.fixture
def episodes(alice: User, sam: User, desk: Desk) -> dict[str, int]:
    drill = desk.stop(alice, drill=True, message="Monthly drill")
    desk.acknowledge()
    ibm = desk.stop(sam, scope="symbol:IBM", message="Stale quotes")
    return {"drill": drill.pk, "ibm": ibm.pk}


@pytest.mark.parametrize("name", ["since", "until", "before", "reason", "kind"])
def test_a_filter_that_cannot_be_read(name: str, alice: User, browse: Browse) -> None:
    response = browse(alice).get(URL, {name: "rubbish"})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


def test_search_and_filters(episodes: dict[str, int], bob: User, browse: Browse) -> None:
    client = browse(bob)
    assert shown(client) == [episodes["ibm"], episodes["drill"]]
    assert shown(client, q="stale") == [episodes["ibm"]]
    assert shown(client, q="alice") == [episodes["drill"]]
    assert shown(client, kind="drill") == [episodes["drill"]]
    assert shown(client, scope="symbol:IBM") == [episodes["ibm"]]
    assert shown(client, until="2020-01-01") == []
    assert shown(client, since="2020-01-01", reason="MANUAL") == [episodes["ibm"], episodes["drill"]]


def test_pages_by_key(alice: User, desk: Desk, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("killswitch.views.PAGE_ROWS", 2)
    made = [desk.stop(alice, scope=f"symbol:S{number}").pk for number in range(5)]
    client, seen, query = browse(alice), [], ""
    while True:
        text = client.get(f"{URL}{query}").content.decode()
        seen += [int(pk) for pk in re.findall(r'<tr id="episode-(\d+)"', text)]
        older = re.search(r'href="(\?[^"]*)" rel="next"', text)
        if older is None:
            break
        query = older[1]
    assert seen == made[::-1]


def test_one_episode(episodes: dict[str, int], bob: User, browse: Browse) -> None:
    client = browse(bob)
    with most_queries(24):
        text = client.get(f"{URL}/{episodes['drill']}").content.decode()
    assert f"Drill {episodes['drill']}, global" in text
    assert text.count("MEASURED") == 4


def test_one_that_never_was(bob: User, browse: Browse) -> None:
    response = browse(bob).get(f"{URL}/4000")
    assert response.status_code == 404
    assert 'id="state"' in response.content.decode()
    assert not Activation.objects.exists()
