"""Which account in a chat is which person: by a supervisor, or by the person, with a code."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from alerts.chat.people import ChatPerson, actor_of_person
from alerts.choices import ChatKind
from alerts.models import ChatLink, LinkCode
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record

CODE_LASTS = timedelta(minutes=10)
# 60 bits, without letters that look like digits.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12
CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")
IDS = {
    ChatKind.TELEGRAM: (re.compile(r"[1-9][0-9]{0,19}"), "Telegram's number of the person"),
    ChatKind.SLACK: (re.compile(r"[UW][A-Z0-9]{1,30}"), "Slack's member id, such as U012AB3CD"),
}


@transaction.atomic
def link(
    *, actor: Actor, user_id: int, kind: str, external_id: str, reason: str, now: datetime | None = None
) -> ChatLink:
    """Make presses of this chat account count as this person's. ValueError names `kind`, `external_id` or `user`."""
    moment = now or timezone.now()
    chat = check_link(kind, external_id)
    user = User.objects.filter(pk=user_id, is_active=True, is_service=False).first()
    if user is None:
        raise ValueError("user: must be an active person, not a service account")
    taken = ChatLink.objects.select_for_update(of=("self",)).select_related("user")
    present = taken.filter(kind=chat, external_id=external_id).first()
    if present is not None:
        if present.user_id == user.pk:
            return present
        raise ValueError(f"external_id: is linked to {present.user.display_name} already")
    return _link(actor, user, ChatPerson(chat, external_id), reason=reason, now=moment)


@transaction.atomic
def unlink(*, actor: Actor, link_id: int, reason: str, now: datetime | None = None) -> bool:
    """Returns whether there was such a link."""
    present = (
        ChatLink.objects.select_for_update(of=("self",)).select_related("user").filter(pk=link_id).first()
    )
    if present is None:
        return False
    _unlink(actor, present, reason=reason, now=now or timezone.now())
    return True


@transaction.atomic
def make_code(*, actor: Actor, user: User, now: datetime | None = None) -> str:
    """A new code for the person's own use, in place of an older one. Nobody can read it again later."""
    moment = now or timezone.now()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    values = {"digest": _digest(code), "expires_at": moment + CODE_LASTS}
    LinkCode.objects.update_or_create(user=user, defaults=values)
    record(actor=actor, action="alerts.link_code_made", obj=user, reason="", now=moment)
    return code


@transaction.atomic
def redeem(*, person: ChatPerson, code: str, now: datetime | None = None) -> User | None:
    """Link the chat account that sent this code to the code's person; None when the code is not (or no more) valid.

    Whoever has both holds both accounts, so an older link of the chat account gives way.
    """
    moment = now or timezone.now()
    text = code.strip().upper()
    if not CODE.fullmatch(text):
        return None
    found = LinkCode.objects.select_for_update(of=("self",)).select_related("user")
    row = found.filter(digest=_digest(text), expires_at__gt=moment).first()
    if row is None or not row.user.is_active or row.user.is_service:
        return None
    row.delete()
    actor = actor_of_person(person, row.user)
    links = ChatLink.objects.select_for_update(of=("self",)).select_related("user")
    present = links.filter(kind=person.kind, external_id=person.external_id).first()
    if present is not None and present.user_id != row.user_id:
        _unlink(actor, present, reason="Linked to another person by a code", now=moment)
        present = None
    if present is None:
        _link(actor, row.user, person, reason="By a code sent in the chat", now=moment)
    return row.user


def check_link(kind: str, external_id: str) -> ChatKind:
    """ValueError names `kind` or `external_id`, and says what is allowed."""
    if kind not in ChatKind.values:
        raise ValueError(f"kind: must be one of {', '.join(ChatKind.values)}")
    pattern, what = IDS[ChatKind(kind)]
    if not pattern.fullmatch(external_id):
        raise ValueError(f"external_id: must be {what}")
    return ChatKind(kind)


def _link(actor: Actor, user: User, person: ChatPerson, *, reason: str, now: datetime) -> ChatLink:
    made = ChatLink.objects.create(
        user=user,
        kind=person.kind,
        external_id=person.external_id,
        created_at=now,
        created_by=actor.name[:150],
    )
    record(
        actor=actor,
        action="alerts.chat_linked",
        obj=made,
        reason=reason,
        after={"user": user.display_name, "kind": made.kind, "external_id": made.external_id},
        metadata={"chat": person.as_text},
        now=now,
    )
    return made


def _unlink(actor: Actor, present: ChatLink, *, reason: str, now: datetime) -> None:
    before = {
        "user": present.user.display_name,
        "kind": present.kind,
        "external_id": present.external_id,
    }
    record(actor=actor, action="alerts.chat_unlinked", obj=present, reason=reason, before=before, now=now)
    present.delete()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
