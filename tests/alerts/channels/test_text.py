"""Cleaning and cutting."""

import pytest

from alerts.channels.text import clean, cut, isolate, one_line, units

FAMILY = "👩‍👩‍👧"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b\x1b[31mc\x7fd\x85e", "ab[31mcde"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\u202egnp.exe\u202c \u2066x\u2069\u200f\ufeff", "gnp.exe x"),
        ("a\n\n\n\n\nb  ", "a\n\nb"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("tab\tstays, −$3,118.40 too", "tab\tstays, −$3,118.40 too"),
    ],
)
def test_cleans(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_one_line_has_no_line_ends() -> None:
    assert one_line(" a\n b\t\u2028c ") == "a b c"


def test_what_runs_from_the_right_is_isolated() -> None:
    assert isolate("שלום IBM") == "\u2068שלום IBM\u2069"
    assert isolate("Grüße, 5%") == "Grüße, 5%"


def test_units_are_those_of_utf_16() -> None:
    assert units("a") == 1
    assert units("👩") == 2
    assert units(FAMILY) == len(FAMILY.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "limit", "left"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("👩👩👩", 5, "👩👩…"),
        ("ae\u0301bc", 3, "a…"),
        (f"ab{FAMILY}", 7, "ab…"),
        ("anything", 0, ""),
        ("two words", 5, "two…"),
    ],
)
def test_cuts_between_whole_characters(text: str, limit: int, left: str) -> None:
    assert cut(text, limit) == left
    assert units(left) <= limit
