"""Matchers, read from JSON and from text, and what they match."""

import pickle
import re

import pytest

from alerts.matching import MOST_MATCHERS, Matcher, parse_filter, parse_matchers

GOOD = {"name": "symbol", "value": "IBM"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("symbol=IBM", "matchers must be a list of at least one matcher"),
        ([], "matchers must be a list of at least one matcher"),
        ([GOOD] * (MOST_MATCHERS + 1), "matchers has 65 matchers; at most 64"),
        ([GOOD, 7], "matchers[1] must be an object with name, value, isRegex, isEqual"),
        ([GOOD, GOOD | {"regex": True}], "matchers[1].regex is not known"),
        ([{"value": "x"}], "matchers[0].name must be text"),
        ([{"name": "a b", "value": "x"}], "matchers[0].name must begin with a letter or _"),
        ([{"name": "a\n", "value": "x"}], "matchers[0].name must begin with a letter or _"),
        ([{"name": "a", "value": 1}], "matchers[0].value must be text"),
        ([{"name": "a", "value": "x" * 1025}], "matchers[0].value has 1025 characters; at most 1024"),
        ([{"name": "a", "value": "\x00"}], "matchers[0].value has characters that cannot be stored"),
        ([{"name": "a", "value": "\ud800"}], "matchers[0].value has characters that cannot be stored"),
        ([GOOD | {"isRegex": 1}], "matchers[0].isRegex must be true or false"),
        ([GOOD | {"isEqual": None}], "matchers[0].isEqual must be true or false"),
        ([{"name": "a", "value": "(", "isRegex": True}], "matchers[0].value: not a regular expression"),
        # What RE2 does not have, since it could take for ever.
        ([{"name": "a", "value": r"(a)\1", "isRegex": True}], "matchers[0].value: not a regular expression"),
        ([{"name": "a", "value": "((a{1000}){1000}){1000}", "isRegex": True}], "matchers[0].value: not a"),
    ],
)
def test_refuses_and_says_where(raw: object, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_matchers(raw)


def test_names_the_field_it_is_told() -> None:
    with pytest.raises(ValueError, match=re.escape("filter[0] must be an object")):
        parse_matchers([1], field="filter")


@pytest.mark.parametrize(
    ("matcher", "labels", "expected"),
    [
        (Matcher("a", "x"), {"a": "x"}, True),
        (Matcher("a", "x"), {"a": "xy"}, False),
        (Matcher("a", ""), {}, True),
        (Matcher("a", "", is_equal=False), {}, False),
        (Matcher("a", "x", is_equal=False), {}, True),
        (Matcher("a", "x|y", is_regex=True), {"a": "y"}, True),
        # A pattern covers the whole value.
        (Matcher("a", "x|y", is_regex=True), {"a": "xy"}, False),
        (Matcher("a", "x|y", is_regex=True), {"a": "y\n"}, False),
        (Matcher("a", "x.*", is_regex=True, is_equal=False), {"a": "xyz"}, False),
        (Matcher("a", "x*", is_regex=True), {}, True),
        (Matcher("a", "(?i)ibm", is_regex=True), {"a": "IBM"}, True),
        (Matcher("a", "ü.ö", is_regex=True), {"a": "ü→ö"}, True),
        # Without RE2 this one would run for years.
        (Matcher("a", "(x+x+)+y", is_regex=True), {"a": "x" * 500}, False),
    ],
)
def test_matches(matcher: Matcher, labels: dict[str, str], expected: bool) -> None:
    assert matcher.matches(labels) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=x", Matcher("a", "x")),
        (' a = "x y" \n', Matcher("a", "x y")),
        ("a!=x", Matcher("a", "x", is_equal=False)),
        ("a=~x.*", Matcher("a", "x.*", is_regex=True)),
        ('a!~"x|y"', Matcher("a", "x|y", is_regex=True, is_equal=False)),
        ("a=", Matcher("a", "")),
        ('a=""', Matcher("a", "")),
        (r'a="say \"x\" \\ \n \d"', Matcher("a", 'say "x" \\ \n \\d')),
        ("a=x\\", Matcher("a", "x\\")),
        ("a=x=y", Matcher("a", "x=y")),
    ],
)
def test_reads_a_filter(text: str, expected: Matcher) -> None:
    assert parse_filter(text) == expected
    assert parse_filter(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "a", "=x", '{a="x"}', 'a="x",b="y"', 'a="x', 'a=x"', "a b=x", "a=~(", "1a=x", "a=\x00"]
)
def test_refuses_a_filter(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|regular expression"):
        parse_filter(text)


def test_comes_back_from_its_json_and_from_a_pickle() -> None:
    matcher = Matcher("a", "x.*", is_regex=True, is_equal=False)
    assert parse_matchers([matcher.as_json()]) == (matcher,)
    assert parse_matchers([GOOD]) == (Matcher("symbol", "IBM"),)
    assert pickle.loads(pickle.dumps(matcher)).matches({"a": "y"})
