"""How `script/demo --break` and `--heal` reach a demo that runs already."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from demo.wire import HOST

# A demo that does not answer within this time is not there.
ANSWER_S = 10.0


class Refused(Exception):
    """The running demo does not do it. The text is one sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Control:
    """Where a demo listens, and the token that shows that somebody may read its files."""

    port: int
    token: str = field(repr=False)

    def keep(self, folder: Path) -> None:
        """Write it down, readable by its owner alone."""
        path = _path(folder)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"port": self.port, "token": self.token}, file)

    def forget(self, folder: Path) -> None:
        """It ends; another demo's, that has begun since, stays."""
        if kept(folder) == self:
            _path(folder).unlink(missing_ok=True)

    def tell(self, body: dict[str, Any]) -> str | None:
        """Have it done. Returns what it says then; None: it does not run any more. Raises Refused."""
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy: it is on this machine
                answer = session.post(
                    f"http://{HOST}:{self.port}/control",
                    json=body,
                    headers={"Authorization": f"Bearer {self.token}"},
                    timeout=ANSWER_S,
                    allow_redirects=False,
                )
            said = answer.json()
        except (requests.RequestException, ValueError):
            return None
        if answer.status_code == requests.codes.ok and "said" in said:
            return str(said["said"])
        if answer.status_code == requests.codes.bad_request and "error" in said:
            raise Refused(f"The demo did not do it: {said['error']}.")
        return None


def kept(folder: Path) -> Control | None:
    """Of the demo that began last on this folder and has not ended in order."""
    try:
        found = json.loads(_path(folder).read_text("utf-8"))
        return Control(int(found["port"]), str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(folder: Path) -> Path:
    return folder / "control.json"
