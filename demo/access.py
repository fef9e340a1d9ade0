"""The console's address and a token for the demo's traders."""

import json
import os
import subprocess
from pathlib import Path

from demo.console import ConsoleError

ROOT = Path(__file__).resolve().parent.parent

ACCOUNT = "demo-trading-system"


def obtain(data: Path) -> tuple[str, str]:
    """(URL, token): from the environment; else of the console that runs on the data folder. Raises
    ConsoleError.

    The token of a service account is made once, and kept beside the demo's other files, readable by its owner
    alone.
    """
    url, token = os.environ.get("OPSCLIENT_URL"), os.environ.get("OPSCLIENT_TOKEN")
    if url and token:
        return url, token
    credentials = data / "credentials.json"
    if not credentials.exists():
        raise ConsoleError(f"No console has been started on {data} yet. Start it with script/server.")
    kept = data / "demo" / "token"
    if not kept.exists():
        _keep(kept, _make_token(data))
    return url or json.loads(credentials.read_text("utf-8"))["url"], token or kept.read_text("utf-8").strip()


def _make_token(data: Path) -> str:
    command = [
        str(ROOT / "script" / "manage"),
        "createtoken",
        "--user",
        ACCOUNT,
        "--name",
        "demo",
        "--role",
        "trading-system",
    ]
    environ = os.environ | {"OPSCONSOLE_DATA": str(data.absolute())}
    made = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise ConsoleError("The demo could not make a token for its traders; the reason stands above.")
    return made.stdout.strip().splitlines()[-1]


def _keep(path: Path, token: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")
