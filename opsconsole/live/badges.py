"""Numbers beside the words of the navigation."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Badge:
    """`words`: of what, beside the word that the number stands at; `whole`: the same in full. `bad`: it is red."""

    number: int
    words: str
    whole: str
    bad: bool


def together(badges: Sequence[Badge]) -> Badge:
    """One number for all of them, which says what it is made of."""
    words = ", ".join(badge.whole for badge in badges if badge.number)
    return Badge(
        sum(badge.number for badge in badges), f"({words})", words, any(badge.bad for badge in badges)
    )


def drawn(target: str, badge: Badge) -> str:
    """`target`: the id of the element."""
    return render_to_string("layout/badge.html", {"target": target, "badge": badge})
