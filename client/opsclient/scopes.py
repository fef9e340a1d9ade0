"""Scopes: what a stop covers. `global`, or `<kind>:<value>`."""

from collections.abc import Iterable

from opsclient.errors import ConfigurationError

GLOBAL = "global"
KINDS = ("account", "venue", "strategy", "symbol")
LONGEST = 128


def is_scope(text: object) -> bool:
    """Whether the text is `global` or one of the four kinds with a value."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return False
    kind, colon, value = text.partition(":")
    return text == GLOBAL or (bool(colon) and kind in KINDS and value == value.strip() != "")


def process_scopes(scopes: Iterable[str], *, argument: str) -> frozenset[str]:
    """The scopes of a process, checked. Raises ConfigurationError naming the argument and the bad scope."""
    if isinstance(scopes, str):
        raise ConfigurationError(
            f"{argument} must be a collection of scopes, not one text: use ({scopes!r},)"
        )
    checked = frozenset(scopes)
    for scope in checked:
        if scope == GLOBAL or not is_scope(scope):
            raise ConfigurationError(
                f"{argument} contains {scope!r}; allowed are <kind>:<value> with the kinds {', '.join(KINDS)}"
            )
    return checked


def covers(scope: str, named: frozenset[str]) -> bool:
    """Whether a stop of `scope` covers something of which the scopes `named` are known.

    A stop of a kind that is not named covers it too: who does not say which symbol it trades may be trading this one,
    and the console counts the process among those that must prove to have stopped.
    """
    if scope == GLOBAL or scope in named:
        return True
    prefix = scope.partition(":")[0] + ":"
    return not any(name.startswith(prefix) for name in named)
