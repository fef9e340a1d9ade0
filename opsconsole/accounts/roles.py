"""The roles. Each is a group; every app grants its own permissions to them in a migration of its own."""

from django.db import models


class Role(models.TextChoices):
    VIEWER = "viewer"
    # Acknowledge, silence, reset, stop.
    OPERATOR = "operator"
    # All that an operator may, and re-arm and tune.
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    # Trading processes: connect, acknowledge, report, and stop. Never re-arm.
    TRADING_SYSTEM = "trading-system"


# The service account of the loopback rule (opsconsole.accounts.loopback) and what it may do.
LOCAL_USERNAME = "local"
LOCAL_ROLES = (Role.OPERATOR, Role.SUPERVISOR, Role.TRADING_SYSTEM)
