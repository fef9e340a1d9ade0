"""What a console knows of stops, drills and commands, for the console of these tests."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

HUB_CLOCK_OFFSET = 987_654.0  # the hub's clock shares nothing with the client's


def hub_clock() -> float:
    """The hub's own clock."""
    return time.monotonic() + HUB_CLOCK_OFFSET


@dataclass
class SwitchBoard:
    """Each change is a new epoch."""

    epoch: int = 1
    switches: list[dict[str, Any]] = field(default_factory=list)
    drills: list[dict[str, Any]] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    activation: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def snapshot(self) -> dict[str, Any]:
        """What a `state` event carries."""
        with self.lock:
            return {
                "epoch": self.epoch,
                "s": hub_clock(),
                "switches": list(self.switches),
                "drills": list(self.drills),
                "commands": list(self.commands),
            }

    def halt(self, scope: str = "global", *, mode: str = "HALTED", **more: Any) -> int:
        """Stop a scope, as an operator would; the id of the activation."""
        with self.lock:
            self.activation += 1
            self.epoch += 1
            self.switches = [s for s in self.switches if s["scope"] != scope]
            self.switches.append(
                {
                    "scope": scope,
                    "mode": mode,
                    "reason": "MANUAL",
                    "message": "stop it",
                    "metadata": {"desk": 1},
                    "since": "2026-11-22T10:30:00Z",
                    "by": "dana",
                    "activation": self.activation,
                    "epoch": self.epoch,
                    **more,
                }
            )
            return self.activation

    def rearm(self, scope: str = "global") -> None:
        """End the stop of a scope."""
        with self.lock:
            self.epoch += 1
            self.switches = [s for s in self.switches if s["scope"] != scope]

    def drill(self) -> int:
        """Begin a drill; the id of its activation."""
        with self.lock:
            self.activation += 1
            self.epoch += 1
            self.drills = [{"activation": self.activation, "scope": "global", "epoch": self.epoch}]
            return self.activation

    def command(self, kind: str, *, command_id: int = 3, targets: tuple[int, ...] = (1,)) -> None:
        """Ask clients to cancel orders or close positions."""
        with self.lock:
            self.epoch += 1
            self.commands = [
                {"id": command_id, "kind": kind, "activation": 1, "targets": list(targets), "by": "d"}
            ]
