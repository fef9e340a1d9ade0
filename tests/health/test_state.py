"""From results to a status: no flapping, no hasty word, nothing green that is not known."""

import pytest

from monitoring.health.choices import Status
from monitoring.health.state import Rule, Standing, in_doubt, judge, worst

LETTERS = {
    "h": Status.HEALTHY,
    "d": Status.DEGRADED,
    "u": Status.UNHEALTHY,
    "?": Status.UNKNOWN,
}
TWO = Rule(failures=2, recoveries=2)


def statuses(results: str, rule: Rule = TWO) -> str:
    """The status after each result, as letters."""
    standing, seen = Standing(), ""
    for letter in results:
        standing = judge(standing, LETTERS[letter], rule)
        seen += next(name for name, status in LETTERS.items() if status == standing.status)
    return seen


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        # A single lost check changes nothing, however often that happens.
        ("huhuhuhdhd", "hhhhhhhhhh"),
        ("huuhuhhh", "hhuuuuhh"),
        # The mildest of a run is what is certain.
        ("hduuhh", "hhduuh"),
        ("hdddd", "hhddd"),
        ("huddhh", "hhdddh"),
        # Out of unhealthy by way of what it is now.
        ("uuddhh", "?uuddh"),
        ("uudhhh", "?uudhh"),
        # What nothing is known of: well at once, ill after two.
        ("h", "h"),
        ("u", "?"),
        ("du", "?d"),
        # Nothing to tell is no failure, and what came before it does not count.
        ("hu?uu", "hh??u"),
        ("uu?h", "?u?h"),
    ],
)
def test_status_after_each_result(results: str, expected: str) -> None:
    assert statuses(results) == expected


def test_how_many_it_takes_is_tuned() -> None:
    assert statuses("huuuuhhh", Rule(failures=4, recoveries=3)) == "hhhhuuuh"
    assert statuses("huh", Rule(failures=1, recoveries=1)) == "huh"


def test_runs_are_bounded() -> None:
    standing = Standing(Status.HEALTHY, well=1000, up=1000)
    assert judge(standing, Status.HEALTHY, TWO) == standing


def test_only_a_result_that_differs_is_in_doubt() -> None:
    assert in_doubt(Standing(Status.HEALTHY), Status.UNHEALTHY)
    assert not in_doubt(Standing(Status.UNHEALTHY), Status.UNHEALTHY)


def test_the_worst_of_several() -> None:
    assert worst([Status.HEALTHY, Status.UNHEALTHY, Status.DEGRADED]) == Status.UNHEALTHY
    assert worst([Status.HEALTHY, Status.UNKNOWN]) == Status.UNKNOWN
    assert worst([]) == Status.UNKNOWN
