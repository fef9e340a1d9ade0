"""What is told, before any channel has given it a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from alerts.choices import AlertState, DeliveryKind, Priority


@dataclass(frozen=True, slots=True)
class Button:
    """A press sends `token` back to us. `danger`: shown in red where the chat has colours."""

    label: str
    token: str = field(repr=False)
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Texts are as they came, not escaped or cut; times are aware.

    `facts`: names and values, the most telling first. `lines`: of a digest, one alert each. `data`: the same for programs (webhooks).
    `thread`: the same text for all messages of one incident. `reply_to`: `Receipt.external` of the incident's first message here.
    """

    kind: DeliveryKind
    priority: Priority
    title: str
    key: UUID
    now: datetime
    category: str = ""
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    state: AlertState = AlertState.FIRING
    count: int = 1
    first_at: datetime | None = None
    last_at: datetime | None = None
    due_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    # Who acknowledged it, and else whose it is.
    owner: str = ""
    acknowledged: bool = False
    # How many times it was escalated.
    escalation: int = 0
    alert_url: str = ""
    buttons: tuple[Button, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    thread: str = ""
    reply_to: Mapping[str, Any] | None = None
    attempt: int = 1
    maybe_duplicate: bool = False
