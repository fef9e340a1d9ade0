"""The watchdog's card, for any page that loads this."""

from typing import Any

from django import template

from monitoring.health.watchdog import selectors

register = template.Library()


@register.inclusion_tag("health/parts/watchdog.html")
def watchdog() -> dict[str, Any]:
    """Two queries. A page that is to refresh it must be among `monitoring.health.watchdog.parts.PAGES`."""
    return {"watchdog": selectors.watched()}
