"""Receivers, and the configuration that a real Alertmanager of this kind would have (amtool reads it)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.alertmanager.times import RESOLVE_TIMEOUT, time_text
from alerts.choices import Priority
from alerts.models import Channel

# Every alert is on the console's own pages.
CONSOLE = "console"
# What amtool 0.25 expects to talk to.
VERSION = "0.25.0"
GROUP_BY = "alertname"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A channel that is told at once. `categories` empty: of all."""

    name: str
    categories: tuple[str, ...]
    min_priority: str

    def takes(self, category: str, priority: str) -> bool:
        if self.categories and category not in self.categories:
            return False
        return Priority(priority).rank >= Priority(self.min_priority).rank


class Receivers:
    """The enabled channels as they are now: one query."""

    def __init__(self) -> None:
        rows = Channel.objects.filter(enabled=True, escalation=0).order_by("name")
        self.channels = [
            Receiver(name, tuple(categories), min_priority)
            for name, categories, min_priority in rows.values_list("name", "categories", "min_priority")
        ]
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def names(self) -> list[str]:
        return [CONSOLE, *(channel.name for channel in self.channels if channel.name != CONSOLE)]

    def of(self, category: str, priority: str) -> tuple[str, ...]:
        """Who is told of such an alert; at least the console."""
        key = (category, priority)
        if key not in self._found:
            told = tuple(channel.name for channel in self.channels if channel.takes(category, priority))
            self._found[key] = told or (CONSOLE,)
        return self._found[key]


def status(*, started: datetime) -> Mapping[str, Any]:
    """The body of GET /status."""
    return {
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": VERSION,
            "revision": "opsconsole",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        },
        "config": {"original": config_text(Receivers())},
        "uptime": time_text(started),
    }


def config_text(receivers: Receivers) -> str:
    """A YAML text that Alertmanager itself accepts. It shows; nothing is read back from it."""
    lines = [
        "# Shown for Alertmanager's tools. Rules and channels are changed in the console.",
        "global:",
        f"  resolve_timeout: {int(RESOLVE_TIMEOUT.total_seconds() // 60)}m",
        "route:",
        f"  receiver: {CONSOLE}",
        f"  group_by: [{GROUP_BY}]",
    ]
    if receivers.channels:
        lines.append("  routes:")
    for channel in receivers.channels:
        lines.append(f"  # from priority {channel.min_priority} on")
        lines.append(f"  - receiver: {json.dumps(channel.name)}")
        if channel.categories:
            pattern = "|".join(channel.categories)
            lines.append(f"    matchers: [{json.dumps(f'category=~{json.dumps(pattern)}')}]")
        lines.append("    continue: true")
    lines.append("receivers:")
    lines += [f"- name: {json.dumps(name)}" for name in receivers.names()]
    return "\n".join(lines) + "\n"
