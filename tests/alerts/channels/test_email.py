"""E-mail."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Mail

import pytest
from pytest_django import Settings

from alerts.channels.base import SendFailed
from alerts.channels.email import EmailTransport
from alerts.redaction import HIDDEN
from tests.alerts.channels.messages import KEY, NASTY, message, resolved
from tests.mail_server import CUT, MailServer


def mailbox(*to: str) -> EmailTransport:
    return EmailTransport({"to": list(to or ("desk@example.com",)), "from": "Ops <ops@example.com>"}, {})


def failure_of(transport: EmailTransport) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        transport.send(message())
    return caught.value


def sent(mail: MailServer) -> Mail:
    return message_from_bytes(mail.mails[-1])


def parts(mail: Mail) -> dict[str, str]:
    return {
        part.get_content_type(): part.get_payload(decode=True).decode()  # type: ignore[union-attr]  # no part is a list
        for part in mail.walk()
        if not part.is_multipart()
    }


def test_without_a_server_it_has_failed_for_good(mail: MailServer, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    failure = failure_of(mailbox())
    assert failure.permanent
    assert "EMAIL_URL" in failure.text


def test_a_server_that_is_away_is_tried_again(mail: MailServer, settings: Settings) -> None:
    settings.EMAIL_PORT = 9
    failure = failure_of(mailbox())
    assert (failure.permanent, failure.maybe_delivered) == (False, False)
    assert failure.text == "mail server: connection refused"


def test_recipients_that_do_not_exist_have_failed_for_good(mail: MailServer) -> None:
    mail.refused.add("nobody@example.com")
    failure = failure_of(mailbox("nobody@example.com"))
    assert (failure.permanent, failure.status) == (True, 550)
    assert failure.text == "mail server: 550 no recipient was accepted: no such mailbox"


@pytest.mark.parametrize(("reply", "permanent"), [("451 later", False), ("554 spam", True)])
def test_the_servers_code_says_whether_to_try_again(mail: MailServer, reply: str, permanent: bool) -> None:
    mail.replies["TAKEN"] = reply
    failure = failure_of(mailbox())
    assert (failure.permanent, failure.maybe_delivered) == (permanent, False)


def test_a_cut_after_the_mail_leaves_it_open(mail: MailServer) -> None:
    mail.replies["TAKEN"] = CUT
    failure = failure_of(mailbox())
    assert (failure.permanent, failure.maybe_delivered) == (False, True)


def test_a_cut_at_the_goodbye_is_no_failure(mail: MailServer) -> None:
    mail.replies["QUIT"] = CUT
    mailbox().send(message())
    assert len(mail.mails) == 1


def test_the_password_stays_out_of_errors(mail: MailServer, settings: Settings) -> None:
    settings.EMAIL_HOST_PASSWORD = "hunter2hunter2"
    mail.replies["TAKEN"] = "554 hunter2hunter2 is wrong"
    assert failure_of(mailbox()).text == f"mail server: 554 {HIDDEN} is wrong"


def test_sends_plain_text_and_html(mail: MailServer) -> None:
    receipt = mailbox("desk@example.com", "night@example.com").send(
        message(text="a < b & c", alert_url="https://ops.example/alerts/12")
    )
    got = sent(mail)
    found = parts(got)
    assert str(make_header(decode_header(got["Subject"]))) == "🛑 CRITICAL · Drawdown above 5%"
    assert (got["To"], got["From"]) == ("desk@example.com, night@example.com", "Ops <ops@example.com>")
    assert receipt.external == {"message_id": f"<{KEY}@example.com>"}
    assert got["Message-ID"] == f"<{KEY}@example.com>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Importance"] == "high"
    assert "a < b & c" in found["text/plain"]
    assert "a &lt; b &amp; c" in found["text/html"]
    assert '<a href="https://ops.example/alerts/12">' in found["text/html"]


def test_all_mails_of_an_incident_are_one_thread(mail: MailServer) -> None:
    first = mailbox().send(message())
    mailbox().send(resolved(reply_to=first.external))
    got = sent(mail)
    assert got["In-Reply-To"] == first.external["message_id"]
    assert " ".join(got["References"].split()) == f"<alert-12@example.com> {first.external['message_id']}"
    assert got["Importance"] is None


def test_no_title_can_add_a_header(mail: MailServer) -> None:
    mailbox().send(
        message(title=f"x\r\nBcc: thief@example.com\r\n\r\n<script>{NASTY}", text=f"<script>{NASTY}")
    )
    got = sent(mail)
    assert got["Bcc"] is None
    assert "<script>" not in parts(got)["text/html"]
    assert mail.mails[-1].count(b"Subject:") == 1


def test_an_edit_is_refused(mail: MailServer) -> None:
    with pytest.raises(SendFailed):
        mailbox().edit(message(), {})
    assert mail.mails == []
