"""What a console does with alerts, for the console of these tests."""

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class AlertBoard:
    """`alerts`: those that were taken, each once."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    decision: str = "SENT"
    may_tune: bool = True
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered_keys: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def take_alerts(self, data: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Status and answer, as of the real console: a key that has been here gets the answer of then."""
        with self.lock:
            if key in self.answered_keys:
                body, answer = self.answered_keys[key]
                if body == data:
                    return 200, answer
                return 422, {"error": {"code": "key_reused", "message": "another body", "details": {}}}
            accepted, rejected = [], []
            for index, alert in enumerate(data["alerts"]):
                if "poison" in alert["title"]:
                    rejected.append({"index": index, "message": "title: bad", "details": {}})
                    continue
                self.alerts.append(alert)
                trace = [{"gate": "force", "passed": True, "forced": alert.get("force", False)}]
                facts = {"id": len(self.alerts), "decision": self.decision, "reason": "", "new": True}
                accepted.append({"index": index, **facts, "trace": trace})
            if not accepted:
                message = f"None of the {len(rejected)} alerts can be used."
                details = {f"alerts[{row['index']}]": row["message"] for row in rejected}
                return 400, {"error": {"code": "invalid", "message": message, "details": details}}
            answer = {"accepted": accepted, "rejected": rejected}
            self.answered_keys[key] = (data, answer)
            return 207 if rejected else 200, answer

    def titles(self) -> list[str]:
        """Of the alerts that were taken, in order."""
        return [alert["title"] for alert in list(self.alerts)]
