"""What a firing incident looks like as an Alertmanager's alert: its labels, its fingerprint, and what keeps it from being told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts import halts
from alerts.alertmanager.filters import Flags
from alerts.fingerprint import alertmanager_fingerprint
from alerts.silence_index import SilenceIndex, open_silences

ACTIVE, SUPPRESSED = "active", "suppressed"
# Fingerprints that a process remembers, by the alert's id: an alert's labels never change.
MOST_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Suppression:
    """`muted_by`: the stop of trading from which the alert follows, as `halt global`. Alertmanager has inhibition by another alert for that;
    a stop is none, so it is named here and `inhibitedBy` stays empty, but `inhibited=false` hides such alerts too.
    """

    silenced_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        return SUPPRESSED if self.silenced_by or self.muted_by else ACTIVE

    def shown(self, flags: Flags) -> bool:
        if not flags.active and self.state == ACTIVE:
            return False
        if not flags.silenced and self.silenced_by:
            return False
        return flags.inhibited or not self.muted_by

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "silencedBy": self.silenced_by,
            "inhibitedBy": (),
            "mutedBy": self.muted_by,
        }


NOT_SUPPRESSED = Suppression()


class Suppressions:
    """Silences and stops as they are `now`: a few short queries, then none for each alert."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._silences: SilenceIndex = open_silences(at=now)
        self._halts: Sequence[halts.Halt] = halts.current()

    def are_possible(self) -> bool:
        """False: no alert can be suppressed now, whatever its labels are."""
        return bool(self._silences) or bool(self._halts)

    def of(self, labels: Mapping[str, str]) -> Suppression:
        silences = self._silences.covering(labels, at=self._now) if self._silences else []
        halt = halts.covering(labels, self._halts) if self._halts else None
        if not silences and halt is None:
            return NOT_SUPPRESSED
        return Suppression(
            silenced_by=tuple(sorted(str(silence.id) for silence in silences)),
            muted_by=() if halt is None else (f"halt {halt.scope}",),
        )


class Fingerprints:
    """Of the newest alerts asked for. Safe in threads: entries are only added, or all dropped."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def get(self, alert_id: int) -> str | None:
        return self._known.get(alert_id)

    def of(self, alert_id: int, labels: Mapping[str, str]) -> str:
        found = self._known.get(alert_id)
        if found is None:
            found = alertmanager_fingerprint(labels)
            if len(self._known) >= MOST_REMEMBERED:
                self._known = {}
            self._known[alert_id] = found
        return found
