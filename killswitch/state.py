"""The rules of the kill switch, without database or clock."""

import re
from collections.abc import Iterable

from killswitch.choices import Mode

GLOBAL = "global"
SCOPE_KINDS = ("account", "venue", "strategy", "symbol")
SCOPE = re.compile(rf"(?P<kind>{'|'.join(SCOPE_KINDS)}):(?P<value>[^\s\x00-\x1f\x7f]{{1,80}})", re.IGNORECASE)
SEVERITY = {Mode.ACTIVE: 0, Mode.REDUCE_ONLY: 1, Mode.HALTED: 2}


def parse_scope(text: str) -> str:
    """`global` or `<kind>:<value>` in its one spelling (the kind in lower case). ValueError says what is allowed."""
    text = text.strip()
    if text.lower() == GLOBAL:
        return GLOBAL
    match = SCOPE.fullmatch(text)
    if match is None or not text.isprintable():
        raise ValueError(
            f"scope: must be {GLOBAL}, or one of {', '.join(f'{kind}:…' for kind in SCOPE_KINDS)}"
        )
    return f"{match['kind'].lower()}:{match['value']}"


def covers(scope: str, client_scopes: Iterable[str]) -> bool:
    """Whether a stop of `scope` concerns a process that trades `client_scopes`.

    A process that names no scope of the stop's kind may trade anything of that kind, so the stop concerns it.
    """
    if scope == GLOBAL:
        return True
    kind = scope.partition(":")[0]
    named = {item for item in client_scopes if item.partition(":")[0] == kind}
    return not named or scope in named


def closes_further(present: Mode, wanted: Mode) -> bool:
    """Whether `wanted` lets less through than `present`. A stop only ever closes; opening is re-arming."""
    return SEVERITY[wanted] > SEVERITY[present]
