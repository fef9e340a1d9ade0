"""Numbers as people read them (operator-ux 4)."""

import pytest

from monitoring.metrics.units import shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "usd", "unknown"),
        (-3118.4, "usd", "−$3,118.40"),
        (-0.0, "usd", "$0.00"),
        (0.0004, "usd", "$0.0004"),
        (52.34, "percent", "52.3%"),
        (-1.44, "bps", "−1.4\u00a0bps"),
        (0.038, "seconds", "38\u00a0ms"),
        (0.9994, "seconds", "999\u00a0ms"),
        (1.866, "seconds", "1.87\u00a0s"),
        (12.5, "per_second", "12.50/s"),
        (-0.2, "ratio", "−0.20"),
        (48213.0, "", "48,213"),
        (0.5, "", "0.50"),
    ],
)
def test_writes_units_and_signs_as_the_desk_does(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text
