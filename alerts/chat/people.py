"""Who presses a button or sends a message in a chat, and which person of the console that is."""

from dataclasses import dataclass

from alerts.choices import ChatKind
from alerts.models import ChatLink
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.storable import storable_text

NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class ChatPerson:
    """As the chat says: its own id of the person, which it vouches for, and a name that the person chose."""

    kind: ChatKind
    external_id: str
    name: str = ""

    @property
    def as_text(self) -> str:
        name = storable_text(self.name, length=NAME_LENGTH)
        called = f" ({name})" if name.isprintable() and name else ""
        return f"{self.kind.value} {storable_text(self.external_id, length=NAME_LENGTH)}{called}"


def user_of(person: ChatPerson) -> User | None:
    """The active person whose account in the chat it is."""
    link = (
        ChatLink.objects.select_related("user")
        .filter(
            kind=person.kind, external_id=person.external_id, user__is_active=True, user__is_service=False
        )
        .first()
    )
    return link.user if link else None


def actor_of_person(person: ChatPerson, user: User | None) -> Actor:
    """`dana via telegram`; or, of somebody who is not linked, `telegram 4711 (name there)`."""
    if user is None:
        return Actor(kind=ActorKind.CLIENT, name=person.as_text)
    return Actor(kind=ActorKind.USER, name=f"{user.display_name} via {person.kind.value}", user_id=user.pk)
