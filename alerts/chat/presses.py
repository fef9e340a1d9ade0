"""A press of a button: who it was, whether they may, and then the same act as on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from alerts.channels.message import Button
from alerts.chat.buttons import CONFIRM_WITHIN_S, EXPIRED, digest, make_buttons
from alerts.chat.people import ChatPerson, actor_of_person, user_of
from alerts.choices import ChatAct
from alerts.halts import GLOBAL
from alerts.labels import seen_labels
from alerts.matching import Matcher
from alerts.models import Alert, Channel, ChatButton
from alerts.services import owning, silencing
from alerts.services.tally import count_act
from alerts.verbs import TradingStop, trading_stop
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record

SILENCE_FOR = timedelta(hours=1)
TOKEN_LENGTH = 64
HOW_TO_LINK = "Sign in to the console, open your account there, and link this chat."
UNKNOWN = "This button is not known here any more. Nothing was done."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person is told.

    `buttons`: asks for a second press. `done`: something was done, or had been already. `closes`: the message with the button has
    served, and gives way to this answer.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    done: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class _Press:
    button: ChatButton
    person: ChatPerson
    user: User
    now: datetime

    @property
    def actor(self) -> Actor:
        return actor_of_person(self.person, self.user)

    @property
    def note(self) -> str:
        return f"Button in {self.button.channel.name}"


def press(
    *, person: ChatPerson, token: str, is_from: Callable[[Channel], bool], now: datetime | None = None
) -> Answer:
    """Do what the button with this token is for. Outside of a transaction; returns after the commit.

    `is_from`: whether the press really came out of the button's channel. Whoever may not is told so, and the audit trail has it.
    """
    moment = now or timezone.now()
    button = _find(token)
    if button is None:
        return Answer(UNKNOWN)
    user = user_of(person)
    refusal = _refusal(button, person, user, is_from)
    if refusal or user is None:
        _record_refusal(button, person, user, why=refusal, now=moment)
        return Answer(f"Nothing was done. {refusal}")
    found = _Press(button=button, person=person, user=user, now=moment)
    answer = _spent(button, moment) or _ACTS[ChatAct(button.act)](found)
    return replace(answer, closes=button.user_id is not None)


def _find(token: str) -> ChatButton | None:
    if not 0 < len(token) <= TOKEN_LENGTH:
        return None
    return ChatButton.objects.select_related("alert", "channel").filter(digest=digest(token)).first()


def _refusal(
    button: ChatButton, person: ChatPerson, user: User | None, is_from: Callable[[Channel], bool]
) -> str:
    """Why this person may not press this button here; empty when they may."""
    if not is_from(button.channel):
        return "This button belongs to another chat."
    if user is None:
        return f"Your {person.kind.label} account is not linked to a person of the console. {HOW_TO_LINK}"
    needed = _NEEDS.get(ChatAct(button.act))
    stop = trading_stop()
    permission = needed[0] if needed else stop.permission if stop else ""
    if not permission or not user.has_perm(permission):
        return f"{needed[1] if needed else 'Stopping trading'} needs the role operator, which {user.display_name} does not have."
    if button.user_id not in (None, user.pk):
        return "Somebody else was asked to confirm that. Press Stop trading yourself."
    return ""


def _record_refusal(
    button: ChatButton, person: ChatPerson, user: User | None, *, why: str, now: datetime
) -> None:
    with transaction.atomic():
        record(
            actor=actor_of_person(person, user),
            action="alerts.button_refused",
            obj=button.alert,
            reason=why,
            metadata={"act": button.act, "channel": button.channel.name, "chat": person.as_text},
            now=now,
        )


def _spent(button: ChatButton, now: datetime) -> Answer | None:
    if button.used_at is not None:
        return Answer(f"That was done already, by {button.used_by}.", done=True)
    if button.expires_at <= now:
        return Answer(f"This button has expired: {EXPIRED[ChatAct(button.act)]}. Nothing was done.")
    return None


def _acknowledge(found: _Press) -> Answer:
    def act(alert: Alert) -> Answer:
        if alert.acknowledged_at is not None:
            return Answer(f"It was acknowledged already, by {alert.acknowledged_by}.", done=True)
        owning.acknowledge(actor=found.actor, alert_id=alert.pk, note=found.note, now=found.now)
        return Answer("Acknowledged. It is yours.", done=True)

    return _once(found, act)


def _silence(found: _Press) -> Answer:
    def act(alert: Alert) -> Answer:
        labels = seen_labels(category=alert.category, title=alert.title, labels=alert.labels)
        try:
            silencing.create(
                actor=found.actor,
                matchers=_exactly(labels),
                starts_at=found.now,
                ends_at=found.now + SILENCE_FOR,
                comment=found.note,
                now=found.now,
            )
        except ValueError as error:
            return Answer(f"It cannot be silenced from here. {error}")
        count_act(alert=alert, now=found.now)
        return Answer("Silenced for an hour. This alert only; others come as before.", done=True)

    return _once(found, act)


def _exactly(labels: Mapping[str, str]) -> list[Matcher]:
    return [Matcher(name, value, is_regex=False, is_equal=True) for name, value in sorted(labels.items())]


@transaction.atomic
def _once(found: _Press, act: Callable[[Alert], Answer]) -> Answer:
    """Carry out `act`, and spend the button in the same transaction."""
    row = ChatButton.objects.select_for_update().filter(pk=found.button.pk).first()
    if row is None:
        return Answer(UNKNOWN)
    spent = _spent(row, found.now)
    if spent is not None:
        return spent
    try:
        alert = owning.locked_alert(row.alert_id)
    except owning.NotFiring as error:
        return Answer(str(error), done=True)
    answer = act(alert)
    if answer.done:
        _spend(found)
    return answer


def _ask_for_stop(found: _Press) -> Answer:
    """The first of two presses. The button works on, so that somebody who hesitated can press it again."""
    scope = _stop_verb().scope_of(found.button.alert.labels)
    labels: dict[ChatAct, str] = {}
    if scope != GLOBAL:
        labels[ChatAct.STOP_SCOPE] = f"Stop {scope} now"
    labels[ChatAct.STOP_ALL] = "Stop everything now"
    button = found.button
    buttons = make_buttons(labels, alert=button.alert, channel=button.channel, user=found.user, now=found.now)
    what = "all trading" if scope == GLOBAL else f"trading: {scope}, or everything"
    return Answer(
        f"{found.user.display_name}: stop {what}? Press within {CONFIRM_WITHIN_S} s. "
        "Only a supervisor can let it go on, in the console.",
        buttons=tuple(buttons),
    )


def _stop(found: _Press) -> Answer:
    """Stop, then spend the button: a process that dies in between leaves a stop, and a repeat of the press changes nothing."""
    verb, button = _stop_verb(), found.button
    scope = GLOBAL if button.act == ChatAct.STOP_ALL else verb.scope_of(button.alert.labels)
    stopped = verb.stop(
        actor=found.actor,
        scope=scope,
        message=f"{found.note}, below the alert {button.alert.title}",
        key=button.digest,
    )
    _spend(found)
    what = "Everything" if stopped.scope == GLOBAL else stopped.scope
    if not stopped.changed:
        return Answer(f"{what} was stopped already, by {stopped.by}.", done=True)
    return Answer(f"{what} is being stopped. The console shows the proof, process by process.", done=True)


def _spend(found: _Press) -> None:
    ChatButton.objects.filter(pk=found.button.pk, used_at=None).update(
        used_at=found.now, used_by=found.user.display_name[:150]
    )


def _stop_verb() -> TradingStop:
    verb = trading_stop()
    if verb is None:
        raise RuntimeError("no way to stop trading is registered")
    return verb


_ACTS: Mapping[ChatAct, Callable[[_Press], Answer]] = {
    ChatAct.ACKNOWLEDGE: _acknowledge,
    ChatAct.SILENCE: _silence,
    ChatAct.STOP: _ask_for_stop,
    ChatAct.STOP_SCOPE: _stop,
    ChatAct.STOP_ALL: _stop,
}
# What each act but the stops needs, and how it is called.
_NEEDS: Mapping[ChatAct, tuple[str, str]] = {
    ChatAct.ACKNOWLEDGE: ("alerts.acknowledge", "Acknowledging"),
    ChatAct.SILENCE: ("alerts.silence", "Silencing"),
}
