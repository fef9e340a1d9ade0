"""What looks like a secret is hidden in texts that leave the process, such as those of exceptions."""

import re

HIDDEN = "[secret]"

_PATTERNS = (
    # Tokens of Telegram's bots and Slack's; the secret part of chat services' webhook addresses; user and password in any URL.
    (re.compile(r"\b(?:bot)?\d{3,}:[\w-]{20,}"), HIDDEN),
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]{8,}"), HIDDEN),
    (re.compile(r"(/(?:services|workflows|triggers|webhooks?)/)[\w\-./]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), f"{HIDDEN}@"),
    # Keys of AI services and clouds, and whatever is called a key, a token or a password.
    (re.compile(r"\b(?:sk|pk|rk)-[\w-]{8,}|\bAKIA[A-Z0-9]{12,}"), HIDDEN),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w\-.~+/=]{6,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:api[_-]?key|token|secret|password|passwd|signature)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\[secret\])[^\s&\"',;]{3,}"
        ),
        rf"\1{HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
