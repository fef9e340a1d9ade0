"""docs/channels.md: its way to verify a webhook does, and it names what there is."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from alerts.channels.values import KINDS
from alerts.channels.webhook import WebhookTransport
from tests.alerts.channels.messages import message
from tests.chat_servers import ChatServer

KEY = "a key that both sides know"
TEXT = (Path(settings.BASE_DIR) / "docs" / "channels.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    found = re.search(r"```python\n(.+?)```", TEXT, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    verify: Callable[..., bool] = names["is_genuine"]
    return verify


@pytest.fixture
def request_of(receiver: ChatServer) -> tuple[dict[str, str], bytes]:
    transport = WebhookTransport({}, {"url": receiver.url, "signing_key": KEY})
    transport.send(message(now=timezone.now()))
    got = receiver.last
    names = ("X-Opsconsole-Timestamp", "X-Opsconsole-Signature")
    return {name: got.headers[name.lower()] for name in names}, got.body


def test_a_forged_one_is_refused(
    is_genuine: Callable[..., bool], request_of: tuple[dict[str, str], bytes]
) -> None:
    headers, body = request_of
    assert not is_genuine(headers, body + b" ", KEY)
    assert not is_genuine(headers, body, "another key")
    assert not is_genuine(headers | {"X-Opsconsole-Timestamp": str(int(time.time()) + 1)}, body, KEY)


def test_an_old_one_is_refused(
    is_genuine: Callable[..., bool], request_of: tuple[dict[str, str], bytes]
) -> None:
    headers, body = request_of
    assert not is_genuine(headers, body, KEY, window=-1)


def test_a_real_one_is_taken(
    is_genuine: Callable[..., bool], request_of: tuple[dict[str, str], bytes]
) -> None:
    headers, body = request_of
    assert is_genuine(headers, body, KEY)


def test_names_every_kind_with_what_it_has() -> None:
    for kind, fields in KINDS.items():
        assert f"| `{kind}`" in TEXT
        for name in (*fields.settings, *fields.secrets):
            assert f"`{name}`" in TEXT, f"{kind}: {name}"
