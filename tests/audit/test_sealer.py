"""The sealer of a web process: what wakes it, what it lets out, and what it does while nothing can be sealed."""

import asyncio
import json
import logging
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from opsconsole.audit.models import AuditPending, AuditSeal
from opsconsole.audit.sealing import sealer as sealer_module
from opsconsole.audit.sealing import services
from opsconsole.audit.sealing.outlet import FILE, Outlet
from opsconsole.audit.sealing.sealer import Sealer
from opsconsole.audit.sealing.selectors import anything_waits
from opsconsole.audit.sealing.services import Sealed
from opsconsole.embedded.processes import wait_until
from tests.audit.sealing import NOW, sealed, tamper, write

PATIENCE = 20.0
A_SEAL = Sealed(1, 1, bytes(32), "origin\n1\nroot\n\n— origin sig\n", more=False)
# Seconds; longer than any test has patience.
NEVER = 1000.0
Idle = Callable[..., AbstractContextManager[None]]
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Hub:
    """Tells what a test announces."""

    def hear(self, heard: Callable[[str], None]) -> None:
        self.tell = heard


@pytest.fixture
def hub() -> Hub:
    return Hub()


@contextmanager
def at_work(sealer: Sealer) -> Iterator[None]:
    sealer.start()
    try:
        yield
    finally:
        asyncio.run(sealer.stop())
    assert "audit-sealer" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def idle(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Idle:
    """`with idle(every=…, look_every=…)`: a sealer that has looked for the first time, and found nothing."""

    @contextmanager
    def started(**seconds: float) -> Iterator[None]:
        looks: list[bool] = []

        def looked() -> bool:
            looks.append(True)
            return anything_waits()

        monkeypatch.setattr(sealer_module, "anything_waits", looked)
        for name, value in seconds.items():
            monkeypatch.setattr(sealer_module, name.upper(), value)
        with at_work(Sealer(hub, outlet=Outlet(tmp_path))):
            wait_for(lambda: bool(looks))
            yield

    return started


def wait_for(done: Callable[[], bool]) -> None:
    assert wait_until(done, seconds=PATIENCE)


def size() -> int:
    newest = AuditSeal.objects.order_by("-pk").first()
    return newest.size if newest else 0


# Checkpoints that go out


def test_one_an_hour(tmp_path: Path) -> None:
    outlet, now = Outlet(tmp_path), timezone.now()
    assert not outlet.let_out(now=now)
    outlet.take(A_SEAL)
    assert outlet.let_out(now=now)
    path = tmp_path / FILE
    assert path.read_text() == f"{A_SEAL.checkpoint}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    # The same one does not go out again; a newer one does when it is time.
    assert not outlet.let_out(now=now + 2 * HOUR)
    outlet.take(A_SEAL)
    assert not outlet.let_out(now=now + HOUR - SECOND)
    assert outlet.let_out(now=now + HOUR + SECOND)
    assert path.read_text() == 2 * f"{A_SEAL.checkpoint}\n"


def test_one_an_hour_of_all_processes_of_the_host(tmp_path: Path) -> None:
    now = timezone.now()
    for outlet, goes_out in ((Outlet(tmp_path), True), (Outlet(tmp_path), False)):
        outlet.take(A_SEAL)
        assert outlet.let_out(now=now) is goes_out


def test_at_once_after_a_stop_but_never_once_a_second(tmp_path: Path) -> None:
    outlet, now = Outlet(tmp_path), timezone.now()
    outlet.take(A_SEAL)
    outlet.let_out(now=now)
    went = []
    for second in range(20):
        outlet.hurry()
        outlet.take(A_SEAL)
        went.append(outlet.let_out(now=now + second * SECOND))
    assert sum(went) in (2, 3)
    # The last of them is not forgotten; then it is one an hour again.
    assert outlet.let_out(now=now + 60 * SECOND)
    outlet.take(A_SEAL)
    assert not outlet.let_out(now=now + 120 * SECOND)


def test_the_stop_that_is_announced_after_its_seal(tmp_path: Path) -> None:
    outlet, now = Outlet(tmp_path), timezone.now()
    outlet.take(A_SEAL)
    outlet.let_out(now=now)
    outlet.take(A_SEAL)
    assert not outlet.let_out(now=now + 9 * SECOND)
    outlet.hurry()
    assert outlet.let_out(now=now + 10 * SECOND)


def test_without_a_folder_the_log_has_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outlet = Outlet(tmp_path / "none")
    outlet.take(A_SEAL)
    with caplog.at_level(logging.INFO):
        assert outlet.let_out(now=NOW)
    assert json.loads(caplog.messages[-1].partition(": ")[2]) == A_SEAL.checkpoint
    outlet.take(A_SEAL)
    assert not outlet.let_out(now=NOW + SECOND)
    assert not (tmp_path / "none").exists()


def test_a_file_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    outlet = Outlet(tmp_path)
    outlet.take(A_SEAL)
    assert outlet.let_out(now=NOW)
    assert "could not be written" in caplog.messages[-1]
    assert not (tmp_path / "elsewhere").exists()


# What wakes it


@pytest.mark.django_db(transaction=True)
def test_seals_what_waits_when_it_starts(hub: Hub, tmp_path: Path) -> None:
    write(3)
    with at_work(Sealer(hub, outlet=Outlet(tmp_path))):
        wait_for(lambda: size() == 3)


@pytest.mark.django_db(transaction=True)
def test_seals_when_an_event_is_announced(hub: Hub, idle: Idle) -> None:
    with idle(every=0.01, look_every=NEVER):
        for expected in (1, 2):
            write()
            hub.tell("audit")
            wait_for(lambda expected=expected: size() == expected)  # type: ignore[misc]  # bound in each turn


@pytest.mark.django_db(transaction=True)
def test_a_stop_does_not_wait_for_the_second(hub: Hub, idle: Idle, tmp_path: Path) -> None:
    with idle(every=NEVER, look_every=NEVER):
        write()
        hub.tell("audit")
        hub.tell("something else")
        assert size() == 0
        hub.tell("killswitch")
        wait_for(lambda: size() == 1 and (tmp_path / FILE).is_file())


@pytest.mark.django_db(transaction=True)
def test_finds_what_nobody_announces(idle: Idle) -> None:
    with idle(every=NEVER, look_every=0.05):
        write()
        wait_for(lambda: size() == 1)


@pytest.mark.django_db(transaction=True)
def test_seals_batch_after_batch(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 3)
    write(8)
    sealer = Sealer(hub, outlet=Outlet(tmp_path))
    # When the process is to end, the batch that is under way is the last.
    sealer._stopping = True
    sealer.seal_all()
    assert (AuditSeal.objects.count(), size()) == (1, 3)
    sealer._stopping = False
    sealer.seal_all()
    assert (AuditSeal.objects.count(), size()) == (3, 8)


@pytest.mark.django_db(transaction=True)
def test_tells_the_pages_after_the_commit(hub: Hub, tmp_path: Path) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN opsconsole")
    Sealer(hub, outlet=Outlet(tmp_path)).seal_all()
    assert connection.connection is not None
    told = [note.payload for note in connection.connection.notifies(timeout=5, stop_after=1)]
    assert told == ['{"topic":"audit-sealed","ids":[]}']


# Trouble


@pytest.mark.django_db(transaction=True)
def test_waits_for_the_database_and_goes_on(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = [True]
    real = services.seal

    def seal(**values: object) -> Sealed | None:
        if away[0]:
            raise OperationalError("gone")
        return real(**values)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(sealer_module, "EVERY", 0.01)
    monkeypatch.setattr(sealer_module, "seal", seal)
    write()
    sealer = Sealer(hub, outlet=Outlet(tmp_path))
    with at_work(sealer):
        hub.tell("killswitch")
        wait_for(lambda: bool(caplog.messages))
        looked_at = sealer._looked_at
        wait_for(lambda: sealer._looked_at > looked_at)
        away[0] = False
        wait_for(lambda: size() == 1)
    # Once, however often it tried.
    assert [text for text in caplog.messages if "waits for the database" in text] == [
        "Sealing waits for the database (OperationalError)"
    ]


@pytest.mark.django_db(transaction=True)
def test_refuses_over_a_broken_end_and_says_so_once(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(2)
    tamper("UPDATE audit_auditseal SET root = sha256('x')")
    write()
    sealer = Sealer(hub, outlet=Outlet(tmp_path))
    for _ in range(3):
        sealer._look()
    assert [record.levelname for record in caplog.records if "not sealed any more" in record.message] == [
        "ERROR"
    ]
    assert (size(), AuditPending.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_holds_no_connection_while_there_is_nothing_to_do(hub: Hub, tmp_path: Path) -> None:
    sealer = Sealer(hub, outlet=Outlet(tmp_path))
    write()
    sealer._look()
    assert connection.connection is not None
    sealer._look()
    assert connection.connection is None
