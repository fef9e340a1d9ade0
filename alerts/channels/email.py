"""E-mail, through Django's mail backend."""

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parseaddr
from socket import socket
from typing import Any

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives, get_connection

from alerts.channels.base import SEND_LIMIT, Pace, Receipt, SendFailed
from alerts.channels.email_html import html
from alerts.channels.http import time_limit
from alerts.channels.message import Message
from alerts.channels.story import fit, plain, summary, tell
from alerts.channels.text import cut
from alerts.choices import AlertState, ChannelKind, Priority
from alerts.redaction import redact

LONGEST_SUBJECT = 200
LONGEST_TEXT = 100_000
NO_SERVER = "no mail server is configured: set EMAIL_URL (docs/channels.md)"
URGENT = {"X-Priority": "1", "Importance": "high"}
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


class EmailTransport:
    """Settings: `to` (a list), `from`. The server is the console's own (EMAIL_URL)."""

    kind = ChannelKind.EMAIL.value
    can_edit = False
    pace = Pace()

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._to: list[str] = settings["to"]
        self._from: str = settings.get("from") or django_settings.DEFAULT_FROM_EMAIL

    def send(self, message: Message) -> Receipt:
        if django_settings.EMAIL_BACKEND == SMTP_BACKEND and not django_settings.EMAIL_HOST:
            raise SendFailed(NO_SERVER, permanent=True)
        mail = self._mail(message)
        backend = get_connection()
        opened = False
        with time_limit(SEND_LIMIT, lambda: _socket_of(backend)):
            try:
                backend.open()
                opened = True
                backend.send_messages([mail])
            except (OSError, smtplib.SMTPException) as error:
                raise _failure(error, opened=opened) from None
            finally:
                # It has been taken, or has failed already: how it says goodbye does not matter.
                with suppress(OSError, smtplib.SMTPException):
                    backend.close()
        return Receipt({"message_id": mail.extra_headers["Message-ID"]})

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        raise SendFailed("a mail cannot be changed once it is sent", permanent=True)

    def _mail(self, message: Message) -> EmailMultiAlternatives:
        story = fit(tell(message), LONGEST_TEXT)
        mail = EmailMultiAlternatives(
            subject=cut(summary(message), LONGEST_SUBJECT),
            body=plain(story),
            from_email=self._from,
            to=self._to,
            headers=self._headers(message),
        )
        mail.attach_alternative(html(story), "text/html")
        return mail

    def _headers(self, message: Message) -> dict[str, str]:
        """The same Message-ID for every try, so that mailboxes can tell a duplicate; one thread for each incident."""
        domain = parseaddr(self._from)[1].rpartition("@")[2] or "localhost"
        headers = {"Message-ID": f"<{message.key}@{domain}>", "Auto-Submitted": "auto-generated"}
        first = str((message.reply_to or {}).get("message_id", ""))
        if first:
            headers["In-Reply-To"] = first
        if message.thread:
            headers["References"] = f"<{message.thread}@{domain}> {first}".strip()
        if message.priority == Priority.CRITICAL and message.state == AlertState.FIRING:
            headers |= URGENT
        return headers


def _failure(error: Exception, *, opened: bool) -> SendFailed:
    """`opened`: the connection was made and signed in to, so that the mail itself may have been taken."""
    code, permanent, said = None, False, type(error).__name__
    match error:
        case smtplib.SMTPRecipientsRefused():
            answers = list(error.recipients.values())
            code = min(answer[0] for answer in answers)
            permanent, said = code >= 500, f"no recipient was accepted: {_text(answers[0][1])}"
        case smtplib.SMTPResponseException():
            code, said = error.smtp_code, _text(error.smtp_error)
            permanent = code >= 500
        case smtplib.SMTPNotSupportedError():
            permanent, said = True, str(error)
        case ssl.SSLCertVerificationError():
            said = f"its certificate is not valid ({error.verify_message})"
        case TimeoutError():
            said = "no answer in time"
        case OSError() if error.strerror:
            said = error.strerror.lower()
    secrets = (django_settings.EMAIL_HOST_PASSWORD,)
    return SendFailed(
        redact(f"mail server: {f'{code} ' if code else ''}{said}", secrets),
        permanent=permanent,
        status=code,
        maybe_delivered=opened and code is None and not permanent,
    )


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]


def _socket_of(backend: object) -> socket | None:
    """Of Django's SMTP backend, once it is connected."""
    held = vars(backend)
    connection = held.get("connection") or held.get("_partial_connection")
    sock = getattr(connection, "sock", None)
    return sock if isinstance(sock, socket) else None
