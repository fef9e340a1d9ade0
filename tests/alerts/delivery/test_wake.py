"""Workers are woken without anybody waiting for the queue; what is urgent goes out without queue and worker, too."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from kombu.connection import Connection

from alerts import kicking
from alerts.choices import DeliveryState, Priority
from alerts.kicking import Kicker, Watch
from alerts.models import Delivery
from opsconsole.embedded import valkey
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import wait_until
from tests.alerts.outbox import a_channel, an_alert, delivery_of, put
from tests.alerts.receiver import Receiver
from tests.servers import temporary_folder

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 20.0


class Queue:
    """A Valkey of the test's own, which may be killed."""

    def __init__(self, place: Path) -> None:
        directory = place / "run"
        directory.mkdir()
        (place / "data").mkdir()
        self._valkey = valkey.prepare(DataFolder(place / "data"), directory)
        self._log = (place / "log").open("wb")
        self.process: subprocess.Popen[bytes] = self._valkey.program().start(self._log)
        assert wait_until(self._valkey.answers, seconds=SECONDS)

    def connect(self) -> Any:
        made: Any = Connection
        return made(self._valkey.url, transport_options=kicking.BROKER_OPTIONS)

    def waiting(self, name: str) -> int:
        with self.connect() as connection:
            return int(connection.default_channel.queue_declare(queue=name).message_count)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()


@pytest.fixture
def queue() -> Iterator[Queue]:
    place = temporary_folder()
    made = Queue(place)
    yield made
    made.close()
    shutil.rmtree(place)


@pytest.fixture
def kicker(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kicker]:
    """The process's own, at that queue. Its threads end soon, before the database is emptied for the next test."""
    monkeypatch.setattr(kicking, "IDLE_SECONDS", 0.2)
    made = Kicker(broker=queue.connect)
    monkeypatch.setattr(kicking, "kicker", made)
    yield made
    end_of("alerts-kicker", "alerts-watch")


def put_now(**fields: object) -> Delivery:
    return put(an_alert(**fields), now=timezone.now())[0]  # type: ignore[arg-type]


def is_sent(row: Delivery) -> bool:
    return delivery_of(pk=row.pk).state == DeliveryState.SENT


def test_a_commit_leaves_one_message_in_the_queue_however_much_is_written(
    desk: Receiver, queue: Queue, kicker: Kicker
) -> None:
    a_channel(desk)
    for _ in range(20):
        put_now()
    assert wait_until(lambda: queue.waiting("alerts") > 0, seconds=SECONDS)
    put_now()
    kicker.ask(critical=False)
    end_of("alerts-kicker")
    assert queue.waiting("alerts") == 1
    assert queue.waiting("critical") == 0


def test_the_message_is_the_task_of_the_workers(desk: Receiver, queue: Queue, kicker: Kicker) -> None:
    a_channel(desk)
    put_now()
    assert wait_until(lambda: queue.waiting("alerts") > 0, seconds=SECONDS)
    with queue.connect() as connection, connection.SimpleQueue("alerts") as simple:
        message = simple.get(timeout=5)
    assert message.headers["task"] == "alerts.deliver"
    assert message.payload[1] == {"critical": False}
    assert message.headers["expires"]


def test_an_urgent_delivery_that_no_worker_takes_is_sent_by_this_process(
    desk: Receiver, queue: Queue, kicker: Kicker
) -> None:
    a_channel(desk)
    urgent, other = put_now(priority=Priority.CRITICAL), put_now()
    assert wait_until(lambda: is_sent(urgent), seconds=SECONDS)
    assert queue.waiting("critical") == 1
    assert delivery_of(pk=other.pk).state == DeliveryState.PENDING


def test_urgent_deliveries_go_on_when_the_queue_is_killed(
    desk: Receiver, queue: Queue, kicker: Kicker, caplog: pytest.LogCaptureFixture
) -> None:
    a_channel(desk)
    kicker.ask(critical=False)
    assert wait_until(lambda: queue.waiting("alerts") > 0, seconds=SECONDS)
    queue.kill()
    # The first try fails: it is repeated without anybody asking again.
    desk.answers((500, {}), (200, {}))
    row = put_now(priority=Priority.CRITICAL)
    assert wait_until(lambda: is_sent(row), seconds=SECONDS)
    assert delivery_of(pk=row.pk).attempts == 2
    again = put_now(priority=Priority.CRITICAL)
    assert wait_until(lambda: is_sent(again), seconds=SECONDS)
    assert "The queue cannot be reached" in caplog.text
    assert "redis" not in caplog.text


def test_asking_never_waits_for_a_queue_that_hangs(desk: Receiver, queue: Queue, kicker: Kicker) -> None:
    asked, go = threading.Event(), threading.Event()

    def hang() -> Any:
        asked.set()
        assert go.wait(SECONDS)
        return queue.connect()

    slow = Kicker(broker=hang)
    slow.ask(critical=True)
    assert asked.wait(SECONDS)
    for _ in range(100):
        slow.ask(critical=True)
    # All this while the connection hangs; and what is urgent is sent meanwhile.
    a_channel(desk)
    row = put_now(priority=Priority.CRITICAL)
    slow.ask(critical=True)
    assert wait_until(lambda: is_sent(row), seconds=SECONDS)
    go.set()


def test_a_watch_looks_even_if_nobody_asks_it(desk: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kicking, "IDLE_SECONDS", 0.2)
    a_channel(desk)
    row = put_now(priority=Priority.CRITICAL)
    watch = Watch(forever=True)
    watch.look()
    assert wait_until(lambda: is_sent(row), seconds=SECONDS)
    row = put_now(priority=Priority.CRITICAL)
    assert wait_until(lambda: is_sent(row), seconds=SECONDS)
    watch.stop()
    end_of("alerts-watch")


def end_of(*names: str) -> None:
    for thread in threading.enumerate():
        if thread.name in names:
            thread.join(SECONDS)
            assert not thread.is_alive()
