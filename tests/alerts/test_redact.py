"""What leaves the process has no secrets."""

import logging

import pytest

from alerts.redaction import HIDDEN, RedactingFormatter, redact

TOKEN = "123456789:AAFake-token_for_tests_0123456789"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"POST https://api.telegram.org/bot{TOKEN}/sendMessage", f"POST https://api.telegram.org/{HIDDEN}/sendMessage"),
        (f"token {TOKEN}.", f"token {HIDDEN}."),
        ("Bearer xoxb-1234-5678-abcdef", f"Bearer {HIDDEN}"),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX x", f"https://hooks.slack.com/services/{HIDDEN} x"),
        ("https://discord.com/api/webhooks/123456789/abcdef-ghi", f"https://discord.com/api/webhooks/{HIDDEN}"),
        ("smtp://desk:pass word@mail", "smtp://desk:pass word@mail"),
        ("postgresql://desk:hunter2@db/x", f"postgresql://{HIDDEN}@db/x"),
        ("401 for sk-ant-api03-abcdef", f"401 for {HIDDEN}"),
        ("Authorization: Bearer abc.def.123456", f"Authorization: Bearer {HIDDEN}"),
        ("GET /v8/chart?apikey=a1b2c3&range=1d", f"GET /v8/chart?apikey={HIDDEN}&range=1d"),
        ('{"client_secret": "a1b2c3", "id": 7}', f'{{"client_secret": "{HIDDEN}", "id": 7}}'),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "GET /monitoring/alerts?limit=50 at 14:32:10",
        "alert 4711: drawdown of IBM",
        "dana@example.com",
        "the bearer is unknown",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_known_secrets_are_hidden_in_whatever_they_stand() -> None:
    assert redact("topic s3cr3t at s3cr3t/s3", ["s3cr3t", "s3"]) == f"topic {HIDDEN} at {HIDDEN}/s3"


def test_tracebacks_in_the_log_are_clean_too(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError(f"cannot open /bot{TOKEN}/x")
    except RuntimeError:
        logging.getLogger("tests").exception("failed with %s", TOKEN)
    written = RedactingFormatter("%(message)s").format(caplog.records[-1])
    assert TOKEN not in written
    assert written.count(HIDDEN) == 2


def test_the_log_of_the_console_is_formatted_so(settings: object) -> None:
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    assert any(isinstance(formatter, RedactingFormatter) for formatter in formatters)
