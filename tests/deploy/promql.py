"""As much of PromQL as is needed to say which metrics and labels an expression names."""

import re
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*\{([^}]*)\}")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][a-zA-Z0-9_:]*)(?!\s*[\w:(])")
_RANGE = re.compile(r"\[[^\]]*\]")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"}
_COMPARISON = re.compile(r"\s*(?:<=|>=|<|>|==|!=)\s*(?:bool\s+)?-?[0-9.]+$")
# What Grafana puts in.
_VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "6h",
    "$__interval": "15s",
    "${client}": ".+",
    "$client": ".+",
}


@dataclass(frozen=True)
class Selector:
    """One selection of a metric: its name (empty: any) and the labels it is matched by."""

    metric: str
    labels: frozenset[str]


def selectors(expression: str) -> list[Selector]:
    bare = _RANGE.sub("", _GROUPING.sub("", _STRING.sub('""', expression)))
    found = [
        Selector(match[1] or "", frozenset(re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", match[2])))
        for match in _SELECTOR.finditer(bare)
    ]
    rest = _SELECTOR.sub(" ", bare)
    return found + [Selector(name, frozenset()) for name in _NAME.findall(rest) if name not in _WORDS]


def grouped_by(expression: str) -> set[str]:
    """Every label that something is grouped or matched by."""
    lists = _GROUPING.findall(_STRING.sub('""', expression))
    return {label.strip() for text in lists for label in text.split(",") if label.strip()}


def without_comparison(expression: str) -> str:
    """The left side of the comparison with a number that ends an expression, so that it has a value even if it does not hold."""
    return _COMPARISON.sub("", expression.strip())


def compares(expression: str) -> bool:
    return _COMPARISON.search(expression.strip()) is not None


def filled_in(expression: str) -> str:
    """With values for Grafana's variables."""
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    return expression
