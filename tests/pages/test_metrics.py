"""The pages System, Trading, Cost and Risk: who may see them, what is unknown, values beside their limits, charts as tables."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from monitoring.metrics import parts
from monitoring.metrics.panels import PAGES
from opsconsole import env
from opsconsole.accounts.models import User
from opsconsole.live.feeds import parts_of
from tests.metrics.desk import fill
from tests.metrics.rows import a_series, minute, partitions
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

NAMES = list(PAGES)


@pytest.fixture(autouse=True)
def _tables(db: None, settings: Settings) -> None:
    partitions()
    settings.TRADING_ZONE = env.zone("X", "UTC", environ={})


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def words(page: str, key: str) -> str:
    """What stands above the chart of one panel."""
    part = page.split(f'id="now-{key}"')[1].split("</div>", maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part.partition(">")[2])).strip()


@pytest.mark.parametrize("address", [*(f"/{name}" for name in NAMES), "/trading/points"])
def test_asks_to_sign_in_and_refuses_who_has_no_role(browse: Browse, charlie: User, address: str) -> None:
    assert Client().get(address).status_code == 302
    refused = browse(charlie).get(address)
    assert refused.status_code == 403
    assert "Reading metrics needs" in refused.content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_takes_no_posts(browse: Browse, bob: User, name: str) -> None:
    assert browse(bob).post(f"/{name}").status_code == 405


@pytest.mark.parametrize("name", NAMES)
def test_says_unknown_and_why_before_anything_is_reported(browse: Browse, bob: User, name: str) -> None:
    page = text(browse(bob), f"/{name}")
    assert "unknown" in page
    assert "never reported" in page
    assert "Nothing was reported in the last 1h." in page


def test_a_range_that_is_none_is_named_with_those_that_are(browse: Browse, bob: User) -> None:
    page = text(browse(bob), "/risk?range=%3Cb%3E2h")
    assert "range: must be one of 15m, 1h, 6h, 24h, 7d, 30d, not &lt;b&gt;2h." in page
    assert '<a href="?range=1h" aria-current="true">' in page


@pytest.mark.parametrize(
    ("query", "field"),
    [("range=2h", "range"), *((f"since={text}", "since") for text in ("soon", "-5", "9" * 40, "1e9"))],
)
def test_points_of_no_range_or_time_are_refused(browse: Browse, bob: User, query: str, field: str) -> None:
    answer = browse(bob).get(f"/risk/points?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("query", ["", "?range=1h"])
def test_shows_an_hour_unless_another_range_is_wanted(browse: Browse, bob: User, query: str) -> None:
    assert '<a href="?range=1h" aria-current="true">' in text(browse(bob), f"/risk{query}")


def test_keeps_the_range_on_the_way_to_the_other_pages(browse: Browse, bob: User) -> None:
    page = text(browse(bob), "/cost?range=7d")
    assert '<a href="?range=7d" aria-current="true">' in page
    assert '<a href="/trading?range=7d"' in page
    assert re.search(r'<a href="/system" aria-current="true" aria-keyshortcuts="g m">Metrics', page)


def test_a_value_stands_beside_its_limit(browse: Browse, bob: User, settings: Settings) -> None:
    settings.AI_DAILY_BUDGET_USD = 10
    now = timezone.now()
    row = a_series("ai_cost_usd_total", when=now, provider="anthropic", model="claude-opus-4")
    minute(row, f"{now:%Y-%m-%d %H:%M}", 4)
    assert words(text(browse(bob), "/cost"), "cost").startswith("$4.00 40.0% of $10.00 a day · reported")
    other = a_series("ai_cost_usd_total", when=now, provider="anthropic", model="claude-haiku-4")
    minute(other, f"{now:%Y-%m-%d %H:%M}", 7)
    page = text(browse(bob), "/cost")
    assert words(page, "cost").startswith("$11.00 110.0% of $10.00 a day, over the limit · reported")
    assert 'class="oc-m-value oc-bad"' in page


def test_a_stale_value_is_unknown_and_says_what_it_was(browse: Browse, bob: User) -> None:
    a_series("portfolio_value_usd", when=timezone.now() - timedelta(minutes=8), value=100_000)
    found = words(text(browse(bob), "/trading"), "value")
    assert found == "unknown stale, last reported 8 min ago, was $100,000.00"


def test_a_loss_has_the_minus_sign(browse: Browse, bob: User) -> None:
    a_series("portfolio_daily_pnl_usd", when=timezone.now(), value=-3118.4)
    assert words(text(browse(bob), "/trading"), "pnl").startswith("−$3,118.40")


def test_carries_what_the_script_draws_and_the_same_as_a_table(browse: Browse, bob: User) -> None:
    now = timezone.now()
    row = a_series("volatility_breach_total", when=now, ticker="<IBM>")
    minute(row, f"{now:%Y-%m-%d %H:%M}", 3)
    page = text(browse(bob), "/risk?range=15m")
    data = json.loads(
        page.split('<script id="metrics-data" type="application/json">')[1].split("</script>")[0]
    )
    assert data["panels"]["breaches"]["lines"] == [{"label": "<IBM>", "values": [None] * 14 + [3]}]
    assert (data["step"], data["count"]) == (60, 15)
    assert '<th scope="col" class="oc-r">&lt;IBM&gt;</th>' in page


def test_gives_the_newest_points(browse: Browse, bob: User) -> None:
    now = timezone.now()
    minute(a_series("volatility_breach_total", when=now, ticker="IBM"), f"{now:%Y-%m-%d %H:%M}", 3)
    client = browse(bob)
    since = int((now - timedelta(minutes=1)).timestamp())
    data = client.get(f"/risk/points?range=1h&since={since}").json()
    assert data["panels"]["breaches"]["lines"][0]["values"][-1] == 3
    assert data["count"] in {2, 3}
    assert client.get("/risk/points?range=1h&since=").json()["count"] == 60
    assert client.get("/risk/points?range=1h&since=99999999999").json()["count"] == 1


@pytest.mark.parametrize("name", NAMES)
def test_asks_a_bounded_number_of_times_and_sends_little(browse: Browse, bob: User, name: str) -> None:
    fill(timezone.now(), length=timedelta(minutes=400))
    client = browse(bob)
    with most_queries(45):
        page = text(client, f"/{name}")
    assert len(page) < 130_000


def test_each_value_is_a_live_part_of_its_page(bob: User) -> None:
    for page in PAGES.values():
        targets = {part.target for part in parts_of(parts.live_page(page))}
        assert {parts.target(panel.key) for panel in page.panels} <= targets
        for part in parts_of(parts.live_page(page)):
            if part.target.startswith("now-"):
                assert f'id="{part.target}"' in part.render()


def test_live_parts_are_those_of_the_page_alone() -> None:
    assert not [part for part in parts_of("overview") if part.target.startswith("now-")]
