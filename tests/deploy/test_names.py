"""Dashboards and rules name only metrics and labels that there are."""

import pytest

from monitoring.metrics.catalogue import CATALOGUE
from tests.deploy import files, names, promql


def test_an_expression_is_taken_apart() -> None:
    found = promql.selectors(
        'a:b{x=~"$y", z!="}"} / on (q) (sum by (w) (rate(c_total[5m])) > 0) or time() - vector(1)'
    )
    assert {(selector.metric, selector.labels) for selector in found} == {
        ("a:b", frozenset({"x", "z"})),
        ("c_total", frozenset()),
    }
    assert promql.grouped_by("sum by (w, le) (a) / on (q) b") == {"w", "le", "q"}


def test_an_expression_loses_its_comparison_and_nothing_else() -> None:
    assert promql.without_comparison("sum(a > 0) >= 12.5") == "sum(a > 0)"
    assert promql.without_comparison("sum(a) / (sum(b) > 0)") == "sum(a) / (sum(b) > 0)"


@pytest.mark.parametrize("expression", files.every_expression(), ids=str)
def test_only_known_metrics_and_labels_are_named(expression: files.Expression) -> None:
    known = names.stored()
    found = promql.selectors(expression.text)
    assert found, "it names no metric"
    assert {selector.metric for selector in found} - set(known) == set()
    for selector in found:
        assert selector.labels - known[selector.metric] == set(), selector.metric
    shared = set.intersection(*(known[selector.metric] for selector in found))
    assert promql.grouped_by(expression.text) - shared == set()


def test_every_metric_that_processes_report_is_on_a_dashboard() -> None:
    shown = {
        selector.metric
        for expression in files.panel_expressions()
        for selector in promql.selectors(expression.text)
    }
    hidden = [name for name in CATALOGUE if not shown & {name, f"{name}_bucket"}]
    assert hidden == []
