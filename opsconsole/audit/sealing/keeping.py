"""Checkpoints that were kept outside of the database, such as in the file that the console writes (`outlet`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.findings import Finding, Kind
from opsconsole.audit.sealing.notes import NoteRefused


@dataclass(frozen=True, slots=True)
class Kept:
    """`place`: where it stands, in words."""

    place: str
    checkpoint: Checkpoint


def read_kept(text: str, *, name: str, keys: Keys) -> Iterator[Kept | Finding]:
    """Those in a file of this name. Empty lines stand within each (before its signatures) and between two; what cannot be believed is a finding."""
    blocks = [block for block in re.split(r"\n{2,}", text.strip("\n")) if block]
    for number, start in enumerate(range(0, len(blocks), 2), 1):
        try:
            checkpoint, _ = keys.read("\n\n".join(blocks[start : start + 2]) + "\n")
        except NoteRefused as error:
            yield Finding(
                Kind.CHECKPOINT, number, f"Checkpoint {number} in {name} cannot be believed: {error}"
            )
        else:
            yield Kept(name, checkpoint)
