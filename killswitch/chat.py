"""The kill switch's part of the buttons in chats (alerts.verbs): stop trading."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.verbs import Stopped
from killswitch import presses, services
from killswitch.choices import Reason
from killswitch.state import GLOBAL, parse_scope
from opsconsole.audit.actor import Actor

# Labels that name a part of trading, the narrowest first.
KINDS = ("symbol", "strategy", "venue", "account")


@dataclass(frozen=True, slots=True)
class StopFromChat:
    permission: str = "killswitch.stop"

    def scope_of(self, labels: Mapping[str, str]) -> str:
        """The label `scope`, else the narrowest that the other labels name. What cannot be read is `global`."""
        named = [labels.get("scope", ""), *(f"{kind}:{labels.get(kind, '')}" for kind in KINDS)]
        return next((scope for text in named if (scope := _read(text))), GLOBAL)

    def stop(self, *, actor: Actor, scope: str, message: str, key: str) -> Stopped:
        repeated = presses.stopped_by(key, user_id=actor.user_id) if actor.user_id else None
        if repeated is not None:
            return Stopped(changed=False, scope=repeated.scope, by=repeated.activated_by)
        outcome = services.activate(
            actor=actor, reason=Reason.MANUAL, message=message, scope=scope, metadata={presses.KEY: key}
        )
        episode = outcome.activation
        return Stopped(changed=outcome.changed, scope=episode.scope, by=episode.activated_by)


def _read(text: str) -> str:
    try:
        return parse_scope(text)
    except ValueError:
        return ""
