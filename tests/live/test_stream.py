"""The trading processes' stream, over real HTTP, from a real PostgreSQL."""

from tests.live.postgres import wait_for
from tests.live.web import Change, OpenStream, StreamReader, WebServer


def test_without_a_token_it_is_401(web: WebServer) -> None:
    status, headers, body = web.request("GET", "/monitoring/stream?name=AAPL")
    assert status == 401
    assert headers["WWW-Authenticate"] == "Bearer"
    assert b'"code":"not_authenticated"' in body


def test_the_wrong_token_is_403(web: WebServer) -> None:
    status, _, _ = web.request("GET", "/monitoring/stream?name=A", headers={"Authorization": "Bearer wrong"})
    assert status == 403


def test_a_bad_parameter_is_named(web: WebServer) -> None:
    status, _, body = web.request("GET", "/monitoring/stream", headers={"Authorization": "Bearer right"})
    assert status == 400
    assert b'"field":"name"' in body


def test_it_is_read_with_get_only(web: WebServer) -> None:
    status, headers, _ = web.request("POST", "/monitoring/stream?name=AAPL")
    assert status == 405
    assert headers["Allow"] == "GET"


def test_it_opens_with_hello_state_and_a_lease(trader: OpenStream, change: Change) -> None:
    epoch = change()
    before = trader("GOOG")
    while before.until("lease").data["epoch"] != epoch:
        pass  # the hub has not read the change yet
    stream = trader("AAPL")
    assert stream.response.status == 200
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    assert stream.response.headers["Cache-Control"] == "no-store"
    events = stream.events()
    hello, state, lease = next(events), next(events), next(events)
    assert [hello.name, state.name, lease.name] == ["hello", "state", "lease"]
    assert hello.data["protocol"] == 1
    assert hello.data["term"] == 0.5
    assert hello.data["renew"] == 0.125
    assert state.data["epoch"] == hello.data["epoch"]
    assert state.data["switches"] == []
    # The lease rests on a read that began after the registration, which came after S0.
    assert lease.data["s"] > hello.data["s"]
    assert lease.data["epoch"] == state.data["epoch"]


def test_leases_keep_coming(trader: OpenStream) -> None:
    stream = trader()
    times = [stream.until("lease").data["s"] for _ in range(5)]
    assert times == sorted(set(times))


def test_a_change_is_sent_at_once_and_before_its_lease(trader: OpenStream, change: Change) -> None:
    stream = trader()
    stream.until("lease")
    epoch = change(switches=[{"scope": "global", "mode": "HALTED"}])
    state = stream.until("state").data
    assert state["epoch"] == epoch
    assert state["switches"] == [{"scope": "global", "mode": "HALTED"}]
    assert stream.until("lease").data["epoch"] == epoch


def test_a_change_of_state_alone_is_sent_too(trader: OpenStream, change: Change) -> None:
    stream = trader()
    epoch = stream.until("state").data["epoch"]
    change(epoch=epoch, drills=[{"activation": 1}])
    assert stream.until("state").data["drills"] == [{"activation": 1}]


def test_a_change_is_found_by_reading_alone(trader: OpenStream, change: Change) -> None:
    stream = trader()
    stream.until("lease")
    epoch = change(announce=False)
    assert stream.until("state").data["epoch"] == epoch


def test_a_newer_stream_of_the_same_process_replaces_the_older(trader: OpenStream) -> None:
    older = trader("AAPL")
    older.until("lease")
    newer = trader("AAPL")
    assert older.until("bye").data["why"] == "replaced"
    assert list(older.events()) == []
    newer.until("lease")


def test_open_streams_hold_no_web_thread(web: WebServer, trader: OpenStream) -> None:
    streams = [trader(f"T{number}") for number in range(20)]
    for stream in streams:
        stream.until("lease")
    assert web.request("GET", "/plain")[2] == b"plain"
    assert web.health()["streams"] >= 20


def test_a_reader_that_stops_reading_is_cut_off(web: WebServer, trader: OpenStream, change: Change) -> None:
    lazy = trader("LAZY", receive_buffer=4096)
    lazy.until("lease")
    other = trader("IBM")
    other.until("lease")
    # States that fill the kernel's buffers; the process keeps only the newest of them.
    wait_for(lambda: "The stream of LAZY was cut off" in flood(web, other, change))
    other.until("lease")


def flood(web: WebServer, other: StreamReader, change: Change) -> str:
    epoch = change(switches=[{"scope": "global", "message": "x" * 50_000}])
    while other.until("state").data["epoch"] != epoch:
        pass
    return web.log.read_text()
