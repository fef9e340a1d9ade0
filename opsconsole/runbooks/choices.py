"""Words of runbooks and incidents."""

from django.db import models


class StepKind(models.TextChoices):
    """What a step asks of whoever works through it."""

    # Look: the step shows a value as it is now.
    READ = "read", "Look"
    # Type: a line for a shell.
    COMMAND = "command", "Command"
    # Press: a button for something that the console does.
    PRESS = "press", "Press"
    # Do, and say what was done.
    CONFIRM = "confirm", "Do"


class Read(models.TextChoices):
    """What a step of the kind READ shows."""

    COST = "cost", "AI cost of today, beside the budget"
    KILL_SWITCH = "kill_switch", "What is stopped"
    CLIENTS = "clients", "Trading processes"
    BREAKER = "breaker", "One circuit breaker"
    BREAKERS = "breakers", "Circuit breakers that are open"
    HEALTH = "health", "Components that are not healthy"
    COMPONENT = "component", "One component"
    SYSTEM = "system", "One word for the whole"
    ALERTS = "alerts", "Alerts that need somebody"


class Press(models.TextChoices):
    """What the button of a step of the kind PRESS does, or leads to."""

    STOP = "stop", "Stop trading"
    REARM = "rearm", "Re-arm trading"
    RESET_BREAKER = "reset_breaker", "Reset a circuit breaker"
    REFRESH_HEALTH = "refresh_health", "Check health now"
    ACKNOWLEDGE = "acknowledge", "Acknowledge the alert"
    SILENCE = "silence", "Silence the alert"


# What must say of what.
TARGETED = frozenset({Read.BREAKER, Read.COMPONENT, Press.STOP, Press.RESET_BREAKER})
# Done at once. The others lead to their own page, which asks as it always does.
AT_ONCE = frozenset({Press.RESET_BREAKER, Press.REFRESH_HEALTH, Press.ACKNOWLEDGE})


class IncidentState(models.TextChoices):
    OPEN = "open"
    CLOSED = "closed"


class Shown(models.TextChoices):
    """Which part of an incident's timeline is wanted."""

    ALL = "", "Everything"
    INCIDENT = "incident", "Steps and notes"
    ALERTS = "alerts", "Alerts"
    BREAKERS = "breakers", "Circuit breakers"
    SWITCH = "switch", "Kill switch"
    HEALTH = "health", "Health"
    OTHER = "other", "Everything else"
