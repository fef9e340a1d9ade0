"""The use of the host's processors."""

import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from monitoring.metrics import host
from monitoring.metrics.host import LEAST_SECONDS, Processors


class Clock:
    """Stands in for the module `time`, and for what the processors have done by then."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.times = (300.0, 1000.0)

    def monotonic(self) -> float:
        return self.seconds

    def add(self, *, seconds: float, idle: float, busy: float) -> None:
        before_idle, before = self.times
        self.seconds, self.times = self.seconds + seconds, (before_idle + idle, before + idle + busy)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(host, "time", clock)
    monkeypatch.setattr(host, "_times", lambda: clock.times)
    return clock


def test_is_not_known_at_first(clock: Clock) -> None:
    processors = Processors()
    clock.add(seconds=LEAST_SECONDS / 2, idle=1, busy=1)
    assert processors.percent() is None


def test_is_that_since_the_last_look_from_whatever_thread(clock: Clock) -> None:
    processors = Processors()
    with ThreadPoolExecutor(1) as pool:
        clock.add(seconds=15, idle=45, busy=15)
        assert pool.submit(processors.percent).result() == pytest.approx(25)
        clock.add(seconds=0.5, idle=0, busy=10)
        # Too soon to say more.
        assert processors.percent() == pytest.approx(25)
        clock.add(seconds=0.5, idle=10, busy=0)
        assert processors.percent() == pytest.approx(50)


def test_counts_each_second_of_a_processor_once() -> None:
    idle, everything = host._times()
    assert 0 < idle < everything
    # No more than all processors can have had since the host started, and a little for coarse clocks.
    most = (time.time() - psutil.boot_time()) * (psutil.cpu_count() or 1)
    assert everything <= 1.1 * most + 10
