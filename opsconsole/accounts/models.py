"""People, service accounts and their API tokens."""

from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person, or a service account (`is_service`), which never signs in and only acts through tokens."""

    is_service = models.BooleanField(default=False)

    # The permissions of this object's account, once asked for: see accounts.backends.
    granted: frozenset[str] | None = None

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class ApiToken(models.Model):
    """A bearer token of one account. Only its SHA-256 is stored; `prefix` (8 characters) lets people tell tokens apart."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=64)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, *, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class SignInThrottle(models.Model):
    """Failed sign-ins in a row, of one account from one address or of one address, and until when further tries must wait."""

    # `pair:<sha256 of username and address>` or `ip:<address>`.
    key = models.CharField(max_length=80, unique=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.failures} failures"
