"""The history: paged, filtered, in detail."""

from typing import Any

import pytest

from killswitch import services
from opsconsole.accounts.models import User
from tests.cast import acting, caller
from tests.killswitch.conftest import Connect

URL = "/monitoring/kill-switch/activations"


@pytest.fixture
def episodes(alice: User, sam: User) -> list[int]:
    made = []
    for number, scope in enumerate(["global", "symbol:IBM", "global", "symbol:IBM", "global"]):
        reason = "VOLATILITY" if number == 2 else "MANUAL"
        outcome = services.activate(
            actor=acting(alice), reason=reason, message=f"stop {number}", scope=scope, drill=number == 4
        )
        made.append(outcome.activation.pk)
        if number < 4:
            services.deactivate(actor=acting(sam), message=f"safe {number}", scope=scope)
    return made


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=1.5", "limit=²", "cursor=x", "cursor=-1", "drill=perhaps"],
)
def test_a_bad_parameter_is_named(bob: User, query: str) -> None:
    answer = caller(bob).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]["details"]


def test_pages_hold_each_episode_once_newest_first(bob: User, episodes: list[int]) -> None:
    client, seen = caller(bob), []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{URL}?limit=2&cursor={cursor}").json()
        seen += [item["id"] for item in page["results"]]
        cursor = page["next"]
    assert seen == episodes[::-1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("scope=symbol:IBM", [3, 1]),
        ("reason=VOLATILITY", [2]),
        ("drill=true", [4]),
        ("drill=false", [3, 2, 1, 0]),
        ("search=safe 0", [0]),
        ("search=SAM", [3, 2, 1, 0]),
        ("scope=none", []),
    ],
)
def test_filters(bob: User, episodes: list[int], query: str, numbers: list[int]) -> None:
    found = caller(bob).get(f"{URL}?{query}").json()["results"]
    assert [item["id"] for item in found] == [episodes[number] for number in numbers]


def test_one_in_detail(alice: User, bob: User, connect: Connect) -> None:
    client = connect()
    episode = services.activate(actor=acting(alice), reason="MANUAL", message="x").activation
    detail: Any = caller(bob).get(f"{URL}/{episode.pk}").json()
    assert [(proof["client_id"], proof["proof"]) for proof in detail["acknowledgements"]] == [
        (client.pk, "PENDING")
    ]
    assert detail["confirmed_at"] is not None
    assert caller(bob).get(f"{URL}/{episode.pk + 1}").status_code == 404
