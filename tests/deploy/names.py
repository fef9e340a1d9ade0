"""Which names an expression may use: the catalogue's, as Prometheus stores them, and the labels of each."""

from monitoring.metrics.catalogue import CATALOGUE, Kind
from tests.deploy import files, promql

# What the console says of itself beside the catalogue.
CONSOLE = {
    "opsconsole_trading_halted": {"scope"},
    "opsconsole_metrics_last_push_timestamp_seconds": {"client"},
    "opsconsole_watchdog_passed_timestamp_seconds": {"stage"},
}
TARGET = {"job", "instance"}


def stored() -> dict[str, set[str]]:
    """Every series name of the console with its labels, and those of recording rules."""
    names: dict[str, set[str]] = {"up": set(), **CONSOLE}
    for metric in CATALOGUE.values():
        labels = {*metric.labels, "client"}
        if metric.kind is Kind.HISTOGRAM:
            names |= {f"{metric.name}_sum": labels, f"{metric.name}_count": labels}
            names[f"{metric.name}_bucket"] = {*labels, "le"}
        else:
            names[metric.name] = labels
    names = {name: labels | TARGET for name, labels in names.items()}
    for rule in files.rules():
        if "record" in rule:
            names[rule["record"]] = promql.grouped_by(rule["expr"]) - {"le"}
    return names
