"""Matchers: whether an alert's labels are meant, as Alertmanager does it. Pure; regular expressions by RE2, so that no pattern hangs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# As Alertmanager reads one: name, operator, and a value with or without quotes; blanks around them do not count.
FILTER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LONGEST_NAME = 128
LONGEST_VALUE = 1024
MOST_MATCHERS = 64
# Bytes that one compiled pattern may use.
PATTERN_MEMORY = 1 << 20
# Compiled patterns that are kept; each takes some kilobytes.
PATTERNS = 2_000

KEYS = ("name", "value", "isRegex", "isEqual")
OPERATORS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label compared with a value, or with a pattern that must cover it whole. A label that is missing is the empty text.

    Raises ValueError when the pattern cannot be compiled.
    """

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True
    _pattern: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.is_regex:
            object.__setattr__(self, "_pattern", _compiled(self.value))

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{OPERATORS[self.is_regex, self.is_equal]}"{escaped}"'

    def __reduce__(self) -> tuple[type["Matcher"], tuple[str, str, bool, bool]]:
        return Matcher, (self.name, self.value, self.is_regex, self.is_equal)

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        found = self._pattern.fullmatch(value) is not None if self.is_regex else value == self.value
        return found is self.is_equal

    def as_json(self) -> dict[str, Any]:
        """As it is stored, and as Alertmanager's API has it."""
        return dict(zip(KEYS, (self.name, self.value, self.is_regex, self.is_equal), strict=True))


def parse_matchers(raw: object, *, field: str = "matchers") -> tuple[Matcher, ...]:
    """A list of `{"name", "value", "isRegex"?, "isEqual"?}`. Raises ValueError, a sentence that names `field` and the index."""
    if not isinstance(raw, list | tuple) or not raw:
        raise ValueError(f"{field} must be a list of at least one matcher.")
    if len(raw) > MOST_MATCHERS:
        raise ValueError(f"{field} has {len(raw)} matchers; at most {MOST_MATCHERS} are allowed.")
    return tuple(_matcher(item, f"{field}[{index}]") for index, item in enumerate(raw))


def parse_filter(text: str) -> Matcher:
    r"""One matcher as text: `name OP value`, OP one of = != =~ !~. Raises ValueError.

    The value may stand in double quotes; `\"`, `\\` and `\n` are escapes, with quotes and without.
    """
    found = FILTER.fullmatch(text)
    if found is None:
        raise ValueError(f"bad matcher format: {text[:200]}")
    name, operator, value = found.groups()
    is_regex, is_equal = next(kind for kind, sign in OPERATORS.items() if sign == operator)
    return Matcher(name, _unquoted(value), is_regex, is_equal)


def _matcher(item: object, where: str) -> Matcher:
    if not isinstance(item, Mapping):
        raise ValueError(f"{where} must be an object with {', '.join(KEYS)}.")
    unknown = [str(key) for key in item if key not in KEYS]
    if unknown:
        raise ValueError(f"{where}.{unknown[0][:50]} is not known. Allowed are {', '.join(KEYS)}.")
    name = _text(item.get("name"), f"{where}.name", LONGEST_NAME)
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{where}.name must begin with a letter or _ and have only letters, digits and _ after it."
        )
    value = _text(item.get("value"), f"{where}.value", LONGEST_VALUE)
    is_regex = _flag(item.get("isRegex", False), f"{where}.isRegex")
    is_equal = _flag(item.get("isEqual", True), f"{where}.isEqual")
    try:
        return Matcher(name, value, is_regex, is_equal)
    except ValueError as error:
        raise ValueError(f"{where}.value: {error}") from None


def _text(value: object, where: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} must be text.")
    if len(value) > longest:
        raise ValueError(f"{where} has {len(value)} characters; at most {longest} are allowed.")
    if UNSTORABLE.search(value):
        raise ValueError(f"{where} has characters that cannot be stored (NUL or half of a surrogate pair).")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where} must be true or false.")
    return value


@lru_cache(maxsize=PATTERNS)
def _compiled(pattern: str) -> Any:
    """A silence's pattern is compiled when it is made, and asked for by every process that decides or lists."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"not a regular expression of RE2: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _unquoted(raw: str) -> str:
    quoted = raw.startswith('"')
    body = raw[1:] if quoted else raw
    if UNSTORABLE.search(body):
        raise ValueError("matcher value has characters that cannot be stored")
    text, closed, characters = "", False, iter(enumerate(body))
    for index, character in characters:
        if character == "\\" and index < len(body) - 1:
            _, following = next(characters)
            text += {"n": "\n", '"': '"', "\\": "\\"}.get(following, "\\" + following)
        elif character == '"':
            if not quoted or index < len(body) - 1:
                raise ValueError(f"matcher value contains unescaped double quote: {raw[:200]}")
            closed = True
        else:
            text += character
    if quoted and not closed:
        raise ValueError(f"matcher value does not end in double quote: {raw[:200]}")
    return text
