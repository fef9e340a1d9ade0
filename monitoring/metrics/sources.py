"""What the console itself knows and shows at `/metrics` beside what trading processes report: read anew at each scrape.

Another part of the console adds its own with `register_source()`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from monitoring.metrics.catalogue import CATALOGUE, Kind

logger = logging.getLogger(__name__)

# Of what the console itself knows.
CLIENT = "console"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value. `labels`: in the order of the exposition; for a metric of the catalogue without `client`, which is added."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def label_pairs(self) -> list[tuple[str, str]]:
        pairs = list(self.labels.items())
        return [*pairs, ("client", CLIENT)] if self.name in CATALOGUE else pairs


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric of the console that is not in the catalogue: it never comes from a client."""

    name: str
    kind: Kind
    help: str


Source = Callable[[datetime], Iterable[Sample]]

_sources: dict[str, Source] = {}
_own: dict[str, OwnMetric] = {}

SOURCE_UP = OwnMetric(
    "opsconsole_metrics_source_up",
    Kind.GAUGE,
    "Whether this source of the console's own metrics could be read at this scrape: 1 yes, 0 no.",
)


def register_source(name: str, source: Source, *metrics: OwnMetric) -> None:
    """Ask `source(now)` at each scrape. `metrics`: those it yields that the catalogue does not have. A name registered again is replaced."""
    _sources[name] = source
    _own.update({metric.name: metric for metric in metrics})


def own_metrics() -> list[OwnMetric]:
    return [*_own.values(), SOURCE_UP]


def read_sources(*, now: datetime) -> list[Sample]:
    """All samples. A source that fails is logged and shown as down; the others are shown all the same."""
    found: list[Sample] = []
    for name, source in _sources.items():
        try:
            samples = list(source(now))
        except Exception:
            logger.exception("The metrics of %s could not be read", name)
            samples = [Sample(SOURCE_UP.name, 0, {"source": name})]
        else:
            samples.append(Sample(SOURCE_UP.name, 1, {"source": name}))
        found += samples
    return found
