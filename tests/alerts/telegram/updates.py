"""Updates as Telegram sends them, and who is linked."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from alerts.chat.buttons import buttons_for
from alerts.models import Alert, Channel, ChatLink
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW

CHAT, SECRET = -100200, "webhook-secret-of-ops"
SECOND = timedelta(seconds=1)


def link(user: User) -> None:
    ChatLink.objects.create(user=user, kind="telegram", external_id="42", created_at=NOW, created_by="tests")


def token_of(alert: Alert, channel: Channel, label: str = "Acknowledge") -> str:
    # By the real clock, which the web process looks at.
    made = buttons_for(alert=alert, channel=channel, now=timezone.now())
    return next(button.token for button in made if button.label == label)


def press_update(data: str, *, number: int = 1, chat: Any = CHAT, sender: int = 42) -> dict[str, Any]:
    message = {"message_id": 88, "chat": {"id": chat, "type": "supergroup", "username": "Desk"}}
    query = {
        "id": f"q{number}",
        "from": {"id": sender, "username": "alice"},
        "message": message,
        "data": data,
    }
    return {"update_id": number, "callback_query": query}


def acknowledged(alert: Alert) -> bool:
    alert.refresh_from_db()
    return alert.acknowledged_at is not None
