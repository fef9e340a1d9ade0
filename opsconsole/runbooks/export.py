"""An incident as a Markdown document: what it was, the steps with who did them and when, the notes, and the whole timeline, oldest first."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from django.conf import settings
from django.utils import timezone

from alerts.redaction import redact
from opsconsole.console.templatetags.console import duration
from opsconsole.runbooks import markdown as md
from opsconsole.runbooks import selectors, timeline
from opsconsole.runbooks.choices import Read, StepKind
from opsconsole.runbooks.filling import with_console
from opsconsole.runbooks.models import Incident
from opsconsole.runbooks.selectors import Detail, ProcedureRows, StepRow

# Entries of the timeline, the newest ones.
MOST = 5000


def file_name(incident: Incident) -> str:
    return f"incident-{incident.pk}.md"


def document(found: Detail, *, now: datetime, address: str) -> str:
    """`address`: the console's own, as in commands."""
    lines = [*_head(found, now), *_alerts(found)]
    for rows in found.procedures:
        lines += _procedure(rows, address)
    lines += [*_notes(found.incident), *_timeline(found.incident)]
    # Never two empty lines, whatever was empty in between.
    kept = [line for before, line in pairwise(["", *lines]) if line or before]
    return redact("\n".join(kept).rstrip()) + "\n"


def _head(found: Detail, now: datetime) -> Iterator[str]:
    one = found.incident
    yield f"# Incident {one.pk}: {md.inline(one.title)}"
    yield ""
    yield f"- **State**: {one.state}"
    if one.since < one.started_at:
        yield f"- **Began**: {at(one.since)}, when its first alert was raised"
    yield f"- **Started**: {at(one.started_at)} by {md.inline(one.started_by)}"
    if one.closed_at is not None:
        yield f"- **Closed**: {at(one.closed_at)} by {md.inline(one.closed_by)}"
    yield f"- **{'Lasts' if one.is_open else 'Lasted'}**: {duration((one.closed_at or now) - one.since)}"
    yield f"- **Steps done**: {found.done} of {found.steps}"
    yield f"- **Times**: {settings.TIME_ZONE}; written {at(now)}"
    if one.summary:
        yield from ("", "## Summary", "", *md.quoted(one.summary))


def _alerts(found: Detail) -> Iterator[str]:
    if not found.alerts:
        return
    yield from ("", "## Alerts", "")
    for one in found.alerts:
        number = f"#{one.alert_id} " if one.alert_id is not None else ""
        state = f", {one.alert.priority}, {one.alert.state.lower()}" if one.alert is not None else ""
        yield f"- {md.inline(f'{number}{one.title}{state}')}"


def _procedure(rows: ProcedureRows, address: str) -> Iterator[str]:
    one = rows.procedure
    yield from ("", f"## Runbook: {md.inline(one.name)}", "")
    values = "".join(f", {name} {value}" for name, value in one.values.items())
    yield f"Version {one.version}{md.inline(values)}, opened {at(one.opened_at)} by {md.inline(one.opened_by)}."
    yield ""
    for row in rows.steps:
        yield from _step(row, address)


def _step(row: StepRow, address: str) -> Iterator[str]:
    step, indent = row.step, "   "
    number = f"{step.position}."
    yield f"{number} [{'x' if row.done else ' '}] {md.inline(step.title)}{_done(row)}"
    if step.kind == StepKind.READ:
        target = f" ({step.target})" if step.target else ""
        yield f"{indent}{md.inline(f'Look: {Read(step.what).label}{target}')}"
    if step.note:
        yield from ("", *md.quoted(step.note, indent=indent), "")
    if step.command:
        yield from ("", *md.code(with_console(step.command, address), indent=indent), "")


def _done(row: StepRow) -> str:
    if not row.done or row.done_at is None:
        return ""
    event = f", audit event {row.pressed.event}" if row.pressed is not None else ""
    return f" ({md.inline(row.done_by)}, {at(row.done_at)}{event})"


def _notes(incident: Incident) -> Iterator[str]:
    notes = list(selectors.notes(incident))
    if not notes:
        return
    yield from ("", "## Notes")
    for note in notes:
        yield from ("", f"**{md.inline(note.by)}**, {at(note.at)}", "", *md.quoted(note.text))


def _timeline(incident: Incident) -> Iterator[str]:
    entries = list(timeline.whole(incident, most=MOST + 1))
    yield from ("", "## Timeline", "")
    if len(entries) > MOST:
        yield from (f"Only the newest {MOST:,} entries.", "")
    if not entries:
        yield "Nothing was recorded."
    for entry in reversed(entries[:MOST]):
        who = f"**{md.inline(entry.who)}** " if entry.who else ""
        yield f"- {at(entry.at)}: {who}{md.inline(entry.words)}"
        if entry.text:
            yield from md.quoted(entry.text, indent="  ")


def at(moment: datetime) -> str:
    """With the offset, since an hour in autumn is there twice."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %z}"
