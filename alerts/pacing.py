"""How often a channel may be used, and when to try again. Pure: the caller keeps what is returned, under the channel's row lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from alerts.channels.base import Pace

MINUTE = 60.0
# The part of a minute's messages that only urgent ones may use.
URGENT_SHARE = 0.2
# A send time further ahead than this was written by a clock that has been set back since.
SKEW_SECONDS = 5.0

FIRST_DELAY = 1.0
LONGEST_DELAY = 300.0
JITTER = 0.25

# A channel that fails again and again is left alone for a while, so that it does not keep every worker waiting.
PATIENCE = 3
LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Slot:
    """`next_at`: no send before it (None: at once). `times`: the sends of the last minute, Unix seconds, oldest first."""

    next_at: datetime | None
    times: list[float]


def take(times: Sequence[float], pace: Pace, *, now: datetime, urgent: bool) -> Slot | None:
    """One send now. None: the minute's messages are used up, for those that are not `urgent` a little sooner."""
    moment = now.timestamp()
    recent = sorted(time for time in times if moment - MINUTE < time <= moment + SKEW_SECONDS)
    if pace.per_minute is not None:
        reserved = 0 if urgent else int(pace.per_minute * URGENT_SHARE)
        if len(recent) >= max(1, pace.per_minute - reserved):
            return None
        recent.append(moment)
    return Slot(
        next_at=now + timedelta(seconds=1 / pace.per_second) if pace.per_second else None, times=recent
    )


def is_paced(pace: Pace) -> bool:
    return pace.per_second is not None or pace.per_minute is not None


def delay(failures: int, *, spread: Callable[[float, float], float] = uniform) -> timedelta:
    """How long to wait after the nth failed try in a row: 1 s, doubling to 5 min, a quarter more or less."""
    seconds = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, 16))
    return timedelta(seconds=seconds * spread(1 - JITTER, 1 + JITTER))


def pause(failures_in_a_row: int) -> timedelta | None:
    """How long a channel is left alone after so many failures in a row. None: not at all."""
    if failures_in_a_row < PATIENCE:
        return None
    return timedelta(seconds=min(LONGEST_PAUSE, 2.0 ** (failures_in_a_row - PATIENCE)))
