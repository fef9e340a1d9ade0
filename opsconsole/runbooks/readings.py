"""What a step that looks shows: a value as it is now, in words, with its limit or its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from alerts.models import KindTally
from killswitch import selectors as killswitch
from killswitch.choices import Mode
from killswitch.models import Switch, TradingClient
from monitoring.breakers import selectors as breakers
from monitoring.breakers.choices import State
from monitoring.breakers.models import CircuitBreaker
from monitoring.health import selectors as health
from monitoring.health import system
from monitoring.health.choices import Status
from monitoring.metrics.current import Known
from monitoring.metrics.units import shown
from opsconsole.accounts.models import User
from opsconsole.runbooks.choices import Read

COST = "ai_cost_usd_total"
NAMED = 5
# Percent of a budget from which it is nearly spent.
NEAR = 80.0
BAD, WARN, WELL = "oc-bad", "oc-warn", ""


@dataclass(frozen=True, slots=True)
class Reading:
    """`word`: the answer; `text`: what it rests on. `tone`: of the word. `url`: where there is more of it; empty: nowhere."""

    word: str
    text: str = ""
    tone: str = WELL
    url: str = ""

    @property
    def icon(self) -> str:
        return {BAD: "octagon", WARN: "alert-triangle"}.get(self.tone, "circle-check")

    @property
    def filled(self) -> bool:
        return self.tone == BAD


def reading(what: str, target: str, *, user: User, now: datetime) -> Reading:
    """Few queries. What the reader may not see is said so."""
    look, permission = READINGS[Read(what)]
    if permission and not user.has_perm(permission):
        return Reading("not shown", "This needs a viewer", WARN)
    return look(target, now)


def _cost(_target: str, now: datetime) -> Reading:
    value, budget = Known((COST,), now=now).count(COST), settings.AI_DAILY_BUDGET_USD
    limit, url = shown(budget, "usd"), reverse("metrics-cost")
    if value.value is None:
        return Reading("unknown", f"{value.reason}; the budget is {limit} a day", WARN, url)
    percent = 100 * value.value / budget
    tone = BAD if percent >= 100 else WARN if percent >= NEAR else WELL
    word = (
        "over the budget" if percent >= 100 else "near the budget" if percent >= NEAR else "within the budget"
    )
    return Reading(word, f"{shown(value.value, 'usd')} of {limit} today, {percent:.0f}%", tone, url)


def _kill_switch(_target: str, now: datetime) -> Reading:
    stops = list(
        Switch.objects.exclude(mode=Mode.ACTIVE).select_related("activation").order_by("scope")[:NAMED]
    )
    url = reverse("kill-switch")
    if not stops:
        return Reading("trading", "Nothing is stopped", url=url)
    said = [
        f"{stop.scope} {stop.mode} since {_clock(stop.since, now)} by {stop.by}, {stop.activation.reason}"
        for stop in stops
        if stop.activation is not None
    ]
    return Reading("stopped", "; ".join(said), BAD, url)


def _clients(_target: str, now: datetime) -> Reading:
    clients = killswitch.status().clients
    here = sum(client.connected for client in clients)
    overrides = [client.name for client in clients if client.override]
    url = f"{reverse('kill-switch')}#proof"
    if overrides:
        return Reading("stops are ignored", f"by {system.listed(overrides)}; {here} connected", BAD, url)
    if not here:
        return Reading("none is connected", _last_seen(now), WARN, url)
    stopped = [client.name for client in clients if client.local_stop]
    text = f"stopped on their own hosts: {system.listed(stopped)}" if stopped else "none ignores stops"
    return Reading(f"{here} connected", text, WARN if stopped else WELL, url)


def _last_seen(now: datetime) -> str:
    last = TradingClient.objects.order_by("-last_seen").first()
    return f"Last: {last.name}, {_clock(last.last_seen, now)}" if last else "None ever was"


def _breaker(name: str, now: datetime) -> Reading:
    try:
        view = breakers.breaker(name, now=now)
    except CircuitBreaker.DoesNotExist:
        near = breakers.nearest(name)
        return Reading("unknown", f"No process has reported {name}{_maybe(near)}", WARN)
    there, url = view.processes, reverse("breaker", args=[name])
    text = [f"{there.open} of {there.total} processes have it open"]
    if view.failure_rate is not None:
        text.append(f"failure rate {view.failure_rate:.0f}%")
    if view.held is not None:
        text.append(f"held {view.held.state} by {view.held.by}")
    if view.last_failure is not None:
        last = view.last_failure
        text.append(f"last failure {_clock(last.at, now)} in {last.client}: {last.type} {last.text}".rstrip())
    if view.stale:
        last_known = f"No process is there to tell of it; last: {view.last_state or 'nothing'}"
        return Reading("unknown", last_known, WARN, url)
    tone = {State.OPEN: BAD, State.HALF_OPEN: WARN}.get(State(view.state), WELL)
    since = f" since {_clock(view.since, now)}" if view.since else ""
    return Reading(f"{State(view.state).label}{since}", ", ".join(text), tone, url)


def _breakers(_target: str, now: datetime) -> Reading:
    counts, names = breakers.counts(now=now), system.open_breakers(now)
    total, url = sum(counts.values()), reverse("breakers")
    if not total:
        return Reading("none is known", "No process has reported any", WARN, url)
    if names:
        return Reading(f"{len(names)} of {total} open", system.listed(names), BAD, url)
    return Reading("none is open", f"{total} known, {counts[State.HALF_OPEN]} half-open", url=url)


def _health(_target: str, now: datetime) -> Reading:
    board = health.board(now=now)
    bad = [f"{one.row.name} is {one.status}: {one.message}" for one in board.abnormal[:NAMED]]
    bad += [f"{one.row.name}: {one.message}" for one in board.stale[: NAMED - len(bad)]]
    total = len(board.components)
    if not bad:
        return Reading("healthy", f"All {total} components that are watched", url=reverse("health"))
    unwell = len(board.abnormal) + len(board.stale)
    tone = BAD if any(one.status == Status.UNHEALTHY for one in board.abnormal) else WARN
    return Reading(f"{unwell} of {total} abnormal", "; ".join(bad), tone, reverse("health"))


def _component(name: str, now: datetime) -> Reading:
    board = health.board(now=now)
    one = board.named(name)
    if one is None:
        return Reading("unknown", f"There is no component {name}", WARN)
    age = f", {one.age_seconds:.0f} s old" if one.age_seconds is not None else ""
    tone = {Status.UNHEALTHY: BAD, Status.DEGRADED: WARN, Status.UNKNOWN: WARN}.get(one.status, WELL)
    url = reverse("health-component", args=[one.row.slug])
    return Reading(str(one.status), f"{one.message}{age}", tone, url)


def _system(_target: str, now: datetime) -> Reading:
    found = system.status(now=now)
    tone = {"operational": WELL, "degraded": WARN}.get(found.word, BAD)
    url = reverse("system-information")
    return Reading(found.word, ". ".join(found.why) or "Nothing is the matter", tone, url)


def _alerts(_target: str, now: datetime) -> Reading:
    counts = system.status(now=now).alerts
    day = timezone.localtime(now).date() - timedelta(days=1)
    rows = KindTally.objects.filter(day__gte=day).values("title").annotate(times=Sum("raised"))
    most = [f"{row['title']} ({row['times']:,} times)" for row in rows.order_by("-times")[:NAMED]]
    text = f"Most often since yesterday: {'; '.join(most)}" if most else "None was raised since yesterday"
    if not counts.unacknowledged:
        return Reading("nobody is needed", text, url=reverse("alert-noise"))
    tone = BAD if counts.overdue else WARN
    word = f"{counts.unacknowledged:,} need somebody, {counts.overdue:,} overdue"
    return Reading(word, text, tone, reverse("alert-noise"))


def _clock(when: datetime, now: datetime) -> str:
    """Today the time alone."""
    local = timezone.localtime(when)
    today = local.date() == timezone.localtime(now).date()
    return f"{local:%H:%M:%S}" if today else f"{local.day} {local:%b %H:%M:%S}"


def _maybe(near: list[str]) -> str:
    return f". Near: {', '.join(near)}" if near else ""


SERIES, BREAKERS, HEALTH = (
    "monitoring.view_series",
    "monitoring.view_circuitbreaker",
    "monitoring.view_healthcomponent",
)
# With the permission that its own page or address asks for; empty: whoever is signed in.
READINGS: Mapping[Read, tuple[Callable[[str, datetime], Reading], str]] = {
    Read.COST: (_cost, SERIES),
    Read.KILL_SWITCH: (_kill_switch, ""),
    Read.CLIENTS: (_clients, ""),
    Read.BREAKER: (_breaker, BREAKERS),
    Read.BREAKERS: (_breakers, BREAKERS),
    Read.HEALTH: (_health, HEALTH),
    Read.COMPONENT: (_component, HEALTH),
    Read.SYSTEM: (_system, HEALTH),
    Read.ALERTS: (_alerts, ""),
}
