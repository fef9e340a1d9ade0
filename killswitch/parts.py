"""The pieces of pages that refresh themselves. They are the same for everybody: nothing in them depends on who looks."""

from typing import Any

from django.template.loader import render_to_string

from killswitch import bar, drills, left, proof, selectors
from opsconsole.live.feeds import LivePart, register_part

PAGE = frozenset({"kill-switch"})
SWITCH = frozenset({"killswitch", "proofs", "clients"})
HISTORY_ROWS = 5
DRILLS = frozenset({"drills"})
DRILL_ROWS = 20


def register() -> None:
    """Called once, from `KillSwitchConfig.ready()`."""
    register_part(LivePart(target="state", topics=SWITCH, render=state, urgent=True))
    register_part(LivePart(target="confirm-facts", topics=SWITCH, render=confirm_facts))
    register_part(LivePart(target="proof", topics=SWITCH, render=proof_board, pages=PAGE))
    register_part(LivePart(target="left", topics=SWITCH | {"commands"}, render=left_at_venue, pages=PAGE))
    register_part(LivePart(target="rearm-checks", topics=SWITCH, render=rearm_checks, pages=PAGE))
    register_part(LivePart(target="scopes", topics=SWITCH, render=scopes, pages=PAGE))
    register_part(
        LivePart(target="history", topics=frozenset({"killswitch", "proofs"}), render=history, pages=PAGE)
    )
    register_part(
        LivePart(
            target="drill-due",
            topics=frozenset({"killswitch", "proofs"}),
            render=drill_due,
            pages=PAGE | DRILLS,
        )
    )
    register_part(LivePart(target="evidence", topics=SWITCH, render=evidence, pages=DRILLS))
    register_part(LivePart(target="proven", topics=frozenset({"killswitch", "proofs"}), render=proven))


def state() -> str:
    return _render("state", bar=bar.of(selectors.status()))


def confirm_facts() -> str:
    return _render("confirm_facts", bar=bar.of(selectors.status()))


def proof_board() -> str:
    status = selectors.status()
    return _render("proof", bar=bar.of(status), proof=proof.Board(status))


def left_at_venue() -> str:
    status = selectors.status()
    return _render("left", bar=bar.of(status), left=left.left(status))


def rearm_checks() -> str:
    return _render("rearm_checks", wrong=left.wrong(selectors.status()))


def scopes() -> str:
    return _render("scopes", scopes=proof.scopes(selectors.status()))


def history() -> str:
    return _render("history", episodes=selectors.history(limit=HISTORY_ROWS).results)


def evidence() -> str:
    found, _ = drills.evidence(limit=DRILL_ROWS)
    return _render("evidence", evidence=found)


def proven() -> str:
    return _render("proven", bar=bar.of(selectors.status()))


def drill_due() -> str:
    return _render("drill_due", drill=drills.due())


def _render(part: str, **context: Any) -> str:
    return render_to_string(f"killswitch/parts/{part}.html", context)
