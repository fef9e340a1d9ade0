"""What makes a console tell a webhook of every alert, at once: a script for `manage.py shell`."""

TELL_ALL = """
from django.utils import timezone
from django.db import transaction
from alerts.locking import bump_policy, lock_decisions
from alerts.models import AlertRule, Channel
from alerts.sealing import seal
now = timezone.now()
with transaction.atomic():
    lock_decisions()
    AlertRule.objects.update(max_per_hour=100000, quiet_start=0, quiet_end=0, dedupe_window_minutes=1, min_priority="LOW")
    bump_policy()
    Channel.objects.create(name="bench", kind="webhook", secrets=seal({{"url": "{url}"}}), created_at=now, updated_at=now)
"""
