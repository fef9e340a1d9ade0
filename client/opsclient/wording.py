"""From whatever words `activate` was given to a stop: a stop is never refused over its wording."""

from typing import Any

from opsclient import clock
from opsclient.jsonable import jsonable
from opsclient.reasons import KillSwitchReason, Mode
from opsclient.scopes import GLOBAL, is_scope
from opsclient.snapshot import Stop

REASONS = frozenset(map(str, KillSwitchReason))


def readable_stop(
    reason: object, message: object, metadata: object, scope: object, mode: object, *, by: str
) -> tuple[Stop, list[str]]:
    """A stop from whatever was given, and warnings for what could not be understood. Never refuses."""
    warnings: list[str] = []
    sent: dict[str, Any] = {}

    def usable(name: str, value: object, known: bool, instead: str) -> str:
        if known:
            return str(value)
        sent[name] = jsonable(value)
        warnings.append(f"{name} {value!r:.80} is not known; stopped as {instead}")
        return instead

    known_reason = isinstance(reason, str) and reason in REASONS
    reason_text = usable("reason", reason, known_reason, KillSwitchReason.MANUAL)
    scope_text = usable("scope", scope, is_scope(scope), GLOBAL)
    mode_text = usable("mode", mode, mode in (Mode.HALTED, Mode.REDUCE_ONLY), Mode.HALTED)
    data = {} if metadata is None else jsonable(metadata)
    if not isinstance(data, dict):
        sent["metadata"], data = data, {}
        warnings.append("metadata is not a mapping; it is kept under 'sent'")
    if sent:
        data["sent"] = sent
    stop = Stop(
        scope=scope_text,
        mode=Mode(mode_text),
        reason=KillSwitchReason(reason_text),
        message=jsonable(str(message)),
        metadata=data,
        since=clock.utc_text(),
        by=by,
    )
    return stop, warnings
