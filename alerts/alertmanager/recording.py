"""What POSTs of alerts bring, into the database: counted, decided, or written down to be decided in a moment."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from time import monotonic

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from alerts.alertmanager import posted
from alerts.alertmanager.known import Key, Known, KnownAlerts
from alerts.alertmanager.parcels import Fresh, NotPlain, Parcel, encoded, read_parcel
from alerts.alertmanager.soundness import is_plain, read
from alerts.choices import AlertState, Priority
from alerts.labels import LabelMapping, mapping
from alerts.locking import add_counted, lock_decisions, share_decisions
from alerts.models import AlertRule, Policy, PostedAlerts
from alerts.services.raised import Outcome, RaisedAlert
from alerts.services.raising import decide_alerts
from alerts.services.repeats import Repeat, count_all_repeats, count_repeats
from opsconsole.audit.actor import Actor

log = logging.getLogger(__name__)

# More alerts than this in one second are not decided while their senders wait for the answer.
DECIDED_AT_ONCE = 1000
# Decided in one transaction, so that what is urgent never waits long for the lock.
TOGETHER = 600
# Known ones that are only counted may come along, up to so many.
COUNTED_TOGETHER = 10_000
# More may not wait to be decided: some 100 MB.
MOST_POSTED = 200_000

CRITICAL = Priority.CRITICAL.value


class TooManyPosted(Exception):
    """More alerts wait to be decided than may."""


class _NeedsTheLock(Exception):
    """Something is urgent after all."""


class Budget:
    """How many alerts one process has decided at once in this second."""

    def __init__(self) -> None:
        self._second: datetime | None = None
        self._spent = 0

    def allows(self, alerts: int, *, at: datetime) -> bool:
        """Whether so many more may be decided; then they count."""
        second = at.replace(microsecond=0)
        if second != self._second:
            self._second, self._spent = second, 0
        if self._spent + alerts > DECIDED_AT_ONCE:
            return False
        self._spent += alerts
        return True


@dataclass(slots=True)
class Recorded:
    """`problems`: for each parcel what is wrong with alerts that were not taken. Then whether repeats were counted, and posts written down."""

    problems: list[list[str]]
    counted: bool
    posted: bool


@dataclass(slots=True)
class _Sorted:
    """What one transaction decides, by who brought it, and what it writes down."""

    problems: list[list[str]] = field(default_factory=list)
    decided: dict[Actor, list[tuple[Key, RaisedAlert]]] = field(default_factory=dict)
    posts: list[PostedAlerts] = field(default_factory=list)


def record(
    parcels: Sequence[Parcel], known: KnownAlerts, budget: Budget, *, now: datetime | None = None
) -> Recorded:
    """All of it in one transaction. Raises TooManyPosted.

    A few alerts are decided at once. Many are written down, and with them everything that comes until these are decided, so that the order stays;
    but what is CRITICAL is always decided at once.
    """
    now = now or timezone.now()
    repeats = _merged(parcels)
    fresh = sum(len(parcel.fresh) for parcel in parcels)
    if repeats and not fresh and count_all_repeats(repeats=repeats, at=now, standings=known.standings):
        return Recorded([[] for _ in parcels], counted=True, posted=False)
    waiting = posted.waiting()
    if waiting > MOST_POSTED:
        raise TooManyPosted
    later = waiting > 0 or not budget.allows(fresh, at=now)
    try:
        return _record(parcels, repeats, known, now, later=later, alone=not later)
    except _NeedsTheLock:
        return _record(parcels, repeats, known, now, later=later, alone=True)


def decide_posted(known: KnownAlerts | None = None, *, pause: Callable[[float], object] | None = None) -> int:
    """Decide what was written down, oldest first. Returns how many alerts. Raises what the database raises when it is away.

    `pause`, if given, is called with the seconds that each turn has taken.
    """
    if not posted.waiting():
        return 0
    decided, known, began = 0, known or KnownAlerts(), monotonic()
    while size := _decide_some(known, most=TOGETHER):
        decided += size
        if pause is not None:
            pause(monotonic() - began)
            began = monotonic()
    return decided


def _record(
    parcels: Sequence[Parcel],
    repeats: Sequence[Repeat],
    known: KnownAlerts,
    now: datetime,
    *,
    later: bool,
    alone: bool,
) -> Recorded:
    outcomes: list[tuple[Key, RaisedAlert, Outcome]] = []
    with transaction.atomic():
        if alone:
            lock_decisions()
            # Another process may have written something down meanwhile.
            later = later or posted.waiting() > 0
        elif repeats:
            share_decisions()
        counted = count_repeats(repeats=repeats, at=now) if repeats else set()
        if alone and counted:
            add_counted()
        work = _sorted(parcels, counted, known, later=later)
        if work.decided and not alone:
            raise _NeedsTheLock
        posted.write_down(work.posts)
        for actor, pairs in work.decided.items():
            outcomes += _decide(actor, pairs, now)
    _learn(known, outcomes)
    return Recorded(work.problems, counted=bool(counted), posted=bool(work.posts))


def _merged(parcels: Sequence[Parcel]) -> list[Repeat]:
    merged: dict[int, Repeat] = {}
    for parcel in parcels:
        for alert_id, repeated in parcel.repeats.items():
            found = merged.get(alert_id)
            if found is None:
                merged[alert_id] = repeated
            else:
                ends_at = max(found.ends_at or repeated.ends_at, repeated.ends_at)
                merged[alert_id] = Repeat(alert_id, found.count + repeated.count, ends_at)
    return list(merged.values())


def _sorted(parcels: Sequence[Parcel], counted: set[int], known: KnownAlerts, *, later: bool) -> _Sorted:
    work, meanings = _Sorted(), None
    urgent = _urgency() if later else None
    for parcel in parcels:
        problems: list[str] = []
        kept: list[Fresh] = []
        for fresh in _to_decide(parcel, counted, known):
            if urgent and is_plain(fresh, at=parcel.at) and not urgent.is_named_by(fresh.labels):
                kept.append(fresh)
                continue
            meanings = meanings or mapping()
            try:
                alert = read(fresh, meanings=meanings, at=parcel.at)
            except ValueError as error:
                problems.append(str(error))
                continue
            if urgent and not urgent.is_named_by(alert.labels):
                kept.append(fresh)
            else:
                work.decided.setdefault(parcel.actor, []).append((fresh.key, alert))
        if kept:
            work.posts.append(_post(parcel, kept))
        work.problems.append(problems)
    return work


def _to_decide(parcel: Parcel, counted: set[int], known: KnownAlerts) -> Iterable[Fresh]:
    for alert_id, repeated in parcel.repeats.items():
        if alert_id not in counted:
            known.drop(repeated.key)
            yield from [repeated.fresh()] * repeated.count
    yield from parcel.fresh


def _post(parcel: Parcel, kept: list[Fresh]) -> PostedAlerts:
    whole = len(kept) == parcel.size
    return PostedAlerts(
        at=parcel.at,
        raised_by=parcel.actor.name,
        body=parcel.body if whole else encoded([fresh.raw for fresh in kept]),
        size=len(kept),
        ends=any(fresh.ends_at is not None and fresh.ends_at <= parcel.at for fresh in kept),
    )


class _Urgency:
    """Which alerts are CRITICAL, by their labels."""

    def __init__(self, meanings: LabelMapping, default: Mapping[str, str]) -> None:
        self._meanings = meanings
        self._default = default

    def is_named_by(self, labels: Mapping[str, str]) -> bool:
        meaning = self._meanings.meaning(labels)
        return (meaning.priority or self._default.get(meaning.category)) == CRITICAL


_newest: tuple[int | None, _Urgency] | None = None


def _urgency() -> _Urgency:
    """As the rules are now. They are read again only after a change."""
    global _newest  # noqa: PLW0603  one value per process, replaced as a whole
    version = Policy.objects.values_list("version", flat=True).first()
    if _newest is None or _newest[0] != version or version is None:
        default = dict(AlertRule.objects.values_list("category", "default_priority"))
        _newest = (version, _Urgency(mapping(), default))
    return _newest[1]


def _decide(
    actor: Actor, pairs: Sequence[tuple[Key, RaisedAlert]], now: datetime
) -> list[tuple[Key, RaisedAlert, Outcome]]:
    decided = decide_alerts(actor=actor, alerts=[alert for _, alert in pairs], now=now)
    return [(key, alert, one) for (key, alert), one in zip(pairs, decided, strict=True)]


def _learn(known: KnownAlerts, outcomes: Iterable[tuple[Key, RaisedAlert, Outcome]]) -> None:
    for key, alert, outcome in outcomes:
        if (
            outcome.alert_id is not None
            and outcome.state == AlertState.FIRING
            and alert.starts_at is not None
        ):
            known.add(key, Known(outcome.alert_id, alert.starts_at))
        else:
            known.drop(key)


def _decide_some(known: KnownAlerts, *, most: int) -> int:
    """One turn, in which about so many alerts are decided. Returns how many are done with; 0 when none wait."""
    posts: list[PostedAlerts] = []
    outcomes: list[tuple[Key, RaisedAlert, Outcome]] = []
    try:
        with transaction.atomic():
            lock_decisions()
            outcomes = _decide_parcels(_next_parcels(posts, known, most=most), known)
            posted.forget(posts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if not posts:
            raise
        if len(posts) > 1:
            return _decide_some(known, most=1)
        log.exception("Posted alerts cannot be decided; they stay in alerts_postedalerts: %s", posts)
        posted.set_aside(posts[0])
    _learn(known, outcomes)
    return sum(post.size for post in posts)


def _next_parcels(posts: list[PostedAlerts], known: KnownAlerts, *, most: int) -> list[Parcel]:
    """What waits, until so many alerts have to be decided; `posts` are filled with whose it is, also if one cannot be read.

    A post that ends an alert comes by itself, and all of it is decided: behind an end the order counts.
    """
    parcels: list[Parcel] = []
    fresh = 0
    for post in posted.in_order(most=COUNTED_TOGETHER if most > 1 else 1):
        if post.ends and posts:
            break
        posts.append(post)
        parcel = _read_post(post, KnownAlerts() if post.ends else known)
        fresh += len(parcel.fresh)
        if parcels and fresh > most:
            posts.pop()
            break
        parcels.append(parcel)
        if post.ends:
            break
    return parcels


def _decide_parcels(parcels: Sequence[Parcel], known: KnownAlerts) -> list[tuple[Key, RaisedAlert, Outcome]]:
    outcomes: list[tuple[Key, RaisedAlert, Outcome]] = []
    if not parcels:
        return outcomes
    # As of the time when they came: an alert must not be over because it had to wait.
    at = min(parcel.at for parcel in parcels)
    repeats = _merged(parcels)
    counted = count_repeats(repeats=repeats, at=at) if repeats else set()
    if counted:
        add_counted()
    meanings = mapping()
    for actor, of_one in groupby(parcels, key=lambda parcel: parcel.actor):
        pairs = [
            (fresh.key, read(fresh, meanings=meanings, at=parcel.at))
            for parcel in of_one
            for fresh in _to_decide(parcel, counted, known)
        ]
        outcomes += _decide(actor, pairs, at)
    return outcomes


def _read_post(post: PostedAlerts, known: KnownAlerts) -> Parcel:
    """Raises ValueError when another version has written it, and this one cannot read it."""
    try:
        return read_parcel(bytes(post.body), actor=Actor.system(post.raised_by), known=known, now=post.at)
    except NotPlain as error:
        raise ValueError("the body cannot be read") from error
