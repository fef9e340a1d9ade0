"""What the demo reads from the console: whether it answers, and the history of stops."""

from typing import Any
from urllib.parse import urlsplit

import requests


class ConsoleError(Exception):
    """The console cannot be used. The text is one sentence for the person who started the demo."""


class Console:
    """Read-only access by token. No redirect is followed, so that the token goes nowhere else."""

    def __init__(self, url: str, token: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ConsoleError("The console's URL (OPSCLIENT_URL) must start with http:// or https://.")
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def status(self) -> dict[str, Any]:
        """Raises ConsoleError."""
        return self._get("/monitoring/kill-switch", {})

    def activations(self) -> list[dict[str, Any]]:
        """The latest hundred stops, newest first. Raises ConsoleError.

        Asked again and again, and once more at the end, when nobody wants to wait: half a second at most.
        """
        page = self._get("/monitoring/kill-switch/activations", {"limit": "100"}, timeout=0.5)
        results: list[dict[str, Any]] = page["results"]
        return results

    def _get(self, path: str, query: dict[str, str], *, timeout: float = 2) -> dict[str, Any]:
        try:
            answer = self._session.get(self.url + path, params=query, timeout=timeout, allow_redirects=False)
        except requests.RequestException:
            raise ConsoleError(
                f"The console does not answer at {self.url}. Start it with script/server."
            ) from None
        if answer.status_code in {401, 403}:
            raise ConsoleError(f"The console at {self.url} does not accept the token (OPSCLIENT_TOKEN).")
        try:
            body = answer.json() if answer.status_code == requests.codes.ok else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ConsoleError(f"{self.url} does not answer like this console (status {answer.status_code}).")
        return body
