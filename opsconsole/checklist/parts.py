"""The checklist as a live part of its page. The form is outside; what it needs of here belongs to it by its id."""

from django.template.loader import render_to_string

from opsconsole.checklist import selectors
from opsconsole.live.feeds import LivePart, register_part

# Everything that a line reads.
TOPICS = frozenset({"checklist", "health", "alerts", "metrics", "breakers", "killswitch"})


def register() -> None:
    """Called once, from `ChecklistConfig.ready()`."""
    register_part(LivePart(target="lines", topics=TOPICS, render=lines, pages=frozenset({"checklist"})))


def lines() -> str:
    return render_to_string(
        "checklist/parts/lines.html", {"today": selectors.today(), "found": selectors.evaluated()}
    )
