"""Numbers as people read them: unit after a non-breaking space, percent without, minus is −. Unknown is the word."""

NBSP = "\u00a0"
MINUS = "\u2212"
STATES = {0: "closed", 1: "half-open", 2: "OPEN"}


def shown(value: float | None, unit: str) -> str:
    """`−$3,118.40`, `52.3%`, `1.4 bps`, `38 ms`, `1.87 s`, `12.5/s`, `48,213`."""
    if value is None:
        return "unknown"
    return _shown(value, unit).replace("-", MINUS)


def _shown(value: float, unit: str) -> str:
    match unit:
        case "usd":
            return _money(value)
        case "percent":
            return f"{value:,.1f}%"
        case "bps":
            return f"{value:,.1f}{NBSP}bps"
        case "seconds":
            return f"{value * 1000:,.0f}{NBSP}ms" if abs(value) < 0.9995 else f"{value:,.2f}{NBSP}s"
        case "milliseconds":
            return (
                f"{value:,.{_digits(value)}f}{NBSP}ms"
                if abs(value) < 999.5
                else f"{value / 1000:,.2f}{NBSP}s"
            )
        case "per_second":
            return f"{value:,.2f}/s"
        case "ratio":
            return f"{value:,.2f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _digits(milliseconds: float) -> int:
    """`0.42 ms`, `3.1 ms`, `38 ms`."""
    size = abs(milliseconds)
    return 0 if not size or size >= 9.95 else 1 if size >= 0.995 else 2


def _money(value: float) -> str:
    """Cents; below one cent the digits that there are."""
    size = abs(value)
    digits = 2 if size >= 0.01 or not size else 4
    return f"{'-' if value < 0 and round(size, digits) else ''}${size:,.{digits}f}"
