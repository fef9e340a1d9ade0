"""The one door for every change of runbooks and incidents."""

from opsconsole.runbooks.services.closing import close
from opsconsole.runbooks.services.noting import add_note
from opsconsole.runbooks.services.opening import (
    MissingValues,
    Opened,
    SwitchedOff,
    UnknownAlert,
    UnknownRunbook,
    open_runbook,
    start,
)
from opsconsole.runbooks.services.shared import IncidentClosed, UnknownIncident
from opsconsole.runbooks.services.stepping import UnknownStep, complete, take_back
from opsconsole.runbooks.services.writing import as_values, change, create, delete

__all__ = [
    "IncidentClosed",
    "MissingValues",
    "Opened",
    "SwitchedOff",
    "UnknownAlert",
    "UnknownIncident",
    "UnknownRunbook",
    "UnknownStep",
    "add_note",
    "as_values",
    "change",
    "close",
    "complete",
    "create",
    "delete",
    "open_runbook",
    "start",
    "take_back",
]
