"""GET /breakers/{name}: its state with what proves it, its processes, its changes, its settings and what it was told."""

import re
from datetime import timedelta
from urllib.parse import quote, urljoin

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from monitoring.breakers import services
from monitoring.breakers.models import BreakerApplied, BreakerState
from monitoring.triggers.values import BREAKERS
from opsconsole.accounts.models import User
from tests.alert_rows import an_alert
from tests.breakers import rows
from tests.breakers.reporting import CONFIG
from tests.cast import acting
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
NAME = "yahoo_finance"
URL = f"/breakers/{NAME}"


def text_of(client: Client, address: str = URL) -> str:
    return " ".join(client.get(address).content.decode().replace("\u00a0", " ").split())


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", text).split())


def address_of(client: Client, name: str) -> str:
    """As the list has it."""
    text = client.get("/breakers").content.decode()
    found = re.search(rf'id="breaker-\d+-open" href="([^"]*)"><b><bdi>{re.escape(escape(name))}</bdi>', text)
    assert found
    return found[1]


def test_nobody_signed_in_and_nobody_without_a_role(charlie: User, browse: Browse) -> None:
    assert Client().get(URL).status_code == 302
    assert browse(charlie).get(URL).status_code == 403


def test_one_that_there_is_not_names_those_like_it(bob: User, browse: Browse) -> None:
    rows.breakers([NAME, "sec_edgar"], now=timezone.now())
    response = browse(bob).get("/breakers/yahoo_financ")
    assert response.status_code == 404
    text = response.content.decode()
    assert "There is no circuit breaker <bdi>yahoo_financ</bdi>" in text
    assert f'href="{URL}"' in text
    assert "sec_edgar" not in text


@pytest.mark.parametrize(("name", "value"), [("range", "1y"), ("to", "MELTED"), ("before", "x")])
def test_a_filter_that_cannot_be_read(name: str, value: str, bob: User, browse: Browse) -> None:
    rows.breakers([NAME], now=timezone.now())
    response = browse(bob).get(URL, {name: value})
    assert response.status_code == 422
    assert "Nothing was looked for: a filter cannot be read." in response.content.decode()


@pytest.mark.parametrize("name", ["a.b/c d", "reset-all", "x/reset", "50% (new)?#1", "-", "ünïcode", "~x"])
def test_any_name_has_its_page(name: str, bob: User, browse: Browse) -> None:
    rows.breakers([name], now=timezone.now())
    client = browse(bob)
    for address in (address_of(client, name), f"/breakers/{quote(name, safe='')}"):
        response = client.get(address)
        assert response.status_code == 200
        assert "UNKNOWN · " in response.content.decode()


@pytest.mark.parametrize(
    "name", [".", "..", "a/../b", "./a", "a/.", "-/reset/x", "-/find", "-/reset-all", "~..", "~~-"]
)
def test_names_that_an_address_cannot_have(name: str, alice: User, browse: Browse) -> None:
    rows.breakers(["x", name], now=timezone.now())
    client = browse(alice)
    for address in (address_of(client, name), reverse("breaker-reset", args=[name])):
        # As a browser reads it.
        assert urljoin("http://console/", address) == f"http://console{address}"
        response = client.get(address)
        assert response.status_code == 200
        assert f"<bdi>{name}</bdi>" in response.content.decode()


def test_what_can_be_no_name(bob: User, browse: Browse) -> None:
    client = browse(bob)
    for address in ("/breakers/%00", "/breakers/-/reset/%00"):
        assert client.get(address).status_code in {403, 404}
    assert client.get("/breakers/-/find?q=%00").status_code == 303
    assert client.get("/health/-/find?q=%00").status_code == 303


def test_open_in_some_says_where_why_and_for_how_long(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    there = rows.processes(["AAPL", "GOOG", "IBM"], now=now)
    failed = {"failure_type": "HTTPError", "failure_text": "503", "failure_at": now}
    rows.states([breaker], there[:2], "OPEN", now=now, rejected=600, failure_rate=62.5, **failed)
    rows.states([breaker], there[2:], now=now, failure_rate=None, calls=3)
    rows.change(breaker, "OPEN", now - timedelta(minutes=20), client="GOOG")
    text = text_of(browse(bob))
    said = plain(text)
    assert "Calls are rejected in 2 of 3 processes since" in said
    assert ", for 20 min." in said
    assert "Failures in a row: HTTPError, 503 Service Unavailable (GOOG," in said
    assert "Failure rate62.5%Rejected1,200Open today" in said.replace("> <", "><")
    # The worst first, and a rate that nobody can know.
    names = re.findall(r'id="process-\d+"><th scope="row"><b><bdi>(\w+)', text)
    assert names == ["AAPL", "GOOG", "IBM"]
    assert "unknown, too few calls" in said
    assert "open once" in said


def test_closed_in_all(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    rows.states([breaker], rows.processes(["AAPL", "IBM"], now=now), now=now)
    said = plain(text_of(browse(bob)))
    assert "Calls are let through in all 2 processes since" in said
    assert "never open" in said
    assert "It has not changed its state yet." in said
    assert "Nobody has reset, forced or tuned it yet." in said


def test_unknown_is_never_green(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    rows.states(
        [breaker], rows.processes(["IBM"], now=now, reported_at=now - timedelta(hours=1)), "OPEN", now=now
    )
    said = plain(text_of(browse(bob)))
    assert "UNKNOWN No process reports it, so nobody knows. It was OPEN when it was last heard of" in said
    assert "Failure rateunknownRejectedunknown" in said
    assert "last heard of" in said
    assert "CLOSED, as they were told" not in said


def test_forced_says_by_whom_until_when_and_who_obeys(sam: User, bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    there = rows.processes(["AAPL", "IBM"], now=now)
    rows.states([breaker], there, now=now)
    until = now + timedelta(minutes=30)
    services.force_open(actor=acting(sam), name=NAME, reason="Wrong <prices>", until=until, now=now)
    client = browse(bob)
    assert "To be forced open by sam." in plain(text_of(client))
    assert "sam forced it open" in plain(text_of(client))
    BreakerState.objects.filter(process=there[0]).update(state="OPEN", forced="OPEN", applied=1)
    BreakerApplied.objects.filter(client="AAPL").update(at=now + timedelta(milliseconds=61))
    said = plain(text_of(client))
    assert "FORCED OPEN sam forced it open" in said
    assert "Every call is rejected in 1 of 2 processes." in said
    assert "Wrong &lt;prices&gt;" in said
    assert "applied by 1 of 2, IBM has not yet" in said
    assert "not yetversion 0, told 1" in said
    BreakerApplied.objects.filter(client="IBM").update(at=now + timedelta(milliseconds=90))
    assert "applied by all 2, 90 ms after" in plain(text_of(client))


def test_a_process_that_went_is_not_waited_for(alice: User, bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    there = rows.processes(["AAPL", "IBM"], now=now)
    rows.states([breaker], there, now=now)
    services.reset(actor=acting(alice), name=NAME, reason="", now=now)
    BreakerApplied.objects.filter(client="AAPL").update(at=now)
    there[1].reported_at = now - timedelta(minutes=1)
    there[1].save()
    assert "applied by 1 of 2, 1 has gone" in plain(text_of(browse(bob)))


def test_many_processes_fold(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    there = rows.processes([f"T{number:03d}" for number in range(200)], now=now)
    rows.states([breaker], there[:3], "OPEN", now=now)
    rows.states([breaker], there[3:], now=now)
    client = browse(bob)
    with most_queries(30):
        text = text_of(client)
    shown, folded = text.split('id="processes-calm"')
    assert len(re.findall(r'id="process-\d+"', shown)) == 3
    assert "<b>197 other processes</b>: CLOSED" in folded


def test_its_changes_searched_filtered_and_by_key(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    made = []
    for number in range(40):
        at = now - timedelta(minutes=number)
        to = "OPEN" if number % 2 else "CLOSED"
        made.append(rows.change(breaker, to, at, client=f"T{number % 4}", cause_text=f"number {number}").pk)
    client, seen, query = browse(bob), [], ""
    while True:
        text = client.get(f"{URL}{query}").content.decode()
        seen += [int(pk) for pk in re.findall(r'id="change-(\d+)"', text)]
        following = re.search(r'href="(\?[^"]*)" rel="next"', text)
        if following is None:
            break
        query = following[1].replace("&amp;", "&")
    assert seen == made

    def found(**asked: str) -> int:
        return len(re.findall(r'id="change-\d+"', client.get(URL, asked).content.decode()))

    assert found(q="t3") == 10
    assert found(q="number 7") == 1
    assert found(q="t3", to="CLOSED") == 0
    assert "No change of state matches" in client.get(URL, {"q": "none"}).content.decode()


def test_the_timeline_has_what_was_open_half_open_and_told(alice: User, bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    rows.states([breaker], rows.processes(["AAPL"], now=now, first_seen=now - timedelta(hours=12)), now=now)
    ended = now - timedelta(hours=6)
    rows.change(breaker, "HALF_OPEN", ended, before="OPEN", in_previous_s=3600.0)
    rows.change(breaker, "CLOSED", ended + timedelta(minutes=24), before="HALF_OPEN", in_previous_s=1440.0)
    rows.change(breaker, "HALF_OPEN", now - timedelta(days=3), before="OPEN", in_previous_s=60.0)
    services.reset(actor=acting(alice), name=NAME, reason="", now=now - timedelta(hours=3))
    client = browse(bob)
    text = text_of(client)
    bands = {
        kind: (float(x), float(width))
        for kind, x, width in re.findall(r'<rect class="(\w+)" x="([\d.]+)%" width="([\d.]+)%"', text)
    }
    assert bands["known"] == pytest.approx((50, 50), abs=0.1)
    assert bands["open"] == pytest.approx((100 * 17 / 24, 100 / 24), abs=0.1)
    assert bands["half"] == pytest.approx((75, 1.67), abs=0.1)
    assert re.findall(r'class="told" x1="([\d.]+)%"', text) == ["87.50"]
    assert "open once, 1 h 00 min" in text
    week = text_of(client, f"{URL}?range=7d")
    assert "open 2 times, 1 h 01 min" in week
    assert len(re.findall(r'class="tick"', week)) in {6, 7}


def test_settings_say_where_they_come_from(sam: User, bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers([NAME], now=now)
    there = rows.processes(["AAPL", "GOOG", "IBM"], now=now)
    rows.states([breaker], there, now=now, config=CONFIG | {"timeout_seconds": 30.0, "counted": ["OSError"]})
    BreakerState.objects.filter(process=there[2]).update(
        config=CONFIG, own_config=CONFIG | {"failure_threshold": 9}
    )
    services.tune(actor=acting(sam), name=NAME, values={"timeout_seconds": 30.0}, reason="Sooner")
    said = {
        name: plain(value)
        for name, value in re.findall(r"<dt[^>]*><code>(\w+)</code></dt><dd>(.*?)</dd>", text_of(browse(bob)))
    }
    assert said["timeout_seconds"] == "30 s in 2, 60 s in 1console; code: 60 s"
    assert said["failure_threshold"] == "5"
    assert said["counted"] == "OSError"
    assert f'href="/admin/monitoring/circuitbreaker/{breaker.pk}/change/"' in text_of(browse(bob))


def test_whoever_may_not_is_told_who_may(alice: User, bob: User, browse: Browse) -> None:
    rows.breakers([NAME], now=timezone.now())
    text = browse(bob).get(URL).content.decode()
    assert "Resetting, forcing and releasing needs an operator: alice." in text
    assert f'href="/breakers/-/reset/{NAME}"' in text
    assert "needs an operator" not in browse(alice).get(URL).content.decode()


def test_only_its_own_parts_for_htmx(bob: User, browse: Browse) -> None:
    rows.breakers([NAME], now=timezone.now())
    text = browse(bob).get(URL, headers={"HX-Request": "true"}).content.decode()
    for part in re.findall(r'hx-target="#([a-z-]+)"', text):
        assert f'id="{part}"' in text
    assert text.count("<hx-partial") == 6
    assert "<html" not in text


def test_an_alert_that_names_it_leads_to_it(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers(["news/reuters v2"], now=now)
    rows.states([breaker], rows.processes(["IBM"], now=now), "OPEN", now=now)
    client = browse(bob)
    alert = an_alert(labels={"breaker": breaker.name})
    text = client.get(f"/alerts/{alert.pk}").content.decode()
    assert f'id="alert-breaker-{breaker.pk}" href="/breakers/news/reuters%20v2"' in text
    # And so does one of a trigger that watches all of them.
    watching = an_alert(source="triggers", labels={"trigger": "api-failure", "metric": BREAKERS})
    text = client.get(f"/alerts/{watching.pk}").content.decode()
    assert f'id="alert-breaker-{breaker.pk}" href="/breakers/news/reuters%20v2"' in text
    other = an_alert(labels={"breaker": "no such breaker"})
    assert "alert-breaker" not in client.get(f"/alerts/{other.pk}").content.decode()
