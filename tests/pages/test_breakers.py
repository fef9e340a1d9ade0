"""GET /breakers: how many are not closed, what is abnormal first, with search, a filter and pages by key."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.breakers import services
from monitoring.breakers.board import Tally
from opsconsole.accounts.models import User
from tests.breakers import rows
from tests.cast import acting
from tests.health.rows import looked_at
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/breakers"


def found(client: Client, **asked: str) -> list[str]:
    text = client.get(URL, asked).content.decode()
    return re.findall(r'id="breaker-\d+-open"[^>]*><b><bdi>(.*?)</bdi>', text)


def one_of_each(sam: User) -> None:
    """Named against the order in which they are to be listed."""
    now = timezone.now()
    made = rows.breakers(
        ["a closed", "b silent", "c forced closed", "d half", "e forced open", "f open"], now=now
    )
    closed, silent, held, half, forced, open_ = made
    there = rows.processes(["AAPL", "IBM"], now=now)
    gone = rows.processes(["batch"], now=now, reported_at=now - timedelta(minutes=1))
    rows.states([closed, held], there, now=now)
    rows.states([silent], gone, "OPEN", now=now)
    rows.states([half], there[:1], "HALF_OPEN", now=now)
    rows.states([half, open_], there[1:], now=now)
    rows.states([forced], there, "OPEN", now=now, forced="OPEN")
    rows.states([open_], there[:1], "OPEN", now=now, rejected=1204, failure_rate=62.5)
    rows.change(open_, "OPEN", now - timedelta(minutes=20))
    services.force_close(actor=acting(sam), name=held.name, reason="Failover test")
    services.force_open(actor=acting(sam), name=forced.name, reason="Wrong prices")


def test_nobody_signed_in(db: None) -> None:
    assert Client().get(URL).status_code == 302


def test_nobody_without_a_role(charlie: User, browse: Browse) -> None:
    response = browse(charlie).get(URL)
    assert response.status_code == 403
    assert "Reading circuit breakers needs a viewer" in response.content.decode()


@pytest.mark.parametrize(("name", "value"), [("state", "MELTED"), ("after", "9-x"), ("q", "x" * 101)])
def test_a_filter_that_cannot_be_read(name: str, value: str, bob: User, browse: Browse) -> None:
    response = browse(bob).get(URL, {name: value})
    assert response.status_code == 422
    text = response.content.decode()
    assert 'role="alert"' in text
    assert "Nothing was looked for: a filter cannot be read." in text


def test_nothing_yet_says_how_to_begin(bob: User, browse: Browse) -> None:
    looked_at(now=timezone.now())
    text = browse(bob).get(URL).content.decode()
    assert "No process has reported a circuit breaker yet" in text
    assert 'CircuitBreakerManager().create_breaker(name="yahoo_finance"' in text.replace("&quot;", '"')
    assert "oc-count" not in text


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (Tally(), "none yet"),
        (Tally(calm=1), "closed"),
        (Tally(calm=12), "all 12 closed"),
        (Tally(open=1, half_open=1, calm=10), "2 of 12 not closed"),
        (Tally(forced_open=1, held=2, silent=3, calm=4), "1 of 10 not closed, 2 forced closed, 3 unknown"),
        (Tally(held=1, calm=11), "11 closed, 1 forced closed"),
        (Tally(silent=2), "2 unknown"),
    ],
)
def test_the_answer_in_words(counted: Tally, words: str) -> None:
    assert counted.words == words


def test_abnormal_first_and_what_is_known_of_each(sam: User, bob: User, browse: Browse) -> None:
    one_of_each(sam)
    client = browse(bob)
    assert found(client) == ["f open", "e forced open", "d half", "c forced closed", "b silent", "a closed"]
    text = " ".join(client.get(URL).content.decode().split())
    assert "3 of 6 not closed, 1 forced closed, 1 unknown" in text
    assert "In 1 of 2 processes. <bdi>Failures in a row: HTTPError, 503 Service Unavailable</bdi>" in text
    assert "Forced open by <bdi>sam</bdi> until released: “<bdi>Wrong prices</bdi>”." in text
    assert "No process reports it; it was OPEN." in text
    assert ">62.5%</td>" in text
    assert ">1,204</td>" in text
    assert text.count("oc-row-bad") == 1
    assert 'oc-count oc-count-bad">3<span class="visually-hidden"> not closed' in text
    # On the phone the closed one is one line, with a way to it.
    assert "<b>1 other</b>: CLOSED" in text


def test_search_and_filter(sam: User, bob: User, browse: Browse) -> None:
    one_of_each(sam)
    client = browse(bob)
    assert found(client, q="FORCED") == ["e forced open", "c forced closed"]
    assert found(client, state="OPEN") == ["f open", "e forced open"]
    assert found(client, state="HALF_OPEN") == ["d half"]
    assert found(client, state="CLOSED") == ["c forced closed", "a closed"]
    assert found(client, state="UNKNOWN") == ["b silent"]
    assert found(client, state="FORCED") == ["e forced open", "c forced closed"]
    assert found(client, state="ABNORMAL", q="o") == ["f open", "e forced open", "c forced closed"]
    assert "No breaker matches all of this" in client.get(URL, {"q": "none"}).content.decode()


def test_pages_by_key_over_all_kinds(bob: User, browse: Browse) -> None:
    now = timezone.now()
    names = [f"service {number:03d}" for number in range(130)]
    made = rows.breakers(names, now=now)
    there = rows.processes(["AAPL", "IBM"], now=now)
    rows.states(made[1:], there[:1], now=now)
    rows.states(made[60:120], there[1:], "OPEN", now=now)
    client, seen, query, pages = browse(bob), [], "", 0
    while True:
        text = client.get(f"{URL}{query}").content.decode()
        seen += re.findall(r'id="breaker-\d+-open"[^>]*><b><bdi>(.*?)</bdi>', text)
        pages += 1
        following = re.search(r'href="(\?[^"]*)" rel="next"', text)
        if following is None:
            break
        query = following[1].replace("&amp;", "&")
    assert seen == [*names[60:120], names[0], *names[1:60], *names[120:]]
    assert pages == 3
    assert "First page" in text


def test_a_few_queries_however_many_there_are(bob: User, browse: Browse) -> None:
    now = timezone.now()
    made = rows.breakers([f"service-{number}" for number in range(120)], now=now)
    rows.states(made, rows.processes([f"T{number}" for number in range(20)], now=now), "OPEN", now=now)
    rows.change(made[0], "OPEN", now)
    client = browse(bob)
    with most_queries(24):
        text = client.get(URL).content.decode()
    assert "120 of 120 not closed" in text


def test_texts_from_outside_stay_texts(bob: User, browse: Browse) -> None:
    now = timezone.now()
    (breaker,) = rows.breakers(["<script>alert(1)</script>"], now=now)
    rows.states(
        [breaker], rows.processes(["<b>IBM"], now=now), "OPEN", now=now, failure_type="<u>", failure_at=now
    )
    rows.change(breaker, "OPEN", now, client="<b>IBM", cause_text="<script>alert(2)</script>")
    client = browse(bob)
    for address in (URL, "/", f"{URL}/%3Cscript%3Ealert(1)%3C/script%3E"):
        response = client.get(address)
        assert response.status_code == 200
        assert not re.search(r"<script>alert|<b>IBM|<u>", response.content.decode())


def test_who_may_not_reset_is_told_who_may(alice: User, bob: User, browse: Browse) -> None:
    assert "Resetting needs an operator: alice." in browse(bob).get(URL).content.decode()
    text = browse(alice).get(URL).content.decode()
    assert "needs an operator" not in text
    assert 'href="/breakers/-/reset-all"' in text


def test_only_its_own_parts_for_htmx(bob: User, browse: Browse) -> None:
    text = browse(bob).get(URL, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'hx-target="#([a-z-]+)"', text) == ["breakers-head", "breaker-list"]
    assert "<html" not in text


def test_the_palette_finds_one(bob: User, browse: Browse) -> None:
    rows.breakers(["yahoo_finance", "yahoo finance/v2", "sec edgar?"], now=timezone.now())
    client = browse(bob)

    def to(**asked: str) -> str:
        response = client.get(f"{URL}/-/find", asked)
        assert response.status_code == 303
        return response["Location"]

    assert to(q="edgar") == "/breakers/sec%20edgar%3F"
    assert to(q="yahoo_finance") == "/breakers/yahoo_finance"
    assert to(q="yahoo") == "/breakers?q=yahoo"
    assert to(q="reset edgar", **{"for": "reset"}) == "/breakers/-/reset/sec%20edgar%3F"
    assert to(q="none") == "/breakers?q=none"
    assert to() == "/breakers?q="


def test_the_overview_has_what_is_broken(sam: User, bob: User, charlie: User, browse: Browse) -> None:
    assert "No process has reported a circuit breaker yet" in browse(bob).get("/").content.decode()
    one_of_each(sam)
    client = browse(bob)
    with most_queries(39):
        text = " ".join(client.get("/").content.decode().split())
    names = re.findall(r'id="broken-\d+-open"[^>]*><b><bdi>(.*?)</bdi>', text)
    assert names == ["f open", "e forced open", "d half", "c forced closed"]
    assert "<b>1 other breaker</b>: CLOSED. <b>1</b> that no process reports." in text
    assert "<b>sam</b> forced the circuit breaker e forced open open" in text
    assert text.index("Anything broken?") < text.index("Needs you")
    assert "Anything broken?" not in browse(charlie).get("/").content.decode()
