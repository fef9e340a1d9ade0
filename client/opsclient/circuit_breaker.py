"""The kill switch under the module name that the operations guide uses."""

from opsclient.kill_switch import KillSwitch
from opsclient.reasons import KillSwitchReason

__all__ = ["KillSwitch", "KillSwitchReason"]
