"""Whatever happens to the stream: nothing is allowed past the lease, and trading resumes by itself."""

import logging
import socket
from collections.abc import Callable, Iterator

import pytest
from opsclient import KillSwitch, OpsConsole, clock

from tests.client.console_server import ConsoleServer, Handler, event, eventually


def stays_halted_past_the_lease(switch: KillSwitch) -> None:
    """From now on nothing may be allowed later than the deadline that is held now."""
    deadline = switch._deadline
    eventually(lambda: not switch.is_trading_allowed())
    while clock.now() < deadline + 0.2:
        assert not switch.is_trading_allowed() or clock.now() <= deadline


def holds_until(condition: Callable[[], bool], invariant: Callable[[], bool]) -> None:
    """Wait for the condition; the invariant must hold at every look before it."""
    broken: list[bool] = []

    def look() -> bool:
        if condition():
            return True
        if not invariant():
            broken.append(True)
        return bool(broken)

    eventually(look)
    assert not broken


def test_a_silent_stream_ends_the_lease_and_a_new_one_is_opened(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    server.silent = True
    stays_halted_past_the_lease(switch)
    eventually(lambda: len(server.streams) >= 2, "a second connection")
    assert console.contact == "lost"
    server.silent = False
    eventually(switch.is_trading_allowed)
    assert console.contact == "live"


def test_a_stop_made_while_the_stream_was_away_is_found(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.silent = True
    activation = server.halt()
    eventually(lambda: not switch.is_trading_allowed())
    server.silent = False
    server.wait_acked(activation)
    assert not switch.is_trading_allowed()


def test_a_stream_that_is_cut_is_opened_again_within_its_lease(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    server.cut_streams()
    eventually(lambda: len(server.streams) == 2 and console.contact == "live")
    assert switch.is_trading_allowed()


def test_a_console_that_is_restarted_is_found_again(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.stop()
    eventually(lambda: not switch.is_trading_allowed())
    eventually(lambda: console.contact == "lost")
    server.start()
    eventually(switch.is_trading_allowed)


def test_no_lease_is_granted(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.grants = False
    eventually(lambda: not switch.is_trading_allowed())
    assert console.contact == "no_lease"
    assert "database" in console.problem
    server.grants = True
    eventually(switch.is_trading_allowed)


def test_leases_that_arrive_later_than_their_term_are_worth_nothing(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    server.term, server.lag = 0.2, 0.3
    server.hello_more = {"renew": 1.0}  # or else the client takes the link for dead, and connects anew
    console = connect()
    switch = KillSwitch(console)
    eventually(lambda: switch.epoch == 1)
    # The client gives such a connection up, and tries another.
    holds_until(lambda: len(server.streams) >= 2, lambda: not switch.is_trading_allowed())
    assert "run out when they arrive" in console.problem
    server.lag = 0.0
    eventually(switch.is_trading_allowed)


def test_a_slow_answer_does_not_shorten_the_leases_for_long(
    server: ConsoleServer, console: OpsConsole
) -> None:
    """As when the console was suspended while a client connected: the whole wait is lost to that connection's leases."""
    switch = KillSwitch(console)
    server.hello_lag = server.term * 1.5
    server.cut_streams()
    eventually(lambda: "to answer" in console.problem)
    assert not switch.is_trading_allowed()
    server.hello_lag = 0.0
    eventually(switch.is_trading_allowed)
    assert switch.get_status()["lease_s_left"] > server.term / 2


def test_a_connection_that_was_answered_rather_slowly_is_replaced_without_a_gap(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    server.hello_lag = server.term * 0.35
    console = connect()
    switch = KillSwitch(console)
    eventually(switch.is_trading_allowed)
    server.hello_lag = 0.0
    holds_until(lambda: len(server.streams) >= 2, switch.is_trading_allowed)


def test_leases_of_another_epoch_are_refused(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.lease_epoch = 0
    eventually(lambda: not switch.is_trading_allowed())


def test_a_console_restored_from_an_older_backup_re_arms_nobody(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    server.epoch = 40
    server.wait_acked(server.halt())
    server.switches.clear()
    server.epoch = 12
    eventually(lambda: console.contact == "behind")
    assert not switch.is_trading_allowed()
    assert switch.epoch == 41
    server.epoch = 42
    eventually(switch.is_trading_allowed)


def test_keep_goes_on_trading_without_a_lease(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    console = connect(on_contact_lost="keep")
    switch = KillSwitch(console)
    eventually(switch.is_trading_allowed)
    server.silent = True
    eventually(lambda: console.contact == "lost")
    assert switch.is_trading_allowed()
    activation = server.halt()
    server.silent = False
    server.wait_acked(activation)
    assert not switch.is_trading_allowed()


def text_page(handler: Handler) -> bool:
    return handler.answer(200, "<html>hello</html>", kind="text/html")


def missing(handler: Handler) -> bool:
    return handler.answer(404, {"error": {"code": "not_found", "message": "no such page"}})


def elsewhere(handler: Handler) -> bool:
    return handler.answer(302, "", kind="text/html", Location="http://127.0.0.1:1/steal")


def busy(handler: Handler) -> bool:
    return handler.answer(503, {"error": {"code": "unavailable", "message": "database"}})


def forbidden(handler: Handler) -> bool:
    return handler.answer(403, {"error": {"code": "forbidden", "message": "not your role"}})


def unreadable(handler: Handler) -> bool:
    return handler.answer(400, {"error": {"code": "invalid", "message": "name: too long"}})


@pytest.mark.parametrize(
    ("answer", "contact", "text"),
    [
        (text_page, "wrong_url", "URL is not an opsconsole"),
        (missing, "wrong_url", "URL is not an opsconsole"),
        (elsewhere, "wrong_url", "not followed"),
        (busy, "lost", "503"),
        (forbidden, "refused", "403"),
        (unreadable, "refused", "name: too long"),
    ],
)
def test_answers_that_are_no_stream(
    server: ConsoleServer,
    connect: Callable[..., OpsConsole],
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[Handler], bool],
    contact: str,
    text: str,
) -> None:
    server.stream_answer = answer
    with caplog.at_level(logging.WARNING, "opsclient"):
        console = connect()
        eventually(lambda: console.contact == contact)
        eventually(lambda: len(server.streams) >= 2, "a second attempt")
    assert text in console.problem
    assert not KillSwitch(console).is_trading_allowed()
    assert len([record for record in caplog.records if text in record.getMessage()]) == 1, "said once"
    server.stream_answer = None
    assert console.wait_until_live(), "it recovers when the console does"


def test_a_wrong_token_is_refused_and_never_shown(
    server: ConsoleServer, connect: Callable[..., OpsConsole], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        console = connect(token="swordfish-9")
        eventually(lambda: console.contact == "refused")
    assert not KillSwitch(console).is_trading_allowed()
    assert "401" in console.problem
    assert "swordfish" not in caplog.text + repr(console) + str(KillSwitch(console).get_status())


@pytest.mark.parametrize(
    "raw",
    [
        event("state", {"epoch": 9, "switches": "none"}),
        event("lease", {"s": "soon", "epoch": 1, "term": 1}),
        event("hello", {"protocol": 1, "client_id": 1, "s": 1.0, "term": 1, "renew": 1}),
        b"event: state\ndata: {nonsense\n\n",
        b"event: lease\ndata: [1]\n\n",
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_connection(
    server: ConsoleServer, console: OpsConsole, raw: bytes
) -> None:
    server.streams[0].raw.append(raw)
    eventually(lambda: len(server.streams) >= 2)
    eventually(lambda: console.contact == "live")


def test_unknown_events_fields_and_comments_are_passed_over(
    server: ConsoleServer, console: OpsConsole
) -> None:
    server.streams[0].raw.append(b": still here\n\nevent: weather\ndata: not json\n\n")
    activation = server.halt(mood="grim")
    server.wait_acked(activation)
    assert len(server.streams) == 1


def test_goodbye_is_followed_by_a_new_connection(server: ConsoleServer, console: OpsConsole) -> None:
    server.streams[0].raw.append(event("bye", {"why": "shutdown"}))
    eventually(lambda: len(server.streams) == 2 and console.contact == "live")


def test_another_version_of_the_protocol_is_named(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    server.hello_more = {"protocol": 2}
    console = connect()
    eventually(lambda: console.contact == "wrong_url")
    assert "protocol 2" in console.problem


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as sock:
        yield sock.getsockname()[1]


def test_a_console_that_accepts_and_never_answers(deaf_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsclient.transport.ANSWER_S", 0.2)
    with OpsConsole(f"http://127.0.0.1:{deaf_port}", token="sesame", name="A") as console:
        eventually(lambda: console.contact == "lost")
        assert "silent" in console.problem
        assert not KillSwitch(console).is_trading_allowed()


def test_planned_reconnects_leave_no_gap(
    server: ConsoleServer, connect: Callable[..., OpsConsole], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.listener.RECONNECT_S", 0.1)
    console = connect()
    switch = KillSwitch(console)
    assert console.wait_until_live()
    holds_until(lambda: len(server.streams) >= 5, switch.is_trading_allowed)
    assert len({stream.params["instance"][0] for stream in server.streams}) == 1
