"""What beat does by itself, and what the admin shows."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from monitoring import tasks
from monitoring.metrics import partitions
from monitoring.models import Batch, Hour, Series
from opsconsole.accounts.models import User
from tests.metrics.pushing import DAY, HOUR, push, trades


def test_beat_sends_each_task_by_its_name() -> None:
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.make_partitions.name, tasks.roll_up.name, tasks.forget.name} <= sent


@pytest.mark.django_db(transaction=True)
def test_the_tasks_do_their_work() -> None:
    partitions.forget()
    tasks.make_partitions()
    now = timezone.now()
    assert partitions.MINUTES.name_of(now + 2 * DAY) in partitions._seen
    push(trades(2), at=now - 8 * DAY, batch_id="old")
    push(trades(3), at=now - 2 * HOUR, batch_id="new", now=now)
    tasks.roll_up()
    assert sum(hour.total for hour in Hour.objects.filter(at__gte=now - 3 * HOUR)) == 3
    tasks.forget()
    assert [batch.pk for batch in Batch.objects.all()] == ["new"]


@pytest.mark.django_db
def test_the_admin_shows_and_changes_nothing(admin_user: User) -> None:
    client = Client()
    client.force_login(admin_user)
    push(trades(2), batch_id="b1")
    pk = Series.objects.get().pk
    for path in ("series/", f"series/{pk}/change/", "batch/", "batch/b1/change/"):
        assert client.get(f"/admin/monitoring/{path}").status_code == 200
    for path in ("series/add/", f"series/{pk}/delete/", "batch/add/"):
        assert client.post(f"/admin/monitoring/{path}").status_code == 403
    assert Series.objects.count() == Batch.objects.count() == 1
