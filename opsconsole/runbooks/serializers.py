"""What the API of incidents answers, and how the OpenAPI document describes what it takes."""

from typing import Any

from rest_framework import serializers

from opsconsole.runbooks.choices import IncidentState, Shown, StepKind
from opsconsole.runbooks.models import Incident, IncidentNote
from opsconsole.runbooks.selectors import Detail, StepRow
from opsconsole.runbooks.timeline import Entry

SHOWN = [value for value in Shown.values if value]


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """One incident as lists show it."""

    state = serializers.ChoiceField(choices=IncidentState.choices)
    since = serializers.DateTimeField(
        help_text="When its first alert was raised, if that was before the start."
    )
    steps = serializers.IntegerField(source="step_count")
    steps_ticked = serializers.IntegerField(
        source="done_count", help_text="By hand, or by their buttons in the incident."
    )
    alert_count = serializers.IntegerField()

    class Meta:
        model = Incident
        fields = (
            *("id", "title", "state", "since", "started_at", "started_by", "closed_at", "closed_by"),
            *("summary", "steps", "steps_ticked", "alert_count"),
        )


class IncidentPageSerializer(serializers.Serializer[Any]):
    results = IncidentSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class NoteSerializer(serializers.ModelSerializer[IncidentNote]):
    class Meta:
        model = IncidentNote
        fields = ("id", "at", "by", "text")


class IncidentStepSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=StepKind.choices)
    title = serializers.CharField()
    what = serializers.CharField(allow_blank=True, help_text="What it shows, or what its button does.")
    target = serializers.CharField(allow_blank=True)
    command = serializers.CharField(allow_blank=True)
    done = serializers.BooleanField(help_text="Ticked, or pressed wherever: see `audit_event`.")
    done_at = serializers.DateTimeField(allow_null=True)
    done_by = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    audit_event = serializers.IntegerField(allow_null=True, help_text="The press, in the audit trail.")


class ProcedureSerializer(serializers.Serializer[Any]):
    runbook = serializers.CharField()
    version = serializers.IntegerField()
    values = serializers.DictField(child=serializers.CharField())
    opened_at = serializers.DateTimeField()
    opened_by = serializers.CharField()
    steps = IncidentStepSerializer(many=True)


class JoinedAlertSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True, help_text="Null: its row is gone.")
    title = serializers.CharField()
    joined_at = serializers.DateTimeField()
    joined_by = serializers.CharField()


class IncidentDetailSerializer(serializers.Serializer[Any]):
    """For the description; the answer is made by `detail_data()`."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=IncidentState.choices)
    since = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    started_by = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField(allow_blank=True)
    summary = serializers.CharField(allow_blank=True)
    steps = serializers.IntegerField()
    steps_done = serializers.IntegerField()
    alerts = JoinedAlertSerializer(many=True)
    procedures = ProcedureSerializer(many=True)
    notes = NoteSerializer(many=True, help_text="The newest 200, oldest first; all are in the timeline.")


class EntrySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=SHOWN)
    who = serializers.CharField(allow_blank=True, help_text="Empty: nobody did it.")
    words = serializers.CharField()
    text = serializers.CharField(allow_blank=True, help_text="What was said with it.")
    url = serializers.CharField(allow_blank=True, help_text="A page of the console.")


class TimelinePageSerializer(serializers.Serializer[Any]):
    results = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class NewNoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="1 to 4000 characters. What looks like a secret is not kept.")


class CloseSerializer(serializers.Serializer[Any]):
    summary = serializers.CharField(help_text="What it was, and how it ended; 1 to 4000 characters.")


def detail_data(found: Detail, *, notes: list[IncidentNote]) -> dict[str, Any]:
    """As IncidentDetailSerializer describes it."""
    one = found.incident
    names = ("id", "title", "since", "started_at", "started_by", "closed_at", "closed_by", "summary")
    return {name: getattr(one, name) for name in names} | {
        "state": one.state,
        "steps": found.steps,
        "steps_done": found.done,
        "alerts": [
            {"id": row.alert_id, "title": row.title, "joined_at": row.joined_at, "joined_by": row.joined_by}
            for row in found.alerts
        ],
        "procedures": [
            {
                "runbook": rows.procedure.name,
                "version": rows.procedure.version,
                "values": rows.procedure.values,
                "opened_at": rows.procedure.opened_at,
                "opened_by": rows.procedure.opened_by,
                "steps": [_step(row) for row in rows.steps],
            }
            for rows in found.procedures
        ],
        "notes": NoteSerializer(notes, many=True).data,
    }


def _step(row: StepRow) -> dict[str, Any]:
    names = ("id", "position", "kind", "title", "what", "target", "command", "note")
    return {name: getattr(row.step, name) for name in names} | {
        "done": row.done,
        "done_at": row.done_at,
        "done_by": row.done_by,
        "audit_event": row.pressed.event if row.pressed else None,
    }


def entry_data(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "kind": entry.kind,
        "who": entry.who,
        "words": entry.words,
        "text": entry.text,
        "url": entry.url,
    }
