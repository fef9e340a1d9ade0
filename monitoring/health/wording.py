"""How pages say what a status is: a word with an icon, and a colour only where something is the matter."""

from monitoring.health.choices import Status

WORDS = {
    Status.HEALTHY: "Healthy",
    Status.DEGRADED: "Degraded",
    Status.UNHEALTHY: "Unhealthy",
    Status.UNKNOWN: "Unknown",
}
# Each with whether it is filled.
ICONS = {
    Status.HEALTHY: ("circle-check", False),
    Status.DEGRADED: ("alert-triangle", True),
    Status.UNHEALTHY: ("x", False),
    Status.UNKNOWN: ("help-circle", False),
}
TONES = {Status.UNHEALTHY: "oc-bad", Status.DEGRADED: "oc-warn"}


def counted(number: int, one: str, several: str = "") -> str:
    """`1 day`, `2 days`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
