"""The arithmetic of the lease: nothing that happens to an event on its way can stretch it."""

import itertools
import math
import random

import pytest
from opsclient.lease import DRIFT, NONE, LeaseAnchor


@pytest.mark.parametrize(
    ("s", "term"),
    [
        (math.nan, 2.0),
        (math.inf, 2.0),
        (1.0, math.nan),
        (1.0, math.inf),
        (1.0, 0.0),
        (1.0, -2.0),
        (1.0, 61.0),
    ],
)
def test_numbers_that_cannot_be_used_grant_nothing(s: float, term: float) -> None:
    assert LeaseAnchor(c0=100.0, s0=1.0).deadline(s=s, term=term, received=200.0) == NONE


def test_the_formula_of_the_protocol() -> None:
    anchor = LeaseAnchor(c0=100.0, s0=5000.0)
    deadline = anchor.deadline(s=5010.0, term=2.0, received=1000.0)
    assert deadline == pytest.approx(100.0 + 10.0 + 2.0 - 12.0 * DRIFT)


def test_a_read_from_before_the_connection_counts_from_when_it_was_made() -> None:
    anchor = LeaseAnchor(c0=100.0, s0=5000.0)
    assert anchor.deadline(s=4999.0, term=2.0, received=1000.0) < 101.0


def test_a_hub_whose_clock_runs_ahead_lends_no_more_than_a_term() -> None:
    anchor = LeaseAnchor(c0=100.0, s0=5000.0)
    assert anchor.deadline(s=9000.0, term=2.0, received=101.0) == 103.0


# All in the true time of an outside observer: the hub reads its clock at `read`, the client connects at `connect`, the
# hub answers `answer_delay` later, and the lease arrives `delivery` after the read or the answer, whichever is later.
READS = (-5.0, -0.4, 0.0, 0.3, 7.0, 299.0)
ANSWER_DELAYS = (0.0, 0.001, 0.2, 4.9)
DELIVERIES = (0.0, 0.001, 0.7, 30.0, 3600.0)
TERMS = (0.5, 2.0, 30.0)
# Half of the allowance for each clock, so that the two differ by no more than DRIFT.
RATES = (1 - DRIFT / 2, 1.0, 1 + DRIFT / 2)


@pytest.mark.parametrize("hub_rate", RATES)
@pytest.mark.parametrize("client_rate", RATES)
def test_no_delay_and_no_drift_can_stretch_a_lease(hub_rate: float, client_rate: float) -> None:
    dice = random.Random(7)
    for read, answer_delay, delivery, term in itertools.product(READS, ANSWER_DELAYS, DELIVERIES, TERMS):
        hub_zero, client_zero = dice.uniform(-1e6, 1e6), dice.uniform(0, 1e6)
        anchor = LeaseAnchor(c0=client_zero, s0=hub_zero + answer_delay * hub_rate)
        received = client_zero + (max(read, answer_delay) + delivery) * client_rate
        deadline = anchor.deadline(s=hub_zero + read * hub_rate, term=term, received=received)
        ends = (deadline - client_zero) / client_rate  # in true time
        # The term is the hub's: it lasts term / hub_rate of true time. 1e-6 is for the rounding of large floats.
        assert ends <= read + term / hub_rate + 1e-6


def test_a_prompt_lease_is_worth_nearly_the_whole_term() -> None:
    anchor = LeaseAnchor(c0=100.0, s0=5000.0)
    after_five_minutes = anchor.deadline(s=5300.0, term=2.0, received=400.0)
    assert 401.8 < after_five_minutes < 402.0
