"""The signed webhook."""

import hashlib
import hmac
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from alerts.channels.base import SendFailed
from alerts.channels.webhook import WebhookTransport
from alerts.redaction import HIDDEN
from tests.alerts.channels.messages import KEY, NOW, message
from tests.chat_servers import Answer, ChatServer, CutOff, Drip

KEY_TEXT = "a key that both sides know"


def webhook(url: str, **secrets: str) -> WebhookTransport:
    return WebhookTransport({}, {"url": url, "signing_key": KEY_TEXT, **secrets})


def failure_of(transport: WebhookTransport) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        transport.send(message())
    return caught.value


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_for_good(receiver: ChatServer, status: int) -> None:
    receiver.script(Answer(status, "no such hook"))
    failure = failure_of(webhook(receiver.url))
    assert (failure.permanent, failure.status, failure.maybe_delivered) == (True, status, False)
    assert failure.text == f"HTTP {status}: no such hook"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_what_may_pass_is_tried_again(receiver: ChatServer, status: int) -> None:
    receiver.script(Answer(status, "later", {"Retry-After": "7"}))
    failure = failure_of(webhook(receiver.url))
    assert (failure.permanent, failure.retry_after, failure.maybe_delivered) == (False, 7.0, False)


def test_a_proxy_that_gave_up_leaves_it_open(receiver: ChatServer) -> None:
    receiver.script(Answer(504, "gateway timeout"))
    assert failure_of(webhook(receiver.url)).maybe_delivered


def test_a_cut_after_the_request_leaves_it_open(receiver: ChatServer) -> None:
    receiver.script(CutOff())
    failure = failure_of(webhook(receiver.url))
    assert (failure.permanent, failure.maybe_delivered) == (False, True)


def test_nobody_listening_is_certain(receiver: ChatServer) -> None:
    with ChatServer().running():
        pass
    failure = failure_of(webhook("http://127.0.0.1:9"))
    assert (failure.permanent, failure.maybe_delivered) == (False, False)
    assert failure.text == "127.0.0.1: no connection (connection refused)"


def test_an_answer_that_never_ends_is_cut_off(receiver: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.channels.webhook.SEND_LIMIT", 0.3)
    receiver.script(Drip())
    failure = failure_of(webhook(receiver.url))
    assert failure.maybe_delivered
    assert failure.text == "127.0.0.1: no whole answer in time; it may have arrived"


def test_a_redirect_is_not_followed(receiver: ChatServer) -> None:
    receiver.script(Answer(307, "", {"Location": f"{receiver.url}/elsewhere"}))
    failure = failure_of(webhook(receiver.url))
    assert failure.permanent
    assert "redirect" in failure.text
    assert len(receiver.received) == 1


def test_secrets_stay_out_of_errors(receiver: ChatServer) -> None:
    url = f"{receiver.url}/hooks/s3cr3t-path"
    receiver.script(Answer(403, f"{url} may not use {KEY_TEXT} nor Bearer topsecret"))
    failure = failure_of(webhook(url, authorization="Bearer topsecret"))
    assert failure.text == f"HTTP 403: {HIDDEN} may not use {HIDDEN} nor {HIDDEN}"
    assert "s3cr3t" not in repr(failure)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0"]
)
def test_metadata_and_link_local_addresses_get_nothing(host: str) -> None:
    failure = failure_of(webhook(f"http://{host}:9/latest/meta-data"))
    assert failure.permanent
    assert "link-local or metadata" in failure.text


def test_only_the_networks_of_the_settings_get_anything(receiver: ChatServer, settings: Settings) -> None:
    settings.ALERTS_WEBHOOK_NETWORKS = [ip_network("10.0.0.0/8")]
    assert "OPSCONSOLE_WEBHOOK_NETWORKS" in failure_of(webhook(receiver.url)).text
    assert receiver.received == []
    settings.ALERTS_WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    webhook(receiver.url).send(message())
    assert len(receiver.received) == 1


def test_a_proxy_of_the_environment_is_not_used(
    receiver: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    webhook(receiver.url).send(message())
    assert len(receiver.received) == 1


def test_sends_signed_json(receiver: ChatServer) -> None:
    data = {"alert": {"id": 12, "labels": {"symbol": "IBM"}}}
    webhook(f"{receiver.url}/hook?desk=1", authorization="Bearer x1234").send(
        message(attempt=3, maybe_duplicate=True, data=data, alert_url="https://ops.example/alerts/12")
    )
    got = receiver.last
    signed = hmac.new(
        KEY_TEXT.encode(), f"{int(NOW.timestamp())}.".encode() + got.body, hashlib.sha256
    ).hexdigest()
    assert got.path == "/hook?desk=1"
    assert got.headers["x-opsconsole-timestamp"] == str(int(NOW.timestamp()))
    assert got.headers["x-opsconsole-signature"] == f"v1={signed}"
    assert got.headers["idempotency-key"] == str(KEY)
    assert got.headers["x-opsconsole-attempt"] == "3"
    assert got.headers["x-opsconsole-maybe-duplicate"] == "true"
    assert got.headers["authorization"] == "Bearer x1234"
    # So that a console on this host does not take it for a person who sits there.
    assert got.headers["via"] == "1.1 opsconsole"
    assert got.fields == {
        "version": 1,
        "key": str(KEY),
        "kind": "firing",
        "sent_at": "2026-11-23T14:31:20Z",
        "attempt": 3,
        "maybe_duplicate": True,
        "priority": "CRITICAL",
        "category": "RISK_WARNING",
        "title": "Drawdown above 5%",
        "url": "https://ops.example/alerts/12",
        "alert": {"id": 12, "labels": {"symbol": "IBM"}},
    }


def test_an_edit_is_refused(receiver: ChatServer) -> None:
    with pytest.raises(SendFailed) as caught:
        webhook(receiver.url).edit(message(), {})
    assert caught.value.permanent
    assert receiver.received == []
