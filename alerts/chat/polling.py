"""Reading a Telegram bot's updates: by one process at a time, from where the last one ended."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q
from django.utils import timezone

from alerts.channels.base import SendFailed
from alerts.chat.bot import LIMIT_S, Bot
from alerts.chat.sealed import secret_of
from alerts.chat.telegram import handle
from alerts.choices import ChannelKind
from alerts.models import BotPoll, Channel

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
# Others keep away for so long from a bot whose reader has died; a reader ends well before.
CLAIM = timedelta(seconds=60)
READING_S = 30.0
# After a failure: one second, doubled each time, up to this.
SLOWEST = timedelta(minutes=1)


def poll_bots(*, now: datetime | None = None) -> int:
    """Read and carry out what was pressed and sent since the last time. Returns how many updates there were."""
    return sum(poll_bot(bot, channels, now=now) for bot, channels in bots_of(updates="poll").values())


def bots_of(*, updates: str) -> dict[str, tuple[Bot, list[Channel]]]:
    """The bots whose updates come in this way (`poll` or `webhook`), by id, each with the enabled channels that it serves."""
    found: dict[str, tuple[Bot, list[Channel]]] = {}
    for channel in Channel.objects.filter(kind=ChannelKind.TELEGRAM, enabled=True).order_by("pk"):
        if channel.settings.get("updates", "poll") != updates:
            continue
        bot = bot_of(channel)
        if bot is not None:
            found.setdefault(bot.id, (bot, []))[1].append(channel)
    return found


def bot_of(channel: Channel) -> Bot | None:
    token = secret_of(channel, "token")
    return Bot(token) if token else None


def poll_bot(bot: Bot, channels: Sequence[Channel], *, now: datetime | None = None) -> int:
    """One look at one bot's updates; 0 when another process is at it, or it is too early after a failure."""
    moment = now or timezone.now()
    claim = uuid4()
    BotPoll.objects.get_or_create(bot=bot.id)
    free = Q(claimed_until=None) | Q(claimed_until__lte=moment)
    due = Q(next_at=None) | Q(next_at__lte=moment)
    taken = BotPoll.objects.filter(free, due, bot=bot.id).update(claim=claim, claimed_until=moment + CLAIM)
    if not taken:
        return 0
    try:
        count = _read(bot, channels, claim=claim, now=now)
    except SendFailed as error:
        _note_failure(claim, error, now=moment)
        return 0
    except AWAY:
        with suppress(*AWAY):
            BotPoll.objects.filter(claim=claim).update(claim=None, claimed_until=None)
        raise
    BotPoll.objects.filter(claim=claim).update(
        claim=None,
        claimed_until=None,
        next_at=None,
        last_success_at=moment,
        failures_in_a_row=0,
        last_error="",
    )
    return count


def _read(bot: Bot, channels: Sequence[Channel], *, claim: UUID, now: datetime | None) -> int:
    ends, count = monotonic() + READING_S - LIMIT_S, 0
    offset = BotPoll.objects.values_list("offset", flat=True).get(bot=bot.id)
    for update in bot.updates(offset=offset):
        number = update.get("update_id")
        if not isinstance(number, int) or monotonic() > ends:
            break
        calls = _carry_out(update, channels, now=now or timezone.now())
        # Before the answer: a press is carried out again rather than never, and answered rather once than twice.
        if not BotPoll.objects.filter(claim=claim).update(offset=number + 1):
            break
        count += 1
        bot.answer(calls)
    return count


def _carry_out(update: Mapping[str, Any], channels: Sequence[Channel], *, now: datetime) -> Any:
    """What cannot be carried out at all must not hold up what comes after it; what the database could not take now comes again."""
    try:
        return handle(update, channels=channels, now=now)
    except AWAY:
        raise
    except Exception:
        logger.exception("An update of a Telegram bot could not be carried out")
        return []


def _note_failure(claim: UUID, error: SendFailed, *, now: datetime) -> None:
    poll = BotPoll.objects.filter(claim=claim).first()
    if poll is None:
        return
    wait = min(timedelta(seconds=2 ** min(poll.failures_in_a_row, 10)), SLOWEST)
    if error.retry_after is not None:
        wait = max(wait, timedelta(seconds=error.retry_after))
    BotPoll.objects.filter(claim=claim).update(
        claim=None,
        claimed_until=None,
        next_at=now + wait,
        last_failure_at=now,
        last_error=error.text,
        failures_in_a_row=F("failures_in_a_row") + 1,
    )
