"""Tells an alert manager that a breaker is open, where no console does."""

from typing import Any

from opsclient.alerts.choices import AlertCategory
from opsclient.breaker.choices import CircuitState
from opsclient.breaker.transition import Transition
from opsclient.errors import ConfigurationError
from opsclient.handlers import Handler
from opsclient.worker import PrivateLoop


class Alarm:
    """Uses the manager's `send_alert` and `resolve`, plain or async, else its `alert_critical_error`. The thread for it starts with the
    first alert. Raises ConfigurationError for a manager that has neither."""

    def __init__(self, alert_manager: Any) -> None:
        self._manager = alert_manager
        self._can_send = callable(getattr(alert_manager, "send_alert", None))
        if not self._can_send and not callable(getattr(alert_manager, "alert_critical_error", None)):
            raise ConfigurationError(
                "alert_manager must have send_alert or alert_critical_error, as a SmartAlertManager has, "
                f"not {alert_manager!r:.80}"
            )
        self._private = PrivateLoop()
        self._handler = Handler(self._call, name="alert_manager")

    def tell(self, transition: Transition) -> None:
        """Raise an alert for an opening, and end it when the breaker is closed. Never waits."""
        opens = transition.after is CircuitState.OPEN and transition.before is CircuitState.CLOSED
        closes = transition.after is CircuitState.CLOSED and hasattr(self._manager, "resolve")
        if opens or (closes and self._can_send):
            self._handler.run(self._private, lambda _: None, transition)

    def restart_in_child(self) -> None:
        """After a fork, in the child."""
        self._private = PrivateLoop()
        self._handler.restart_in_child()

    def _call(self, transition: Transition) -> Any:
        title = f"Circuit breaker {transition.breaker} is open"
        which = {"title": title, "labels": {"breaker": transition.breaker}}
        if transition.after is CircuitState.CLOSED:
            message = f"Closed ({transition.why})"
            return self._manager.resolve(AlertCategory.SYSTEM_ERROR, message=message, **which)
        cause = None if transition.cause is None else str(transition.cause)
        details = {
            "why": str(transition.why),
            "cause": cause,
            "open_s": transition.open_s,
            "counts": dict(transition.counts),
        }
        message = f"Its calls are rejected ({transition.why}). {cause or ''}".strip()
        if not self._can_send:
            return self._manager.alert_critical_error(error=title, details=details)
        return self._manager.send_alert(
            category=AlertCategory.SYSTEM_ERROR, message=message, details=details, **which
        )
