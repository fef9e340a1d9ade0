"""Answers that many wait for: one read for all of them, which begins after they have asked; and what a database that is away becomes."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from opsconsole.api import shared
from opsconsole.api.shared import Answer, Keeping, SharedReads

PATIENCE = 20.0


class Source:
    """A read that waits until it is let go, and says how many there have been."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.count = 0

    def read(self) -> Answer:
        self.count += 1
        number = self.count
        self.begun.release()
        assert self.let.acquire(timeout=PATIENCE)
        return Answer(200, str(number).encode())


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.let.release(100)


async def begun(source: Source) -> None:
    await asyncio.to_thread(source.begun.acquire, timeout=PATIENCE)


def test_who_comes_while_a_read_is_under_way_waits_for_the_next(source: Source) -> None:
    async def run() -> list[bytes]:
        reads = SharedReads(source.read)
        first = [asyncio.ensure_future(reads.next()) for _ in range(3)]
        await begun(source)
        later = [asyncio.ensure_future(reads.next()) for _ in range(20)]
        await asyncio.sleep(0)
        source.let.release(2)
        answers = await asyncio.gather(*first, *later)
        await reads.close()
        return [answer.content for answer in answers]

    assert asyncio.run(run()) == [b"1"] * 3 + [b"2"] * 20
    assert source.count == 2


def test_one_that_leaves_takes_nothing_from_the_others(source: Source) -> None:
    async def run() -> bytes:
        reads = SharedReads(source.read)
        leaves, stays = (asyncio.ensure_future(reads.next()) for _ in range(2))
        await begun(source)
        leaves.cancel()
        source.let.release()
        return (await stays).content

    assert asyncio.run(run()) == b"1"


def test_a_failure_reaches_all_who_wait_and_the_next_read_is_tried() -> None:
    answers: list[Exception | Answer] = [OperationalError("gone"), Answer(200, b"back")]

    def read() -> Answer:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> bytes:
        reads = SharedReads(read)
        for failed in await asyncio.gather(reads.next(), reads.next(), return_exceptions=True):
            assert isinstance(failed, OperationalError)
        return (await reads.next()).content

    assert asyncio.run(run()) == b"back"


def test_a_read_that_hangs_is_given_up(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection may be dead: the next one has another."""
    monkeypatch.setattr(shared, "GIVEN_UP", 0.05)

    async def run() -> bytes:
        reads = SharedReads(source.read)
        with pytest.raises(TimeoutError):
            await reads.next()
        # The first hangs on: once both are let go, the second has the word.
        again = asyncio.ensure_future(reads.next())
        await begun(source)
        await begun(source)
        source.let.release(2)
        return (await again).content

    monkeypatch.setattr(shared, "GIVEN_UP", 0.05)
    assert asyncio.run(run()) == b"2"


def test_what_is_kept_holds_for_its_time_and_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, epoch, reads = [100.0], [1], [0]
    monkeypatch.setattr(shared, "monotonic", lambda: clock[0])

    def read() -> Answer:
        reads[0] += 1
        return Answer(200, str(reads[0]).encode())

    def told(keeping: Keeping) -> bytes:
        return keeping.answer().content

    strict, plain = Keeping(read, lambda: epoch[0]), Keeping(read, None)
    assert (told(strict), told(strict)) == (b"1", b"1")
    # A stop is in every answer from its commit on.
    epoch[0] = 2
    assert (told(strict), told(strict)) == (b"2", b"2")
    assert strict.fresh() is None
    assert plain.fresh() is None
    assert (told(plain), told(plain)) == (b"3", b"3")
    assert plain.fresh() == Answer(200, b"3")
    clock[0] += shared.KEPT
    assert plain.fresh() is None
    assert (told(plain), told(strict)) == (b"4", b"5")
