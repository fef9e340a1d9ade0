"""What else begins and ends with a web process. Apps register theirs in `ready`; the process knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Companion:
    """`begin` must neither wait nor ask the database; `end`, in a thread, takes a second or two at most."""

    begin: Callable[[], object]
    end: Callable[[], object]


_companions: list[Companion] = []


def register(companion: Companion) -> None:
    """Once, however often it is registered."""
    if companion not in _companions:
        _companions.append(companion)


def begin() -> None:
    for companion in _companions:
        companion.begin()


def end() -> None:
    for companion in reversed(_companions):
        companion.end()
