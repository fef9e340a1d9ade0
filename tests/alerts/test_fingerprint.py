"""Which alerts are one and the same."""

import pytest

from alerts.fingerprint import alertmanager_fingerprint, content, identity, identity_of_labels


def test_order_of_labels_does_not_count() -> None:
    one = identity("RISK_WARNING", "Volatility", {"symbol": "IBM", "venue": "x"})
    assert one == identity("RISK_WARNING", "Volatility", {"venue": "x", "symbol": "IBM"})


@pytest.mark.parametrize(
    ("category", "title", "labels"),
    [
        ("SYSTEM_ERROR", "Volatility", {"a": "b"}),
        ("RISK_WARNING", "volatility", {"a": "b"}),
        ("RISK_WARNING", "Volatility", {}),
        ("RISK_WARNING", "Volatility", {"a": "c"}),
        ("RISK_WARNING", "Volatility", {"b": "a"}),
        # What a careless encoding would read alike.
        ("RISK_WARNING", "Volatility1:a1:b", {}),
        ("RISK_WARNING", "Volatility1:a", {"1": "b"}),
    ],
)
def test_each_part_counts(category: str, title: str, labels: dict[str, str]) -> None:
    assert identity(category, title, labels) != identity("RISK_WARNING", "Volatility", {"a": "b"})


def test_lists_of_labels_are_unambiguous() -> None:
    assert identity_of_labels({"a": "1:b1:c", "d": ""}) != identity_of_labels({"a": "", "b": "c", "d": ""})
    assert identity_of_labels({"a": "b", "c": "d"}) != identity_of_labels({"a": "bcd"})


def test_own_key_replaces_title_and_labels() -> None:
    one = identity("RISK_WARNING", "Volatility", {"a": "b"}, "order-17")
    assert one == identity("RISK_WARNING", "Something else", {}, "order-17")
    assert one != identity("SYSTEM_ERROR", "Volatility", {"a": "b"}, "order-17")
    assert one != identity("RISK_WARNING", "order-17", {})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, 14695981039346656037),
        # Of Prometheus' own tests (model/signature_test.go).
        ({"name": "garland, briggs", "fear": "love is not enough"}, 5799056148416392346),
    ],
)
def test_alertmanagers_fingerprint(labels: dict[str, str], expected: int) -> None:
    assert alertmanager_fingerprint(labels) == f"{expected:016x}"


def test_content_tells_changes_and_fits_a_bigint() -> None:
    values = {content("a", "b"), content("ab", ""), content("", "ab"), content("a", "b", "")}
    assert len(values) == 4
    assert all(-(2**63) <= value < 2**63 for value in values)
