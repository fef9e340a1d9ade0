"""A real web process of the console, for tests of streams, pages in a browser, and what happens when it dies."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from opsconsole.embedded.processes import wait_until
from opsconsole.supervisor.programs import ROOT

START_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url(settings_dict: Mapping[str, Any]) -> str:
    """Django's settings of a connection as the URL they came from, with the database that it uses now."""
    query = f"host={settings_dict['HOST']}&port={settings_dict['PORT']}"
    login = settings_dict["USER"] + (f":{settings_dict['PASSWORD']}" if settings_dict["PASSWORD"] else "")
    return f"postgresql://{login}@/{settings_dict['NAME']}?{query}"


class ConsoleProcess:
    """The web process on one port, which it keeps over restarts. `url` has no slash at its end."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = dict(os.environ) | dict(environ)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "opsconsole.asgi:application"),
                    *(
                        "--host",
                        "127.0.0.1",
                        "--port",
                        str(self.port),
                        "--loop",
                        "uvloop",
                        "--http",
                        "httptools",
                    ),
                    *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "2"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self.environ,
            )
        process = self._process
        ready = wait_until(
            lambda: process.poll() is not None or self.answers(), seconds=START_SECONDS, interval=0.05
        )
        assert ready, "the web process neither answers nor ends"
        assert process.poll() is None, f"the web process did not start:\n{self.log.read_text()[-4000:]}"

    def answers(self) -> bool:
        """Whether it is healthy now; False also when it is suspended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """As by `kill -9`; returns when it is gone."""
        self.send(signal.SIGKILL)
        self._wait()

    def suspend(self) -> None:
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> int:
        """As by the supervisor; its return code."""
        self.resume()
        self.send(signal.SIGTERM)
        return self._wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def ensure_running(self) -> None:
        """For the next test, whatever the one before did to it."""
        if self._process is not None and self._process.poll() is None:
            self.resume()
            if wait_until(self.answers, seconds=5):
                return
            self.kill()
        self.start()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _wait(self) -> int:
        assert self._process is not None
        return self._process.wait(timeout=10)
