"""The one door for every change of the breakers: reports, commands, settings and what goes on by itself."""

from monitoring.breakers.services.breakers import UnknownBreaker
from monitoring.breakers.services.commands import (
    NotHeld,
    Outcome,
    expire_holds,
    force_close,
    force_open,
    release,
    reset,
    reset_all,
)
from monitoring.breakers.services.housekeeping import forget, sweep
from monitoring.breakers.services.probing import lease_probe
from monitoring.breakers.services.reporting import ForeignProcess, Taken, take_report
from monitoring.breakers.services.tuning import as_values, own_configs, tune

__all__ = [
    "ForeignProcess",
    "NotHeld",
    "Outcome",
    "Taken",
    "UnknownBreaker",
    "as_values",
    "expire_holds",
    "force_close",
    "force_open",
    "forget",
    "lease_probe",
    "own_configs",
    "release",
    "reset",
    "reset_all",
    "sweep",
    "take_report",
    "tune",
]
