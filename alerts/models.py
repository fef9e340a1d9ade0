"""Rules, alerts, silences, channels, and the outbox."""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from alerts.chattering import CHATTERS
from alerts.choices import (
    AlertState,
    AttemptOutcome,
    Category,
    ChannelKind,
    ChatAct,
    ChatKind,
    Decision,
    DeliveryKind,
    DeliveryState,
    Priority,
)
from alerts.decision import FLAPPING

# ISA-18.2: gone so soon, nobody can act on it; firing for so long, nobody does.
FLEETING, STALE = timedelta(seconds=10), timedelta(hours=24)
HOUR = [MinValueValidator(0), MaxValueValidator(23)]


class Policy(models.Model):
    """One row: the version of everything that decides (rules, silences, label rules, halts). Grows with each change.

    An alert that was decided under this version may be counted as a repeat without asking every gate again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)
    # Grows whenever somebody takes the lock of the decisions alone: as long as it is the same, no incident was decided, and none has ended.
    turn = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="policy_is_one_row")]


class AlertRule(models.Model):
    """How the alerts of one category are filtered."""

    category = models.CharField(max_length=32, choices=Category, unique=True)
    enabled = models.BooleanField(default=True)
    default_priority = models.CharField(max_length=16, choices=Priority)
    min_priority = models.CharField(max_length=16, choices=Priority, default=Priority.LOW)
    max_per_hour = models.PositiveIntegerField(default=20, validators=[MaxValueValidator(100_000)])
    dedupe_window_minutes = models.PositiveIntegerField(default=15, validators=[MaxValueValidator(10_080)])
    # Hours of the day in `time_zone`; the same hour twice means that there are no quiet hours.
    quiet_start = models.PositiveSmallIntegerField(default=22, validators=HOUR)
    quiet_end = models.PositiveSmallIntegerField(default=7, validators=HOUR)
    # Empty: the desk's own zone (TIME_ZONE).
    time_zone = models.CharField(max_length=64, blank=True)
    # What is at least this urgent is sent at night, too.
    quiet_passes = models.CharField(max_length=16, choices=Priority, default=Priority.CRITICAL)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["id"]
        permissions = [("tune", "Can tune alert rules, label rules and channels")]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_start__lte=23, quiet_end__lte=23), name="rule_quiet_hours_of_the_day"
            ),
            models.CheckConstraint(condition=Q(dedupe_window_minutes__lte=10_080), name="rule_window_a_week"),
        ]

    def __str__(self) -> str:
        return self.category


class LabelRule(models.Model):
    """What labels from outside (Prometheus) mean here. The first enabled one that matches gives category, and priority."""

    position = models.PositiveSmallIntegerField(default=100)
    enabled = models.BooleanField(default=True)
    # [{"name", "value", "isRegex", "isEqual"}], all of which must match; as in a silence.
    matchers = models.JSONField(default=list)
    category = models.CharField(max_length=32, choices=Category, blank=True)
    priority = models.CharField(max_length=16, choices=Priority, blank=True)
    comment = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"Label rule {self.position}"


class ResponseTime(models.Model):
    """Within how long somebody must own an alert of this priority (guide 8.3)."""

    priority = models.CharField(max_length=16, choices=Priority, unique=True)
    minutes = models.PositiveIntegerField(default=0)
    # Then `minutes` is not used: due at the end of the next business day.
    next_business_day = models.BooleanField(default=False)
    # Between an escalation and the next one, and between "immediate" and the first.
    escalate_every_minutes = models.PositiveIntegerField(default=15, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.priority


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


class HourCount(models.Model):
    """How many alerts of a category were sent in one clock hour (UTC); what the rate limit looks at."""

    category = models.CharField(max_length=32, choices=Category)
    hour = models.DateTimeField()
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["category", "hour"], name="one_count_an_hour")]


class MinuteTally(models.Model):
    """How many alerts were raised in one minute, by what became of them; what statistics and the noise report read."""

    minute = models.DateTimeField()
    category = models.CharField(max_length=32, choices=Category)
    priority = models.CharField(max_length=16, choices=Priority)
    decision = models.CharField(max_length=16, choices=Decision)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "category", "priority", "decision"], name="one_tally_a_minute"
            )
        ]
        # The noise report. No column that is counted up, so that counting writes no index.
        indexes = [models.Index(fields=["minute"], name="tally_sent", condition=Q(decision=Decision.SENT))]


class HourTally(models.Model):
    """MinuteTally summed up by whole hours and days (UTC) that are over; the rows of one are all there, or none (alerts.services.tallies)."""

    hour = models.DateTimeField()
    # 1, or 24 from midnight on.
    hours = models.PositiveSmallIntegerField(default=1)
    category = models.CharField(max_length=32, choices=Category)
    priority = models.CharField(max_length=16, choices=Priority)
    decision = models.CharField(max_length=16, choices=Decision)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hours", "hour", "category", "priority", "decision"], name="one_tally_an_hour"
            )
        ]


class TenMinuteTally(models.Model):
    """How many alerts were sent in ten minutes, by category; whole hours that are over, as HourTally. What the noise report counts floods by."""

    # Ten minutes since 1970 (UTC).
    number = models.PositiveIntegerField()
    category = models.CharField(max_length=32, choices=Category)
    sent = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "category"], name="one_tally_ten_minutes")]


class KindTally(models.Model):
    """How often one kind of alert (category and title) was raised, sent and acted on, in one UTC day."""

    day = models.DateField()
    category = models.CharField(max_length=32, choices=Category)
    title = models.CharField(max_length=200)
    raised = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    # Acknowledged, assigned, silenced or resolved by somebody.
    acted = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "category", "title"], name="one_tally_a_kind_and_day")
        ]


class Submission(models.Model):
    """An alert raised inside the transaction of another change (a stop, say), which must not wait for the alerts' lock.

    It is decided right after the commit, by whoever is quicker; then the row goes.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    alert = models.JSONField(encoder=DjangoJSONEncoder)


class RepeatBatch(models.Model):
    """Known alerts that were raised again, not yet added to their incidents: one narrow row, where each incident's own row is wide.

    Whoever takes `alerts.locking.lock_decisions()` adds them, and the row goes.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    # Of the same length: the incident, how often it was raised, and until when it lasts at least (NULL: until somebody ends it).
    ids = ArrayField(models.BigIntegerField())
    counts = ArrayField(models.BigIntegerField())
    ends = ArrayField(models.DateTimeField(null=True))


class PostedAlerts(models.Model):
    """Alerts of one POST to /api/v2/alerts that were written down as they came, since too many waited to be decided at once.

    They are decided in the order of their numbers, within seconds; then the row goes (alerts.alertmanager.posted).
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    raised_by = models.CharField(max_length=150)
    # A JSON array, as `alerts.alertmanager.parcels` reads it; all of it was found to be sound.
    body = models.BinaryField()
    # How many alerts that is.
    size = models.PositiveIntegerField()
    # It ends an alert: what is sent after it has to wait behind it.
    ends = models.BooleanField(default=False)
    # It could not be decided: the log says why. It stays, and holds up none behind it.
    failed = models.BooleanField(default=False)


class Silence(models.Model):
    """Alerts that match are not sent between two times."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    comment = models.TextField(blank=True)
    annotations = models.JSONField(default=dict)
    # The account that made it, and how it is written in the audit trail.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        permissions = [("silence", "Can silence alerts")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="silence_ends_after_start"),
        ]
        indexes = [models.Index(fields=["-ends_at"], name="silence_ends")]

    def __str__(self) -> str:
        return f"Silence {self.id}"


class Channel(models.Model):
    """Where alerts are told. `settings` anybody may see; `secrets` are sealed (alerts.sealing)."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict)
    secrets = models.TextField(blank=True)
    # What it is told: these categories (none: all), from this priority on.
    categories = models.JSONField(default=list, blank=True)
    min_priority = models.CharField(max_length=16, choices=Priority, default=Priority.LOW)
    # 0: told at once. 1, 2, …: told by the first, second, … escalation.
    escalation = models.PositiveSmallIntegerField(default=0)
    # Told instead when this one has failed.
    fallback = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Pacing: no send before this time; and when it was used in the last minute (Unix seconds, oldest first).
    next_at = models.DateTimeField(null=True)
    sent_times = models.JSONField(default=list, blank=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AlertMessage(models.Model):
    """The one message that a channel shows for an incident, so that it can be edited and answered."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="messages")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    # The channel's own id of the message, such as `{"chat": -100, "message": 88412}`.
    external = models.JSONField()
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "channel"], name="one_message_an_incident")]


class Delivery(models.Model):
    """Something to be told through one channel. Written with the decision; a worker claims it when it is due."""

    id = models.BigAutoField(primary_key=True)
    # NULL: a digest or a test.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    channel_name = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=DeliveryKind)
    priority = models.CharField(max_length=16, choices=Priority)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    # What a digest or a test says; for alerts the text is made when it is sent.
    content = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    # For its receiver: the same for every try, so that duplicates can be told.
    key = models.UUIDField(default=uuid4, editable=False)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    # Tries that failed since it was written, or since somebody sent it again; they decide how long to wait and when to give up.
    failures = models.PositiveIntegerField(default=0)
    # When somebody took it back from the dead letters.
    resent_at = models.DateTimeField(null=True)
    # While SENDING: whose it is, and until when.
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # An earlier try may have arrived.
    maybe_duplicate = models.BooleanField(default=False)
    # The delivery that failed, for which this one stands in.
    instead_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="stand_ins")

    class Meta:
        permissions = [("resend", "Can send a delivery again")]
        indexes = [
            # What workers claim, channel by channel; what is urgent first.
            models.Index(
                fields=["channel", "due_at", "id"],
                name="delivery_due",
                condition=Q(state=DeliveryState.PENDING),
            ),
            models.Index(
                fields=["channel", "due_at", "id"],
                name="delivery_urgent",
                condition=Q(state=DeliveryState.PENDING, priority=Priority.CRITICAL),
            ),
            # What a dead worker left behind.
            models.Index(
                fields=["claimed_until"], name="delivery_claimed", condition=Q(state=DeliveryState.SENDING)
            ),
            models.Index(fields=["-id"], name="delivery_dead", condition=Q(state=DeliveryState.DEAD)),
            models.Index(fields=["channel", "-id"], name="delivery_channel"),
            # The statistics by channel, without a look at the rows.
            models.Index(fields=["channel_name", "state", "created_at"], name="delivery_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel_name} #{self.pk}"


class DeliveryAttempt(models.Model):
    """One try. Written before the call, completed after it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=AttemptOutcome, default=AttemptOutcome.OPEN)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # Seconds that the other side asked us to wait.
    retry_after = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_row_a_try")]


class ChatLink(models.Model):
    """A person's account in a chat, so that a button pressed there acts as that person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_links")
    kind = models.CharField(max_length=16, choices=ChatKind)
    # The chat's own id of the person: Telegram's number, Slack's `U…`.
    external_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "external_id"], name="one_person_a_chat_id")]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class ChatButton(models.Model):
    """A button in a message: one act on one alert, until it expires. Its text in the chat is a random token, of which we keep the digest."""

    digest = models.CharField(max_length=64, unique=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    act = models.CharField(max_length=32, choices=ChatAct)
    # Set for the second press, of a confirmation: only this person's counts.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.CharField(max_length=150, blank=True)

    class Meta:
        # Old ones are deleted.
        indexes = [models.Index(fields=["expires_at"], name="button_expires")]

    def __str__(self) -> str:
        return f"{self.act} of alert {self.alert_id}"


class LinkCode(models.Model):
    """A code that links the chat account which sends it to this person: once, and for some minutes. We keep its digest."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Code of {self.user_id}"


class BotPoll(models.Model):
    """How far a Telegram bot's updates have been read, and who reads them now. Telegram gives them to one reader at a time."""

    # The bot's id: the part of its token before the colon, which is no secret.
    bot = models.CharField(max_length=32, unique=True)
    # Of the next update.
    offset = models.BigIntegerField(default=0)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # No poll before this time, after a failure.
    next_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Bot {self.bot}"
