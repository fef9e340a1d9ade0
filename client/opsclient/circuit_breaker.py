"""Circuit breakers and the kill switch, under the module name that the operations guide uses."""

from opsclient.breaker.breaker import CircuitBreaker
from opsclient.breaker.choices import CircuitState, WindowType
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.errors import CallDeadlineExceeded, CircuitBreakerOpenError
from opsclient.breaker.manager import CircuitBreakerManager
from opsclient.breaker.transition import Transition
from opsclient.kill_switch import KillSwitch
from opsclient.reasons import KillSwitchReason

__all__ = [
    "CallDeadlineExceeded",
    "CircuitBreaker",
    "CircuitBreakerManager",
    "CircuitBreakerOpenError",
    "CircuitConfig",
    "CircuitState",
    "KillSwitch",
    "KillSwitchReason",
    "Transition",
    "WindowType",
]
