"""Words of the kill switch."""

from django.db import models


class Mode(models.TextChoices):
    """What a switch lets through. Ordered from open to closed."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


class Reason(models.TextChoices):
    MANUAL = "MANUAL"
    DAILY_LOSS_LIMIT = "DAILY_LOSS_LIMIT"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    DATA_QUALITY = "DATA_QUALITY"
    VOLATILITY = "VOLATILITY"
    API_FAILURE = "API_FAILURE"
    RISK_THRESHOLD = "RISK_THRESHOLD"
    COST_ALERT = "COST_ALERT"


class ProofState(models.TextChoices):
    """Of one trading process in one activation."""

    PENDING = "PENDING"
    ACKED = "ACKED"
    LEASE_EXPIRED = "LEASE_EXPIRED"


class Every(models.TextChoices):
    """How drills are scheduled."""

    MONTH = "month", "Once in each month"
    DAYS = "days", "After a number of days"


class Reminder(models.TextChoices):
    """What an open alert says of the next drill."""

    SOON = "soon"
    OVERDUE = "overdue"


class CommandKind(models.TextChoices):
    CANCEL_ORDERS = "cancel_orders"
    CLOSE_POSITIONS = "close_positions"


class CommandState(models.TextChoices):
    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"
    # The process went away, or did not answer within the command's time.
    EXPIRED = "EXPIRED"
