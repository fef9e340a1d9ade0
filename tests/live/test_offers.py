"""Which leases a stream takes, and in which order it sends what it was offered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from opsconsole.live.feeds import LEASE_COVER, StreamGrant
from opsconsole.live.streams import TradingStream

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def unused(_message: Any) -> None:
    raise AssertionError("nothing is sent in these tests")


@pytest.fixture
def stream() -> TradingStream:
    """Arrived at 100 by the hub's clock, registered at 101."""
    grant = StreamGrant(client_id=1, key="AAPL/1", label="AAPL", opened_at=NOW)
    return TradingStream(grant, unused, arrived=100.0, opened=101.0)


@pytest.mark.parametrize("s", [100.5, 100.999, 100.0 + LEASE_COVER + 0.001])
def test_a_lease_is_refused(stream: TradingStream, s: float) -> None:
    """Its read began before the registration was committed, or the database does not know that it may be given."""
    assert not stream.offer_lease(b"lease", s=s, until=NOW)
    assert stream.take() is None
    assert stream.lease_until is None


@pytest.mark.parametrize("s", [101.0, 105.0, 100.0 + LEASE_COVER])
def test_a_lease_is_taken_and_its_end_is_kept(stream: TradingStream, s: float) -> None:
    assert stream.offer_lease(b"lease", s=s, until=NOW)
    assert stream.lease_until == NOW
    assert stream.take() == b"lease"
    assert stream.take() is None


def test_a_touch_extends_what_may_be_given(stream: TradingStream) -> None:
    stream.covered_until = 200.0
    assert stream.offer_lease(b"lease", s=150.0, until=NOW)


def test_the_state_goes_before_its_lease(stream: TradingStream) -> None:
    stream.offer_state(b"state ")
    stream.offer_lease(b"lease", s=102.0, until=NOW)
    assert stream.take() == b"state lease"


def test_a_lease_of_the_older_state_is_dropped(stream: TradingStream) -> None:
    stream.offer_lease(b"old lease", s=102.0, until=NOW)
    stream.offer_state(b"state")
    assert stream.take() == b"state"


def test_only_the_newest_is_kept(stream: TradingStream) -> None:
    for number in range(1000):
        stream.offer_state(b"state%d " % number)
        stream.offer_lease(b"lease%d" % number, s=102.0, until=NOW)
    stream.offer_nolease(b"nolease")
    assert stream.take() == b"state999 nolease"
    assert stream.take() is None


def test_what_stands_beside_waits_for_state_and_lease(stream: TradingStream) -> None:
    stream.offer_side("breakers", b"first", whole=b"whole 1")
    stream.offer_lease(b"lease", s=102.0, until=NOW)
    stream.offer_state(b"state")
    assert [stream.take() for _ in range(3)] == [b"state", b"first", None]


def test_news_that_waits_becomes_the_whole(stream: TradingStream) -> None:
    for number in range(3):
        stream.offer_side("breakers", b"news %d" % number, whole=b"whole %d" % number)
    assert [stream.take(), stream.take()] == [b"whole 2", None]
