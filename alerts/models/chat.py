"""People in chats: who is linked, which buttons they may press."""

from django.conf import settings
from django.db import models

from alerts.choices import ChatAct, ChatKind
from alerts.models.alert import Alert
from alerts.models.delivery import Channel


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
