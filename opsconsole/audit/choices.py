"""Words of the audit trail."""

from django.db import models


class ActorKind(models.TextChoices):
    USER = "user"
    TOKEN = "token"
    CLIENT = "client"
    SYSTEM = "system"
    DATABASE = "database"
