"""What someone who wants to stop has sent, read so that it always stops.

Nothing here refuses. What cannot be read becomes what is safest (HALTED, global, a real stop, reason MANUAL); a warning says so, and what was
sent is kept in the metadata under `sent`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from killswitch.choices import Mode, Reason
from killswitch.state import GLOBAL, parse_scope
from opsconsole.audit.storable import storable_json, storable_text

FIELDS = ("reason", "message", "metadata", "scope", "mode", "drill")
MESSAGE_LENGTH = 2000
# Metadata travel to every trading process, so they are bounded: characters of JSON.
METADATA_LENGTH = 16_000
SENT_LENGTH = 4000
TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off", "", "none", "null"})


@dataclass(frozen=True, slots=True)
class StopOrder:
    """A stop (or drill) as it will be carried out."""

    reason: Reason
    message: str
    metadata: dict[str, Any]
    scope: str
    mode: Mode
    drill: bool
    warnings: list[str]


@dataclass(slots=True)
class _Reader:
    fields: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)
    sent: dict[str, Any] = field(default_factory=dict)

    def reject(self, name: str, warning: str) -> None:
        self.warnings.append(warning)
        self.sent[name] = self.fields.get(name)

    def reason(self) -> Reason:
        value = self.fields.get("reason")
        word = str(value).strip().upper() if isinstance(value, str) else value
        if word in (None, ""):
            return Reason.MANUAL
        if isinstance(word, str) and word in Reason.values:
            return Reason(word)
        self.reject("reason", f"reason: unknown, taken as MANUAL; known are {', '.join(Reason.values)}")
        return Reason.MANUAL

    def mode(self) -> Mode:
        value = self.fields.get("mode")
        word = str(value).strip().upper() if isinstance(value, str) else value
        if word in (None, ""):
            return Mode.HALTED
        if word in (Mode.HALTED, Mode.REDUCE_ONLY):
            return Mode(word)
        self.reject("mode", "mode: cannot be read, taken as HALTED; known are HALTED and REDUCE_ONLY")
        return Mode.HALTED

    def scope(self) -> str:
        value = self.fields.get("scope")
        if value in (None, ""):
            return GLOBAL
        try:
            return parse_scope(value if isinstance(value, str) else "")
        except ValueError as error:
            self.reject("scope", f"{error}; it could not be read, so everything is stopped")
            return GLOBAL

    def drill(self) -> bool:
        value = self.fields.get("drill")
        word = str(value).strip().lower()
        if word in TRUE:
            return True
        if word not in FALSE:
            self.reject("drill", "drill: cannot be read, so this is a real stop; allowed are true and false")
        return False

    def message(self) -> str:
        value = self.fields.get("message")
        if value is None:
            return ""
        if not isinstance(value, str):
            self.reject("message", "message: is not a text")
            return ""
        if len(value) > MESSAGE_LENGTH:
            self.warnings.append(f"message: cut to {MESSAGE_LENGTH} characters")
        return storable_text(value, length=MESSAGE_LENGTH)

    def metadata(self) -> dict[str, Any]:
        value = self.fields.get("metadata")
        if isinstance(value, str) and value.strip():
            value = _json_or_none(value)
        if value in (None, ""):
            if self.fields.get("metadata") not in (None, ""):
                self.reject("metadata", "metadata: cannot be read as JSON")
            return {}
        if not isinstance(value, Mapping):
            self.reject("metadata", "metadata: is not a JSON object")
            return {}
        plain: dict[str, Any] = storable_json(value)
        if len(json.dumps(plain)) > METADATA_LENGTH:
            self.reject(
                "metadata",
                f"metadata: longer than {METADATA_LENGTH} characters, kept as the beginning of its text",
            )
            return {}
        return plain


def read_stop(fields: Mapping[str, Any], *, problems: Sequence[str] = (), raw: str = "") -> StopOrder:
    """Never raises. `problems`: what went wrong before, while the body was read; `raw`: that body, kept if there were any."""
    reader = _Reader(fields=fields, warnings=list(problems))
    if problems and raw:
        reader.sent["body"] = raw
    for name in fields:
        if name not in FIELDS:
            reader.reject(
                name,
                f"{storable_text(str(name), length=64)}: not a field of a stop; known are {', '.join(FIELDS)}",
            )
    reason, mode, scope, drill = reader.reason(), reader.mode(), reader.scope(), reader.drill()
    message, metadata = reader.message(), reader.metadata()
    if reader.sent:
        metadata = {**metadata, "sent": _bounded(reader.sent)}
    return StopOrder(
        reason=reason,
        message=message,
        metadata=metadata,
        scope=scope,
        mode=mode,
        drill=drill,
        warnings=reader.warnings,
    )


def _bounded(sent: dict[str, Any]) -> Any:
    plain = storable_json(sent)
    text = json.dumps(plain, ensure_ascii=False)
    return plain if len(text) <= SENT_LENGTH else storable_text(text, length=SENT_LENGTH)


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
