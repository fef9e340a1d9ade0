"""Apprise, with its service for ntfy against a server on loopback."""

import pytest

from alerts.channels.apprise import AppriseTransport
from alerts.channels.base import SendFailed
from tests.alerts.channels.messages import message, resolved
from tests.chat_servers import Answer, ChatServer, Hang

SECRET = "s3cr3t-topic-of-the-desk"


def ntfy(server: ChatServer) -> AppriseTransport:
    return AppriseTransport({}, {"url": f"{server.url.replace('http', 'ntfy')}/{SECRET}"})


def failure_of(transport: AppriseTransport) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        transport.send(message())
    return caught.value


def test_a_url_that_apprise_does_not_know_has_failed_for_good() -> None:
    failure = failure_of(AppriseTransport({}, {"url": f"nothing://{SECRET}"}))
    assert failure.permanent
    assert SECRET not in failure.text


def test_a_refusal_is_tried_again_with_apprises_reason(receiver: ChatServer) -> None:
    receiver.script(Answer(403, "no"))
    failure = failure_of(ntfy(receiver))
    assert (failure.permanent, failure.maybe_delivered) == (False, False)
    assert "403" in failure.text
    assert SECRET not in failure.text


def test_a_redirect_is_not_followed(receiver: ChatServer) -> None:
    receiver.script(Answer(307, "", {"Location": f"{receiver.url}/elsewhere"}))
    failure_of(ntfy(receiver))
    assert len(receiver.received) == 1


def test_one_that_hangs_is_left_behind(receiver: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.channels.apprise.SEND_LIMIT", 0.3)
    receiver.script(Hang())
    failure = failure_of(ntfy(receiver))
    assert failure.maybe_delivered
    assert failure.text == "Apprise: no answer in time; it may have arrived"


def test_sends_title_and_text(receiver: ChatServer) -> None:
    ntfy(receiver).send(message())
    sent = receiver.last.fields
    assert (sent["topic"], sent["title"]) == (SECRET, "🛑 CRITICAL · Drawdown above 5%")
    assert sent["message"].startswith("Raised 14:13 UTC · RISK_WARNING\n\nPortfolio drawdown")


def test_keeps_to_the_services_own_limit(receiver: ChatServer) -> None:
    ntfy(receiver).send(resolved(text="x" * 50_000))
    assert len(receiver.received) == 1
    assert receiver.last.fields["message"].endswith("drawdown: −5.2%")
