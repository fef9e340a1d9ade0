"""Tokens that this process has just looked up.

After a stop every trading process acknowledges within milliseconds; looking up token, account and permissions was two thirds of the work of each.
"""

from time import monotonic

from opsconsole.accounts.models import ApiToken

# Seconds. A revoked token, a deactivated account or a role taken away may count for so long in another web process.
KEEP_S = 5.0
MOST = 1000


class RecentTokens:
    """By digest, each with its account and, once asked for, the account's permissions. Safe in threads: entries are replaced, never changed."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, ApiToken]] = {}

    def get(self, digest: str) -> ApiToken | None:
        entry = self._entries.get(digest)
        return entry[1] if entry is not None and monotonic() < entry[0] else None

    def put(self, token: ApiToken) -> None:
        if len(self._entries) >= MOST:
            self._entries = {}
        self._entries[token.digest] = (monotonic() + KEEP_S, token)

    def drop(self, token: ApiToken) -> None:
        """Called when a token is revoked here, so that it ends at once in this process."""
        self._entries.pop(token.digest, None)


recent_tokens = RecentTokens()
