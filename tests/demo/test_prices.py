"""Where the tape begins."""

import pytest

from demo.__main__ import main
from demo.prices import first_day, load


@pytest.mark.parametrize("given", ["2008-13-01", "29.9.2008", "2010-01-04"])
def test_a_day_that_is_not_there_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--from", given])
    assert ended.value.code == 2
    assert "--from: must be a day as YYYY-MM-DD; " in capsys.readouterr().err


def test_it_begins_with_the_day_or_the_next_one_that_was_traded() -> None:
    tapes = load()
    days = [bar.date for bar in tapes["IBM"]]
    assert days[first_day(tapes, "2008-09-29")] == "2008-09-29"
    # A Sunday.
    assert days[first_day(tapes, "2008-09-28")] == "2008-09-29"
    assert first_day(tapes, "") == 0
