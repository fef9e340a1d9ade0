"""The stream of an open page."""

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.live.postgres import PostgresServer
from tests.live.web import Change, OpenStream, StreamReader, WebServer, page_stream

# A cookie, and the name of the account.
Session = tuple[str, str]
OpenPage = Callable[..., StreamReader]

NAMES = (f"alice{number}" for number in itertools.count())


@pytest.fixture
def session(web: WebServer) -> Session:
    """The cookie of somebody who has signed in, and the name."""
    name = next(NAMES)
    _, headers, _ = web.request("GET", f"/sign-in?name={name}")
    return headers["Set-Cookie"].split(";")[0], name


@pytest.fixture
def page(web: WebServer, session: Session) -> Iterator[OpenPage]:
    """`page(name)` opens the page's stream."""
    with contextlib.ExitStack() as stack:

        def open_page(name: str = "overview") -> StreamReader:
            reader = page_stream(web.port, name, session[0])
            stack.callback(reader.close)
            return reader

        yield open_page


def test_nobody_is_401(web: WebServer) -> None:
    status, _, body = web.request("GET", "/live?page=overview")
    assert status == 401
    assert b'"code":"not_authenticated"' in body


def test_a_session_that_does_not_exist_is_401(web: WebServer) -> None:
    cookie = {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}
    assert web.request("GET", "/live?page=overview", headers=cookie)[0] == 401


def test_an_account_that_is_not_active_is_401(
    web: WebServer, session: Session, postgres: PostgresServer
) -> None:
    cookie, name = session
    with postgres.connect() as conn:
        conn.execute("UPDATE auth_user SET is_active = false WHERE username = %s", [name])
    assert web.request("GET", "/live?page=overview", headers={"Cookie": cookie})[0] == 401


def test_a_session_from_before_a_new_password_is_401(
    web: WebServer, session: Session, postgres: PostgresServer
) -> None:
    cookie, name = session
    with postgres.connect() as conn:
        conn.execute("UPDATE auth_user SET password = 'md5$a$b' WHERE username = %s", [name])
    assert web.request("GET", "/live?page=overview", headers={"Cookie": cookie})[0] == 401


@pytest.mark.parametrize("query", ["", "?page=", "?page=../x", "?page=A"])
def test_a_bad_page_is_400(web: WebServer, session: Session, query: str) -> None:
    status, _, body = web.request("GET", f"/live{query}", headers={"Cookie": session[0]})
    assert status == 400
    assert b'"field":"page"' in body


def test_it_is_read_with_get_only(web: WebServer) -> None:
    assert web.request("POST", "/live?page=overview")[0] == 405


def opening(stream: StreamReader) -> str:
    """Every part of the page `overview`, which come in one message or two: what is urgent waits for nothing else."""
    text = ""
    while "#epoch" not in text or "#note" not in text:
        text += stream.until("message").text
    return text


def test_it_begins_with_the_whole_page(page: OpenPage, change: Change, trader: OpenStream) -> None:
    trader().until("hello")
    epoch = change()
    stream = page()
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    heartbeat = next(stream.events())
    assert heartbeat.name == "heartbeat"
    assert heartbeat.data["database"] is True
    parts = opening(stream)
    assert f'<hx-partial hx-target="#epoch"><p id="epoch">{epoch}</p></hx-partial>' in parts
    # A line break in the HTML survives.
    assert '<hx-partial hx-target="#note"><p id="note">\n' in parts


def test_what_is_urgent_waits_for_no_other_part(
    page: OpenPage, change: Change, postgres: PostgresServer
) -> None:
    with postgres.connect() as conn, conn.transaction():
        # The other part cannot be rendered until this lock goes.
        conn.execute("LOCK TABLE feed_client IN ACCESS EXCLUSIVE MODE")
        epoch = change()
        stream = page()
        text = ""
        # Before that perhaps what was rendered for the page of another test.
        while f'<hx-partial hx-target="#epoch"><p id="epoch">{epoch}</p></hx-partial>' not in text:
            text += stream.until("message").text
    while "#note" not in text:
        text += stream.until("message").text


def test_only_what_has_changed_is_sent(page: OpenPage, change: Change) -> None:
    stream = page()
    opening(stream)
    epoch = change()
    changed = stream.until("message").text
    assert changed == f'<hx-partial hx-target="#epoch"><p id="epoch">{epoch}</p></hx-partial>'


def test_a_page_carries_its_own_parts_alone(page: OpenPage) -> None:
    assert "note" not in page("kill-switch").until("message").text


def test_a_part_that_fails_keeps_nothing_else_back(page: OpenPage, change: Change, web: WebServer) -> None:
    stream = page("broken")
    assert 'id="epoch"' in stream.until("message").text
    change()
    assert 'id="epoch"' in stream.until("message").text
    assert "Rendering #broken failed: ValueError" in web.log.read_text()


def test_heartbeats_tell_of_a_lost_database_and_the_page_comes_back(
    page: OpenPage, change: Change, postgres: PostgresServer
) -> None:
    stream = page()
    opening(stream)
    postgres.stop()
    try:
        while stream.until("heartbeat").data["database"]:
            pass
    finally:
        postgres.start()
    epoch = change()
    assert f">{epoch}<" in stream.until("message").text


def test_signing_out_ends_the_stream(page: OpenPage, session: Session, postgres: PostgresServer) -> None:
    stream = page()
    stream.until("message")
    with postgres.connect() as conn:
        conn.execute("DELETE FROM django_session WHERE session_key = %s", [session[0].split("=")[1]])
    assert stream.until("signed-out").data == {}
    assert list(stream.events()) == []
