"""Names like one that nobody knows."""

from difflib import get_close_matches

from monitoring.breakers.models import CircuitBreaker

NEAREST = 5
# How much two names must have in common, from 0 to 1: a forgotten half is still near.
LIKENESS = 0.45


def nearest(name: str) -> list[str]:
    """Names like this one, the nearest first."""
    known = {known.casefold(): known for known in CircuitBreaker.objects.values_list("name", flat=True)}
    return [known[found] for found in get_close_matches(name.casefold(), known, n=NEAREST, cutoff=LIKENESS)]
