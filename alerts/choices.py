"""Words of the alerts."""

from django.db import models


class Category(models.TextChoices):
    SYSTEM_ERROR = "SYSTEM_ERROR"
    TRADING_SIGNAL = "TRADING_SIGNAL"
    RISK_WARNING = "RISK_WARNING"
    PORTFOLIO_UPDATE = "PORTFOLIO_UPDATE"
    DATA_QUALITY = "DATA_QUALITY"
    COST_ALERT = "COST_ALERT"
    PERFORMANCE = "PERFORMANCE"


class Priority(models.TextChoices):
    """From the least urgent to the most; `rank` compares them."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        return _RANKS[self.value]


_RANKS = {priority.value: rank for rank, priority in enumerate(Priority)}


class Decision(models.TextChoices):
    """What became of an alert that was raised. All but SENT: nobody was told."""

    SENT = "SENT"
    DISABLED = "DISABLED"
    SILENCED = "SILENCED"
    # The consequence of something that was done on purpose, such as "no trades" while trading is stopped.
    EXPECTED = "EXPECTED"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    DEDUPED = "DEDUPED"
    RATE_LIMITED = "RATE_LIMITED"
    # Held until the quiet hours end, then told in one digest.
    QUIET_HOURS = "QUIET_HOURS"


class Gate(models.TextChoices):
    """The questions that are asked, in this order."""

    FORCE = "force"
    ENABLED = "enabled"
    SILENCE = "silence"
    EXPECTED = "expected"
    MINIMUM_PRIORITY = "minimum_priority"
    DEDUPE = "dedupe"
    RATE_LIMIT = "rate_limit"
    QUIET_HOURS = "quiet_hours"


class AlertState(models.TextChoices):
    FIRING = "FIRING"
    RESOLVED = "RESOLVED"


class ChannelKind(models.TextChoices):
    TELEGRAM = "telegram"
    SLACK = "slack"
    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class DeliveryKind(models.TextChoices):
    FIRING = "firing"
    # The same incident again, after its dedupe window.
    REPEAT = "repeat"
    # Count, age or state in the message that is there already; makes no sound.
    EDIT = "edit"
    RESOLVED = "resolved"
    ESCALATION = "escalation"
    DIGEST = "digest"
    TEST = "test"


class DeliveryState(models.TextChoices):
    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    # Given up: in the dead-letter list, with a button to send it again.
    DEAD = "DEAD"
    # Told in a digest instead, or not worth telling any more.
    FOLDED = "FOLDED"
    CANCELLED = "CANCELLED"


class AttemptOutcome(models.TextChoices):
    """Of one try to send. OPEN: the call is under way, or died with its process; it may have arrived."""

    OPEN = "OPEN"
    SENT = "SENT"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    THROTTLED = "THROTTLED"
    # Cut off or timed out after the request was out: it may have arrived.
    UNKNOWN = "UNKNOWN"


class ChatKind(models.TextChoices):
    """The chats in which people press buttons."""

    TELEGRAM = "telegram", "Telegram"
    SLACK = "slack", "Slack"


class ChatAct(models.TextChoices):
    """What a button in a chat is for. The stops that confirm another one are bound to who pressed that."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    # Asks which stop, and for a second press.
    STOP = "stop"
    STOP_SCOPE = "stop_scope"
    STOP_ALL = "stop_all"
