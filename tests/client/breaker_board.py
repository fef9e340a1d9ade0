"""What a console knows of circuit breakers, for the console of these tests."""

import threading
from dataclasses import dataclass, field
from typing import Any

REPORT = {"report_id", "name", "instance", "applied", "dropped", "sent_s", "breakers", "transitions"}
BREAKER = {
    "name",
    "state",
    "forced",
    "state_s",
    "generation",
    "applied",
    "config",
    "own_config",
    "counts",
    "window",
    "last_failure",
}
TRANSITION = {"seq", "breaker", "from", "to", "ago_s", "in_previous_s", "why", "cause", "counts"}


@dataclass
class Breakers:
    """Rows by name, and what was reported: each transition once, by instance and number."""

    version: int = 0
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    transitions: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)
    lease_answer: dict[str, Any] = field(
        default_factory=lambda: {"granted": True, "permits": 1, "term_s": 10.0}
    )
    lock: threading.RLock = field(default_factory=threading.RLock)

    def say(self, name: str, **more: Any) -> int:
        """Change what there is to say of a breaker; the version of it."""
        with self.lock:
            row = self.rows.get(name, {"config": None, "hold": None, "reset": None, "shared": None})
            version = self.version + 1
            self.rows[name] = {**row, **more, "name": name, "version": version}
            self.version = version
            return version

    def reset(self, name: str) -> int:
        """As an operator would; the version."""
        with self.lock:
            return self.say(name, reset=self.version + 1)

    def event(self, s: float | None, *, above: int) -> dict[str, Any]:
        """What a `breakers` event carries."""
        with self.lock:
            rows = [row for row in self.rows.values() if row["version"] > above]
            return {"version": self.version, "s": s, "whole": above < 0, "breakers": rows}

    def take(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        assert set(data) == REPORT
        assert all(set(row) == BREAKER for row in data["breakers"])
        assert all(set(row) == TRANSITION for row in data["transitions"])
        assert len(data["transitions"]) <= 200
        with self.lock:
            self.reports.append(data)
            for row in data["transitions"]:
                self.transitions.setdefault((data["instance"], row["seq"]), row)
            changes = self.event(None, above=data["applied"])
            return 200, {"version": self.version, "changes": changes if changes["breakers"] else None}

    def lease(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        assert set(data) == {"name", "instance", "breaker", "generation"}
        self.questions.append(data)
        return 200, self.lease_answer

    def seen(self, name: str) -> list[tuple[str, str, str]]:
        """From, to and why of the breaker's transitions, in order."""
        with self.lock:
            return [
                (row["from"], row["to"], row["why"])
                for _, row in sorted(self.transitions.items(), key=lambda item: item[0][1])
                if row["breaker"] == name
            ]

    def latest(self, name: str) -> dict[str, Any] | None:
        """The newest that was reported of a breaker."""
        for report in reversed(list(self.reports)):
            for row in report["breakers"]:
                if row["name"] == name:
                    return dict(row)
        return None
