"""Housekeeping of the API."""

from celery import shared_task

from opsconsole.api.idempotency import forget


@shared_task(name="api.forget_idempotent_calls")
def forget_idempotent_calls() -> None:
    forget()
