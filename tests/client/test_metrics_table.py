"""The client's table of metrics is the console's catalogue; here both are at hand."""

from opsclient.metrics.series import MOST_LABEL_SETS
from opsclient.metrics.table import CONSOLE_OWN, TABLE

from monitoring.metrics.catalogue import CATALOGUE, Source


def test_the_client_knows_what_the_console_takes_and_nothing_else() -> None:
    theirs = {
        name: (str(metric.kind), metric.labels, metric.buckets, dict(metric.choices))
        for name, metric in CATALOGUE.items()
        if metric.source is Source.CLIENT
    }
    mine = {
        name: (str(metric.kind), metric.labels, metric.buckets, dict(metric.choices))
        for name, metric in TABLE.items()
    }
    assert mine == theirs


def test_what_the_console_knows_itself_is_named_as_such() -> None:
    assert {name for name, metric in CATALOGUE.items() if metric.source is not Source.CLIENT} == CONSOLE_OWN
    assert MOST_LABEL_SETS == 1_000
