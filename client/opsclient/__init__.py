"""opsclient: the trading process' side of opsconsole."""

from opsclient.console import OpsConsole
from opsclient.errors import (
    ConfigurationError,
    ConsoleUnreachable,
    NotActive,
    OpsClientError,
    PermissionDenied,
    Refused,
    TradingHalted,
)
from opsclient.kill_switch import KillSwitch
from opsclient.listener import Contact
from opsclient.reasons import KillSwitchReason, Mode
from opsclient.version import __version__

__all__ = [
    "ConfigurationError",
    "ConsoleUnreachable",
    "Contact",
    "KillSwitch",
    "KillSwitchReason",
    "Mode",
    "NotActive",
    "OpsClientError",
    "OpsConsole",
    "PermissionDenied",
    "Refused",
    "TradingHalted",
    "__version__",
]
