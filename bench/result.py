"""What a part of `script/bench` hands back."""

from dataclasses import dataclass
from typing import Any

from bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Result:
    """Figures, and what else was measured, for the JSON file."""

    figures: list[Figure]
    details: Any
