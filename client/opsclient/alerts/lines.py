"""The lines of the spool's file, by which alerts that wait survive the process.

{"add": key, "alert": {…}}       an alert waits
{"direct": key}                  it was sent directly
{"parcel": key, "of": [keys]}    these are about to travel in one request, under this key
{"over": [keys]}                 these need not wait any more
{"lost": {"LOW": 3}}             so many are lost and not told yet; the latest line counts
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsclient.alerts.alert import read
from opsclient.alerts.entry import Entry

logger = logging.getLogger("opsclient")


@dataclass(slots=True)
class Left:
    """What the files say: the alerts that wait, oldest first, and the losses that are not told."""

    entries: list[Entry] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)


def left_in(texts: Iterable[bytes]) -> Left:
    """What these files say together."""
    left = Left()
    for text in texts:
        found = parse(text)
        left.entries += found.entries
        for priority, number in found.lost.items():
            left.lost[priority] = left.lost.get(priority, 0) + number
    left.entries.sort(key=lambda entry: entry.alert.occurred_at)
    return left


def state(entries: Iterable[Entry], lost: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines that say all of it."""
    waiting = list(entries)
    lines: list[dict[str, Any]] = [added(entry) for entry in waiting]
    lines += [{"direct": entry.key} for entry in waiting if entry.sent_directly]
    parcels: dict[str, list[str]] = {}
    for entry in waiting:
        if entry.parcel:
            parcels.setdefault(entry.parcel, []).append(entry.key)
    lines += [{"parcel": parcel, "of": keys} for parcel, keys in parcels.items()]
    return [*lines, {"lost": dict(lost)}] if lost else lines


def added(entry: Entry) -> dict[str, Any]:
    """The line for an alert that waits."""
    return {"add": entry.key, "alert": entry.alert.body()}


def parse(text: bytes) -> Left:
    """What a file says. Lines that were cut off by a crash, or that nobody wrote this way, are passed over."""
    entries: dict[str, Entry] = {}
    parcels: dict[str, str] = {}
    over: set[str] = set()
    direct: set[str] = set()
    lost: dict[str, int] = {}
    for line in text.splitlines():
        try:
            record = json.loads(line)
            if "add" in record:
                entries[record["add"]] = Entry(read(record["alert"]), key=record["add"], stored=True)
            elif "parcel" in record:
                parcels |= dict.fromkeys(record["of"], record["parcel"])
            elif "direct" in record:
                direct.add(record["direct"])
            elif "over" in record:
                over |= set(record["over"])
            elif "lost" in record:
                lost = {str(name): int(number) for name, number in record["lost"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("a line of the spool cannot be read and is passed over")
    for key, entry in entries.items():
        entry.parcel, entry.sent_directly = parcels.get(key, ""), key in direct
    return Left([entry for key, entry in entries.items() if key not in over], lost)
