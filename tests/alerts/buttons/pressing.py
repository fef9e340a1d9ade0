"""People in chats, and what they press."""

from datetime import datetime, timedelta

from alerts.chat.buttons import buttons_for, digest
from alerts.chat.people import ChatPerson
from alerts.chat.presses import Answer, press
from alerts.choices import ChatKind
from alerts.models import Alert, Channel, ChatButton, ChatLink
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
STRANGER = ChatPerson(ChatKind.TELEGRAM, "666", "@mallory")


def linked(user: User, external_id: str = "42") -> ChatPerson:
    ChatLink.objects.create(
        user=user, kind="telegram", external_id=external_id, created_at=NOW, created_by="tests"
    )
    return ChatPerson(ChatKind.TELEGRAM, external_id, f"@{user.username}")


def tokens(alert: Alert, channel: Channel, *, now: datetime = NOW) -> dict[str, str]:
    """By act, the texts of new buttons."""
    made = [button.token for button in buttons_for(alert=alert, channel=channel, now=now)]
    return {ChatButton.objects.get(digest=digest(token)).act: token for token in made}


def pressed(person: ChatPerson, token: str, *, now: datetime = NOW, here: bool = True) -> Answer:
    return press(person=person, token=token, is_from=lambda channel: here, now=now)


def refusals() -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(action="alerts.button_refused").order_by("id")
    return [(event.actor_name, event.reason) for event in found]
