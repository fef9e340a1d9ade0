"""Settings: bad ones are refused by name, and the token is never shown."""

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opsclient import ConfigurationError, KillSwitch, OpsConsole

from tests.client.console_server import ConsoleServer, eventually

GOOD: dict[str, Any] = {"url": "http://127.0.0.1:1", "token": "swordfish-9", "name": "AAPL"}


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [
        ("url", "127.0.0.1:8000", "http://"),
        ("url", "ftp://host", "http://"),
        ("url", "http://", "host"),
        ("url", "http://dana:secret@host", "must not contain"),
        ("url", "http://host:99999", "such as"),
        ("url", "http://host/?token=secret", "query"),
        ("token", "two words", "one word"),
        ("token", "line\r\nbreak", "one word"),
        ("token", "", "one word"),
        ("name", "", "1 to 64"),
        ("name", "x" * 65, "1 to 64"),
        ("name", "a\nb", "1 to 64"),
        ("scopes", ["desk:7"], "kinds"),
        ("scopes", "symbol:A", "collection"),
        ("on_contact_lost", "hope", "'halt' or 'keep'"),
    ],
)
def test_a_bad_argument_is_named(argument: str, value: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{argument}.*{text}") as caught:
        OpsConsole(**{**GOOD, argument: value})
    assert "secret" not in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_a_token_may_be_missing_only_on_this_machine() -> None:
    with pytest.raises(ConfigurationError, match="token"):
        OpsConsole("https://console.example", name="AAPL")
    OpsConsole("http://127.0.0.1:1", name="AAPL").close(timeout=0)


def test_verify_must_be_certificates(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(ConfigurationError, match="verify"):
        OpsConsole("https://127.0.0.1:1", token="t", name="AAPL", verify=path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPSCLIENT_URL", ""),
        ("OPSCLIENT_URL", "nonsense"),
        ("OPSCLIENT_NAME", ""),
        ("OPSCLIENT_TOKEN", "two words"),
        ("OPSCLIENT_TOKEN_FILE", "/does/not/exist"),
        ("OPSCLIENT_SCOPES", "symbol:A, desk:7"),
        ("OPSCLIENT_ON_CONTACT_LOST", "hope"),
        ("OPSCLIENT_HALT_FILE", "/does/not/exist"),
        ("OPSCLIENT_CA_FILE", "/does/not/exist"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv("OPSCLIENT_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("OPSCLIENT_NAME", "AAPL")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        OpsConsole.from_env()


def test_everything_from_the_environment(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(f"{server.token}\n")
    monkeypatch.setenv("OPSCLIENT_URL", f" {server.url}/ ")
    monkeypatch.setenv("OPSCLIENT_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("OPSCLIENT_NAME", "AAPL")
    monkeypatch.setenv("OPSCLIENT_SCOPES", "symbol:AAPL, strategy:momentum")
    monkeypatch.setenv("OPSCLIENT_ON_CONTACT_LOST", "keep")
    with OpsConsole.from_env() as console:
        assert console.wait_until_live()
        assert console.on_contact_lost == "keep"
        assert server.streams[0].params["scope"] == ["strategy:momentum", "symbol:AAPL"]


def test_the_stream_says_who_it_is(server: ConsoleServer, console: OpsConsole) -> None:
    params = server.streams[0].params
    assert params["name"] == ["AAPL"]
    assert params["instance"] == [console.instance]
    assert len(console.instance) == 32
    assert set(params) == {"name", "instance", "host", "pid", "version"}
    assert server.streams[0].headers["Authorization"] == "Bearer sesame"
    assert "sesame" not in repr(params)


def test_repr_shows_no_token(connect: Callable[..., OpsConsole]) -> None:
    console = connect(token="swordfish-9")
    assert "swordfish" not in repr(console) + repr(vars(console)) + repr(console._endpoint)


def test_a_token_over_plain_http_to_another_machine_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "opsclient"):
        OpsConsole("http://192.0.2.1", token="swordfish-9", name="AAPL").close(timeout=0)
    assert "unencrypted" in caplog.text
    assert "swordfish" not in caplog.text


def test_tls_is_verified() -> None:
    console = OpsConsole("https://127.0.0.1:1", token="t", name="AAPL")
    tls = console._endpoint.tls
    console.close(timeout=0)
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


def test_after_close_nothing_is_allowed_and_nothing_runs(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    assert switch.is_trading_allowed()
    console.close()
    assert not switch.is_trading_allowed()
    assert console.contact == "closed"
    eventually(lambda: server.streams[0].ended)
    server.wait_report(lambda r: r["allowed"] is False)
    console.close()
