"""Checks under way: a hard budget each, and none holds up another."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from monitoring.health import building, runner, running
from monitoring.health.checks import clients
from monitoring.health.checks.base import Failed, Result
from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthComponent
from monitoring.health.runner import Runner
from monitoring.health.running import Job, Running, grouped

PATIENCE = 20.0


class Gate:
    """A check that hangs until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = 0

    def run(self, now: datetime) -> Result:
        del now
        self.begun += 1
        self.open.wait(PATIENCE)
        return Result(Status.HEALTHY, "at last")


class Fails:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, now: datetime) -> Result:
        raise self._error


class Well:
    def run(self, now: datetime) -> Result:
        return Result(Status.HEALTHY, "well")


class Asks:
    """A check that asks the database, and notes which of its processes has answered."""

    def __init__(self) -> None:
        self.backends: list[int] = []

    def run(self, now: datetime) -> Result:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.backends += cursor.fetchone() or ()
        return Result(Status.HEALTHY, "asked")

    def living(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [self.backends])
            (count,) = cursor.fetchone() or (0,)
        return int(count)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = running.Process()
    monkeypatch.setattr(running, "_process", made)
    yield
    made.threads.close(patience=PATIENCE)


def row(pk: int, kind: Kind = Kind.REDIS, *, budget: float = PATIENCE) -> HealthComponent:
    return HealthComponent(pk=pk, slug=f"c-{pk}", kind=kind, budget_seconds=budget, claim=uuid4())


def checks(monkeypatch: pytest.MonkeyPatch, by_pk: dict[int, object]) -> None:
    monkeypatch.setattr(running, "check_of", lambda component: by_pk[component.pk])


def becomes(true: Callable[[], bool]) -> bool:
    for _ in range(int(100 * PATIENCE)):
        if true():
            return True
        threading.Event().wait(0.01)
    return False


def ended(jobs: Running, told: threading.Event, *, count: int) -> list[Job]:
    over: list[Job] = []
    while len(over) < count:
        over += jobs.ended()
        if len(over) < count:
            assert told.wait(PATIENCE)
            told.clear()
    return over


def test_one_that_hangs_delays_no_other(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    checks(monkeypatch, {1: gate, 2: Well()})
    told = threading.Event()
    jobs = Running(told.set)
    jobs.begin([row(1), row(2)])
    (job,) = ended(jobs, told, count=1)
    assert [(one.component_id, one.result.message) for one in job.outcomes("a")] == [(2, "well")]


def test_past_its_budget_it_has_failed_and_is_not_begun_again(
    monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    checks(monkeypatch, {1: gate})
    told = threading.Event()
    jobs = Running(told.set)
    (job,) = jobs.begin([row(1, budget=0.0)])
    assert jobs.ended() == [job]
    (outcome,) = job.outcomes("a")
    assert (outcome.result.status, outcome.result.message) == (
        Status.UNHEALTHY,
        "No answer within its budget of 0 s",
    )
    # As long as its thread hangs.
    (again,) = jobs.begin([row(1)])
    assert jobs.ended() == [again]
    assert again.outcomes("a")[0].result.message.endswith("still hangs")
    assert gate.begun == 1
    # What it finds at last is of no interest any more; then it may be begun again.
    gate.open.set()
    assert becomes(lambda: not running._process.hanging)
    assert jobs.ended() == []
    jobs.begin([row(1)])
    assert ended(jobs, told, count=1)[0].outcomes("a")[0].result.message == "at last"


def test_of_trading_processes_only_those_that_hang_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    def look(names: list[str], now: datetime) -> list[Result]:
        return [gate.run(now)] * len(names)

    monkeypatch.setattr(clients, "look", look)
    jobs = Running(lambda: None)
    jobs.begin([row(2, Kind.CLIENT, budget=0.0), row(3, Kind.CLIENT, budget=0.0)])
    assert becomes(lambda: gate.begun == 1)
    jobs.ended()
    jobs.begin([row(1, Kind.CLIENT), row(3, Kind.CLIENT)])
    (hangs,) = jobs.ended()
    assert [(one.component_id, one.result.status) for one in hangs.outcomes("a")] == [(3, "unhealthy")]
    assert becomes(lambda: gate.begun == 2)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Failed("Redis does not answer"), "Redis does not answer"),
        # Its text may hold anything.
        (ValueError("redis://:secret@host"), "The check failed (ValueError)"),
    ],
)
def test_what_raises_is_a_failed_check(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    checks(monkeypatch, {1: Fails(error)})
    (result,) = running.looked_at([row(1)], now=timezone.now())
    assert (result.status, result.message) == (Status.UNHEALTHY, message)


def test_trading_processes_are_looked_at_together() -> None:
    rows = [row(1), row(2, Kind.CLIENT), row(3, Kind.DISK), row(4, Kind.CLIENT)]
    assert [[one.pk for one in group] for group in grouped(rows)] == [[1], [3], [2, 4]]


def test_a_refresh_looks_at_everything_and_stores_it(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "check_of", lambda _: Well())
    now = timezone.now()
    runner.refresh(now=now, not_within=timedelta(seconds=5))
    assert set(HealthComponent.objects.values_list("status", "message")) == {("healthy", "well")}
    assert HealthComponent.objects.filter(claim__isnull=False).count() == 0
    # At once again: nothing is looked at.
    monkeypatch.setattr(running, "check_of", lambda _: Fails(ValueError()))
    runner.refresh(now=timezone.now(), not_within=timedelta(seconds=5))
    assert set(HealthComponent.objects.values_list("result", flat=True)) == {"healthy"}


def test_what_hangs_when_a_refresh_breaks_off_is_not_begun_again(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    def fails(**_: object) -> None:
        raise DatabaseError

    hangs = HealthComponent.objects.get(slug="disk-space")
    monkeypatch.setattr(running, "check_of", lambda one: gate if one.pk == hangs.pk else Well())
    monkeypatch.setattr(runner, "store", fails)
    with pytest.raises(DatabaseError):
        runner.refresh(now=timezone.now(), not_within=timedelta(seconds=5))
    jobs = Running(lambda: None)
    jobs.begin([hangs])
    assert [job.results and job.results[0].status for job in jobs.ended()] == [Status.UNHEALTHY]
    assert gate.begun == 1


def test_of_two_runners_one_looks_at_each(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def check_of(component: HealthComponent) -> Well:
        looked.append(component.slug)
        return Well()

    monkeypatch.setattr(running, "check_of", check_of)
    HealthComponent.objects.update(due_at=timezone.now())
    runners = [Runner(every=None), Runner(every=None)]
    for one in runners:
        one.look()
    threads = [one._thread for one in runners]
    assert becomes(lambda: not HealthComponent.objects.exclude(status="healthy").exists())
    for one, thread in zip(runners, threads, strict=True):
        one.stop()
        assert thread is not None
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert sorted(looked) == sorted(HealthComponent.objects.values_list("slug", flat=True))


def test_at_the_end_no_thread_keeps_its_connection(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = Asks()
    monkeypatch.setattr(running, "check_of", lambda _: asks)
    runner.refresh(now=timezone.now(), not_within=timedelta(seconds=5))
    assert asks.living() > 0
    running.close(patience=PATIENCE)
    assert becomes(lambda: asks.living() == 0)
    # A look may still be asked for; its threads end with it.
    runner.refresh(now=timezone.now(), not_within=timedelta(0))
    assert becomes(lambda: asks.living() == 0)


def test_every_kind_but_trading_processes_has_a_check(db: None) -> None:
    assert set(building.MAKERS) == set(Kind) - {Kind.CLIENT}
    for component in HealthComponent.objects.all():
        assert building.check_of(component)
