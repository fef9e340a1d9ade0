"""The settings of a breaker, and where each comes from: the code of its processes, or the console."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.breakers.models import BreakerState
from monitoring.breakers.tuning import TUNABLE

CONSOLE, CODE = "the console", "the code"


@dataclass(frozen=True, slots=True)
class Setting:
    """`value`: what is in effect, and in how many processes if they differ. `own`: what the code says, where the console says something else."""

    name: str
    help: str
    value: str
    origin: str
    own: str = ""

    @property
    def tuned(self) -> bool:
        return self.origin == CONSOLE


def settings(tuned: Mapping[str, Any], states: Sequence[BreakerState]) -> list[Setting]:
    """Those that the console can tune, then those that are in the code alone. `tuned`: what the console says."""
    known = {name for state in states for name in state.config} | set(tuned)
    order = [*(name for name in TUNABLE if name in known), *sorted(known - set(TUNABLE))]
    return [_setting(name, tuned, states) for name in order]


def _setting(name: str, tuned: Mapping[str, Any], states: Sequence[BreakerState]) -> Setting:
    in_effect = _values(name, [state.config for state in states])
    of = TUNABLE.get(name)
    about = of.help if of is not None else ""
    if name not in tuned:
        return Setting(name, about, in_effect, CODE)
    return Setting(
        name,
        about,
        in_effect if states else shown(name, tuned[name]),
        CONSOLE,
        own=_values(name, [state.own_config for state in states]),
    )


def _values(name: str, configs: Sequence[Mapping[str, Any]]) -> str:
    """`60 s`, or `60 s in 3, 30 s in 1` where processes differ; empty when none says."""
    counted = Counter(shown(name, config[name]) for config in configs if name in config)
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{value} in {number:,}" for value, number in counted.most_common())


def shown(name: str, value: Any) -> str:
    """With its unit, which the name has. What is no number is shown as it came, shortened."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        text = f"{value:,.10g}"
        if name.endswith("_seconds"):
            return f"{text}\u00a0s"
        return f"{text}%" if name.endswith("rate_threshold") else text
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
