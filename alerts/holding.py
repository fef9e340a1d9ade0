"""Deliveries that are not tried, since their channel fails: they wait, and count no failure; what is urgent goes to the fallback meanwhile."""

from datetime import datetime, timedelta

from alerts.choices import DeliveryState
from alerts.fallback import is_spent, stand_in
from alerts.guarding import Held
from alerts.models import Delivery
from opsconsole.live.publish import publish

# Looked at again no sooner than this, and so often while a person holds it.
SOONEST_S, FORCED_S = 1.0, 30.0


def hold(delivery: Delivery, held: Held, *, now: datetime) -> bool:
    """In the transaction that would have claimed it. Returns whether the fallback is told instead."""
    gives_up = is_spent(delivery, failures=delivery.failures, now=now)
    is_news = not delivery.held
    delivery.held, delivery.error = held.as_json(), f"not tried: {held}"
    if gives_up:
        delivery.state, delivery.finished_at = DeliveryState.DEAD, now
    else:
        wait = FORCED_S if held.retry_s is None else max(SOONEST_S, held.retry_s)
        delivery.due_at = now + timedelta(seconds=wait)
    delivery.save(update_fields=["held", "state", "finished_at", "error", "due_at"])
    if is_news or gives_up:
        publish("deliveries", ids=(delivery.pk,))
    return stand_in(delivery, now=now) is not None
