"""The noise report's figures as the page writes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.noise import Bar
from alerts.noise_figures import Figure

# Verdict: icon, word, class.
VERDICTS = {
    "good": ("check", "Good", "oc-muted"),
    "watch": ("alert-triangle", "Watch", "oc-warn"),
    "act": ("octagon", "Act", "oc-bad"),
    "unknown": ("help-circle", "Unknown", "oc-muted"),
}
ORDER = ("act", "watch", "good", "unknown")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure, with its value in words (the unit after it; a percent sign without a space)."""

    figure: Figure

    @property
    def value(self) -> str:
        value = self.figure.value
        if value is None:
            return f"unknown, {self.figure.reason}"
        number = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        return f"{number}%" if self.figure.unit == "%" else f"{number}\u00a0{self.figure.unit}"

    @property
    def icon(self) -> str:
        return VERDICTS[self.figure.verdict][0]

    @property
    def word(self) -> str:
        return VERDICTS[self.figure.verdict][1]

    @property
    def tone(self) -> str:
        return VERDICTS[self.figure.verdict][2]


@dataclass(frozen=True, slots=True)
class BarRow:
    """`share`: of the longest bar, in percent, at least 1 where there is anything."""

    label: str
    periods: int
    share: int
    flood: bool


def figure_rows(figures: Sequence[Figure]) -> list[FigureRow]:
    """What asks for an act first."""
    return [FigureRow(figure) for figure in sorted(figures, key=lambda figure: ORDER.index(figure.verdict))]


def bar_rows(bars: Sequence[Bar]) -> list[BarRow]:
    longest = max((bar.periods for bar in bars), default=0)
    return [
        BarRow(
            label=_label(bar),
            periods=bar.periods,
            share=max(1, round(100 * bar.periods / longest)) if bar.periods else 0,
            flood=bar.least > 10,
        )
        for bar in bars
    ]


def _label(bar: Bar) -> str:
    if bar.most is None:
        return f"{bar.least} or more"
    return str(bar.least) if bar.least == bar.most else f"{bar.least} to {bar.most}"
