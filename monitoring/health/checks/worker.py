"""A Celery worker: a job is really done, through the queue that it takes its work from. An answer to a ping says less."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from monitoring.health.checks.base import Failed, Result, slow, together
from monitoring.health.checks.redis import broker
from monitoring.health.models import ProbeJob
from opsconsole.celery import app

TASK = "health.do_job"
# Between two looks for its mark, at first and at most. Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCheck:
    """The job is to mark a row, so that broker, worker and its database are all needed for it."""

    queue: str
    degraded_ms: float
    unhealthy_ms: float
    budget: float

    def run(self, now: datetime) -> Result:
        job = ProbeJob.objects.create(token=uuid4(), queue=self.queue, sent_at=now)
        began = time.monotonic()
        try:
            self._send(job)
            by = self._wait(job, until=began + self.budget)
        finally:
            ProbeJob.objects.filter(pk=job.pk).delete()
        response_ms = 1000 * (time.monotonic() - began)
        return together(
            [slow(response_ms, self.degraded_ms, self.unhealthy_ms)],
            well="A job was done",
            response_ms=response_ms,
            metadata={"queue": self.queue, "worker": by},
        )

    def _send(self, job: ProbeJob) -> None:
        try:
            with broker(self.budget) as connection:
                app.send_task(
                    TASK,
                    args=[str(job.token)],
                    queue=self.queue,
                    expires=self.budget,
                    connection=connection,
                    retry=False,
                    ignore_result=True,
                )
        except Exception as error:
            # Of kombu and redis-py; their texts may hold the address and its password.
            raise Failed(f"A job could not be sent: Redis does not answer ({type(error).__name__})") from None

    def _wait(self, job: ProbeJob, *, until: float) -> str:
        pause = FIRST_PAUSE
        while time.monotonic() < until:
            time.sleep(pause)
            with suppress(ProbeJob.DoesNotExist):
                return ProbeJob.objects.exclude(done_at=None).values_list("done_by", flat=True).get(pk=job.pk)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise Failed(f"No worker has done a job of the queue {self.queue} within {self.budget:g} s")


def do_job(token: str, *, worker: str, now: datetime) -> bool:
    """The worker's part. Returns whether somebody still waited."""
    return bool(ProbeJob.objects.filter(pk=token, done_at=None).update(done_at=now, done_by=worker[:255]))
