"""The guide's command lines (5.5 and 8.2), as printed, against a real web process."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.console import ConsoleProcess

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

STATUS = "curl http://localhost:8000/monitoring/kill-switch"
ACTIVATE = """curl -X POST "http://localhost:8000/monitoring/kill-switch/activate" \\
  -H "Content-Type: application/json" \\
  -d '{
    "reason": "MANUAL",
    "message": "Emergency halt for system maintenance",
    "metadata": {"operator": "admin"}
  }'"""
DEACTIVATE = """curl -X POST "http://localhost:8000/monitoring/kill-switch/deactivate" \\
  -d "message=System maintenance complete\""""
COSTS = """curl -X POST http://localhost:8000/monitoring/kill-switch/activate \\
  -H "Content-Type: application/json" \\
  -d '{"reason":"COST_ALERT","message":"Daily AI cost exceeded $10"}'"""
RESUME = "curl -X POST http://localhost:8000/monitoring/kill-switch/deactivate"


def test_every_line_works_as_printed(console: ConsoleProcess) -> None:
    def run(line: str) -> Any:
        assert re.search(r"localhost:8000\b", line)
        shell = line.replace("localhost:8000", f"localhost:{console.port}", 1).replace(
            "curl ", "curl --silent --noproxy '*' ", 1
        )
        done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)

    assert run(STATUS)["trading_allowed"] is True
    stopped = run(ACTIVATE)
    assert (stopped["is_active"], stopped["reason"], stopped["activated_by"]) == (True, "MANUAL", "local")
    assert (stopped["message"], stopped["metadata"]) == (
        "Emergency halt for system maintenance",
        {"operator": "admin"},
    )
    assert run(STATUS)["mode"] == "HALTED"
    assert run(DEACTIVATE)["is_active"] is False
    assert run(COSTS)["reason"] == "COST_ALERT"
    resumed = run(RESUME)
    assert resumed["is_active"] is False
    assert resumed["warnings"][0].startswith("message: none was given")
    assert run(RESUME)["error"]["code"] == "not_active"
