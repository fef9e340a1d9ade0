"""Words of the Prometheus text format 0.0.4 and of OpenMetrics 1.0. Pure."""

import math
from collections.abc import Iterable, Mapping

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_VALUE = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})
_OPENMETRICS_NAMES = frozenset({"application/openmetrics-text"})


def number(value: float) -> str:
    """As both formats write it: `1.0`, `0.25`, `+Inf`, `NaN`."""
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def label_set(labels: Iterable[tuple[str, str]]) -> str:
    """`name="value",…` in the given order, values escaped, without braces."""
    return ",".join(f'{name}="{value.translate(_VALUE)}"' for name, value in labels)


def head(name: str, kind: str, help_text: str, *, openmetrics: bool) -> str:
    """The two lines before a metric. In OpenMetrics a counter is called without its `_total`."""
    if openmetrics and kind == "counter":
        name = name.removesuffix("_total")
    escaped = help_text.translate(_VALUE if openmetrics else _HELP)
    return f"# HELP {name} {escaped}\n# TYPE {name} {kind}\n"


def bucket_labels(bounds: Iterable[float]) -> list[str]:
    """`le="…"` for each bound, then for +Inf."""
    return [f'le="{number(bound)}"' for bound in (*bounds, math.inf)]


def accepts_openmetrics(accept: str) -> bool:
    """Whether an Accept header asks for OpenMetrics 1.x and does not prefer the other format."""
    wishes: dict[bool, float] = {}
    for part in accept.split(","):
        name, *rest = (word.strip() for word in part.split(";"))
        parameters = _parameters(rest)
        is_openmetrics = name.lower() in _OPENMETRICS_NAMES
        if is_openmetrics and not parameters.get("version", "1").startswith(("1", "0.0.1")):
            continue
        if is_openmetrics or name.lower() in {"text/plain", "text/*", "*/*"}:
            wishes[is_openmetrics] = max(wishes.get(is_openmetrics, 0.0), _quality(parameters))
    return wishes.get(True, 0.0) > 0 and wishes[True] >= wishes.get(False, 0.0)


def _parameters(words: Iterable[str]) -> Mapping[str, str]:
    return {
        name.strip().lower(): value.strip().strip('"')
        for name, found, value in (word.partition("=") for word in words)
        if found
    }


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
