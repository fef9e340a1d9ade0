"""Secrets never reach logs, errors and pages: what looks like one, and what is known to be one, becomes `[secret]`."""

import logging
import re
from collections.abc import Iterable

HIDDEN = "[secret]"

# Tokens of Telegram's bots and Slack's; the secret part of chat services' webhook addresses; user and password in any URL.
_PATTERNS = (
    (re.compile(r"\b(bot)?\d{3,}:[\w-]{20,}"), HIDDEN),
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]{8,}"), HIDDEN),
    (re.compile(r"(/(?:services|workflows|triggers|webhooks?)/)[\w\-./]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), f"{HIDDEN}@"),
    # Keys of AI services and clouds, and whatever is called a key, a token or a password.
    (re.compile(r"\b(?:sk|pk|rk)-[\w-]{8,}|\bAKIA[A-Z0-9]{12,}"), HIDDEN),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)(?=[a-z\-.~+/=]*[\d_])[\w\-.~+/=]{8,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)([\w-]*(?:api[_-]?key|token|secret|password|passwd|signature)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\[secret\])[^\s&\"',;]{3,}"
        ),
        rf"\1{HIDDEN}",
    ),
)
# A shorter one would blank out half of a text, and is no secret to speak of.
_SHORTEST = 4


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets (in any of their lines) and without what looks like one."""
    known = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """The log's formatter: what leaves the process has no secrets, whoever logged it, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
