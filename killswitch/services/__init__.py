"""The one door for every change of the kill switch: web pages, API, command, tasks and streams all come through here."""

from killswitch.services.commands import NoTargets, issue_command
from killswitch.services.drills import (
    change_drill_rule,
    remind,
)
from killswitch.services.processes import (
    AccountMismatch,
    ClientDetails,
    connect,
    disconnect,
    notice_stale,
    sweep,
    touch,
)
from killswitch.services.proofs import (
    UnknownClient,
    acknowledge,
    acknowledge_all,
    notice_unproven,
    settle,
)
from killswitch.services.reports import Report, report
from killswitch.services.switches import (
    ActivationOutcome,
    DrillRefused,
    NotActive,
    activate,
    carry_out,
    deactivate,
)

__all__ = [
    "AccountMismatch",
    "ActivationOutcome",
    "ClientDetails",
    "DrillRefused",
    "NoTargets",
    "NotActive",
    "Report",
    "UnknownClient",
    "acknowledge",
    "acknowledge_all",
    "activate",
    "carry_out",
    "change_drill_rule",
    "connect",
    "deactivate",
    "disconnect",
    "issue_command",
    "notice_stale",
    "notice_unproven",
    "remind",
    "report",
    "settle",
    "sweep",
    "touch",
]
