"""What a runbook and its steps may be. Pure, but for the models' own bounds."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from alerts.matching import parse_matchers
from killswitch.state import parse_scope
from opsconsole.audit.tuned import Refused, model_problems
from opsconsole.runbooks.choices import TARGETED, Press, Read, StepKind
from opsconsole.runbooks.filling import CONSOLE, NAME, names_in
from opsconsole.runbooks.models import Runbook, RunbookStep

FIELDS = ("name", "slug", "summary", "enabled", "category", "matchers")
STEP_FIELDS = ("kind", "title", "text", "what", "target", "stop_reason", "command")
MOST_STEPS = 30
# So few that whoever opens it by hand can be asked for them.
MOST_NAMES = 5
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def texts_of(steps: Sequence[Any]) -> list[str]:
    """Where values can be named."""
    return [text for step in steps for text in (step.title, step.text, step.target, step.command)]


def checked(runbook: Runbook, steps: Sequence[RunbookStep]) -> None:
    """Raises Refused. Of a step, the field is such as `steps[0].title`."""
    problems = model_problems(runbook)
    if runbook.matchers:
        try:
            parse_matchers(runbook.matchers)
        except ValueError as error:
            problems["matchers"] = str(error)
    if not 1 <= len(steps) <= MOST_STEPS:
        problems["steps"] = f"must be 1 to {MOST_STEPS}"
    for number, step in enumerate(steps):
        problems |= {f"steps[{number}].{field}": problem for field, problem in step_problems(step)}
    if len(names_in(texts_of(steps))) > MOST_NAMES:
        problems["steps"] = f"may name at most {MOST_NAMES} values such as {{{{breaker}}}}"
    if problems:
        raise Refused(problems)


def step_problems(step: RunbookStep) -> Iterator[tuple[str, str]]:
    """Fields with what is allowed."""
    try:
        step.clean_fields(exclude=["runbook", "position"])
    except ValidationError as error:
        yield from ((field, words[0]) for field, words in error.message_dict.items())
        return
    kind = StepKind(step.kind)
    allowed = {StepKind.READ: Read.values, StepKind.PRESS: Press.values}.get(kind, [])
    if step.what not in (allowed or [""]):
        what = f"must be one of {', '.join(allowed)}" if allowed else f"must be empty for {kind.label}"
        yield "what", what
    elif step.what in TARGETED and not step.target:
        yield "target", "must say of what, such as {{breaker}}"
    elif step.what not in TARGETED and step.target:
        yield "target", "must be empty: this is of no single thing"
    if step.what == Press.STOP and not NAME.search(step.target):
        yield from _scope_problems(step.target)
    if step.stop_reason and step.what != Press.STOP:
        yield "stop_reason", "only a stop has one"
    if kind == StepKind.COMMAND and not step.command.strip():
        yield "command", "must say what to type"
    if CONSOLE in NAME.findall(step.title + step.text + step.target):
        yield "command", "only a command can name {{console}}"


def _scope_problems(target: str) -> Iterator[tuple[str, str]]:
    try:
        parse_scope(target)
    except ValueError as error:
        yield "target", str(error).removeprefix("scope: ")
