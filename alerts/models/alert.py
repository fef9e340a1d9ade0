"""An incident, from the first time it was raised to its end."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from alerts.chattering import CHATTERS
from alerts.choices import AlertState, Category, Decision, Priority
from alerts.decision import FLAPPING

# ISA-18.2: gone so soon, nobody can act on it; firing for so long, nobody does.
FLEETING, STALE = timedelta(seconds=10), timedelta(hours=24)


class Alert(models.Model):
    """One incident: everything raised with one fingerprint, from the first time until it is resolved.

    `labels` say which alert it is (with `category` and `title` they make the fingerprint); `annotations` and `details` say more about it.
    """

    id = models.BigAutoField(primary_key=True)
    # 128 bits of BLAKE2 over category, title and labels, or over the sender's own `dedupe_key` (alerts.fingerprint).
    fingerprint = models.UUIDField()
    category = models.CharField(max_length=32, choices=Category)
    priority = models.CharField(max_length=16, choices=Priority)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    generator_url = models.TextField(blank=True)
    # Where it came from: `api`, `prometheus`, `killswitch`, …; and whose token or name brought it.
    source = models.CharField(max_length=64)
    raised_by = models.CharField(max_length=150, blank=True)
    forced = models.BooleanField(default=False)
    # When it began according to the sender; when we took the first and the newest.
    starts_at = models.DateTimeField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    # When it is over unless it is raised again. NULL: only when somebody says so.
    ends_at = models.DateTimeField(null=True)
    # Times raised, whatever was decided.
    count = models.PositiveBigIntegerField(default=1)
    state = models.CharField(max_length=16, choices=AlertState, default=AlertState.FIRING)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    resolve_note = models.TextField(blank=True)
    # Incidents of this fingerprint that ended within a day before this one began.
    flaps = models.PositiveIntegerField(default=0)

    # The newest decision with its trace (alerts.decision), and those before it: [{"decision", "at", "until", "count", "trace"}], oldest first.
    decision = models.CharField(max_length=16, choices=Decision)
    decided_at = models.DateTimeField()
    trace = models.JSONField(default=list)
    history = models.JSONField(default=list)
    # Times that the newest decision was made again in the same way, and when last.
    repeats = models.PositiveBigIntegerField(default=0)
    repeated_at = models.DateTimeField(null=True)
    # Until when a repeat is a duplicate, by the rule as it was at the newest decision. NULL: not sent yet.
    dedupe_until = models.DateTimeField(null=True)
    # Until when a repeat would get the newest decision again, under the same `policy` and with the same content. NULL: it must be decided.
    settled_until = models.DateTimeField(null=True)
    policy = models.BigIntegerField(default=0)
    # A hash of everything that the sender said (alerts.fingerprint.content).
    content = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    # Also of the incidents before, when it flaps.
    last_sent_at = models.DateTimeField(null=True)
    sent_count = models.PositiveIntegerField(default=0)
    # Held back by quiet hours and not told yet.
    held = models.BooleanField(default=False)
    # Sent by the trading process itself, while it could not reach the console.
    sent_directly = models.BooleanField(default=False)

    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    acknowledged_until = models.DateTimeField(null=True)
    acknowledge_note = models.TextField(blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # By when somebody must own it. NULL: nobody was told, or nothing is due any more.
    due_at = models.DateTimeField(null=True)
    escalation = models.PositiveSmallIntegerField(default=0)
    escalate_at = models.DateTimeField(null=True)

    # The two below are computed by the database, for the noise report. An index that asks for them costs a repeat nothing: it is written only
    # when they change. How long it lasted; NULL while it fires.
    lasted = models.GeneratedField(
        expression=F("resolved_at") - F("first_at"),
        output_field=models.DurationField(null=True),
        db_persist=True,
    )
    # Raised three or more times within a minute, at least (alerts.chattering).
    chatters = models.GeneratedField(
        expression=CHATTERS, output_field=models.BooleanField(null=True), db_persist=True
    )

    class Meta:
        permissions = [
            ("raise_alert", "Can raise alerts"),
            ("acknowledge", "Can acknowledge, resolve and assign alerts"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(state=AlertState.FIRING), name="one_open_incident"
            ),
            models.CheckConstraint(
                condition=Q(state=AlertState.FIRING, resolved_at=None)
                | Q(state=AlertState.RESOLVED, resolved_at__isnull=False),
                name="alert_resolved_has_its_time",
            ),
        ]
        indexes = [
            # Alertmanager's filters: `labels @> {...}` among what is firing.
            GinIndex(
                fields=["labels"],
                name="alert_firing_labels",
                # Kilobytes. A search reads the whole list of what is not sorted in yet: with the usual 4 MB that alone takes 20 ms.
                gin_pending_list_limit=256,
                opclasses=["jsonb_path_ops"],
                condition=Q(state=AlertState.FIRING),
            ),
            # Alertmanager's filters: what fires under a name that its sender did not give as a label (alerts.labels.seen_labels).
            models.Index(
                fields=["id"],
                name="alert_firing_unnamed",
                condition=Q(state=AlertState.FIRING) & ~Q(labels__has_key="alertname") & ~Q(title="alert"),
            ),
            # The sweep: what ends by itself.
            models.Index(
                fields=["ends_at"],
                name="alert_ends",
                condition=Q(state=AlertState.FIRING, ends_at__isnull=False),
            ),
            # Who is needed: due, and not owned.
            models.Index(
                fields=["due_at"],
                name="alert_due",
                condition=Q(state=AlertState.FIRING, due_at__isnull=False, acknowledged_at__isnull=True),
            ),
            models.Index(
                fields=["escalate_at"],
                name="alert_escalates",
                condition=Q(state=AlertState.FIRING, escalate_at__isnull=False),
            ),
            # The incident of the same fingerprint before this one.
            models.Index(
                fields=["fingerprint", "-id"],
                name="alert_earlier",
                condition=Q(state=AlertState.RESOLVED),
            ),
            # A duplicate of what was sent in an earlier incident, and not told of in this one.
            models.Index(
                fields=["dedupe_until"],
                name="alert_untold",
                condition=Q(state=AlertState.FIRING, decision=Decision.DEDUPED, sent_at=None),
            ),
            # What was over in a certain time, for the timeline of an incident of people's.
            models.Index(
                fields=["resolved_at"],
                name="alert_resolved_at",
                condition=Q(state=AlertState.RESOLVED),
            ),
            # The digest at the end of quiet hours.
            models.Index(fields=["category"], name="alert_held", condition=Q(held=True)),
            # Lists (alerts.walks): every filter by these four is a few walks along this one index, newest first.
            models.Index(fields=["category", "priority", "decision", "state", "-id"], name="alert_filters"),
            models.Index(fields=["title", "-id"], name="alert_title"),
            models.Index(fields=["source", "-id"], name="alert_source"),
            models.Index(
                fields=["-id"], name="alert_acknowledged", condition=Q(acknowledged_at__isnull=False)
            ),
            # Labels of what is over; written when it ends, so that taking alerts in costs no more.
            GinIndex(
                fields=["labels"],
                name="alert_resolved_labels",
                opclasses=["jsonb_path_ops"],
                condition=Q(state=AlertState.RESOLVED),
            ),
            # The noise report and the statistics.
            models.Index(
                fields=["-id"],
                # What tells who owned it in time, so that the rows themselves are not read.
                include=["due_at", "acknowledged_at", "resolved_at", "escalation"],
                name="alert_sent",
                condition=Q(sent_at__isnull=False),
            ),
            models.Index(
                fields=["category", "title", "id"],
                name="alert_chatters",
                condition=Q(chatters=True, sent_at__isnull=False),
            ),
            models.Index(
                fields=["category", "title", "id"],
                name="alert_fleeting",
                condition=Q(lasted__lte=FLEETING, sent_at__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="alert_lasting",
                condition=Q(lasted__gt=STALE, sent_at__isnull=False),
            ),
            models.Index(
                fields=["first_at"],
                name="alert_told_firing",
                condition=Q(state=AlertState.FIRING, sent_at__isnull=False),
            ),
            models.Index(
                fields=["-id"],
                include=["fingerprint", "first_at"],
                name="alert_flapping",
                condition=Q(flaps__gte=FLAPPING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.priority} {self.title}"
