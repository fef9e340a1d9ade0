"""What this package raises. No message ever contains the token."""


class OpsClientError(Exception):
    """The base of every error of this package."""


class ConfigurationError(OpsClientError, ValueError):
    """An argument or an environment variable cannot be used; the message names it and says what is allowed."""


class ConsoleUnreachable(OpsClientError, ConnectionError):
    """The console gave no answer that could be used."""


class PermissionDenied(OpsClientError, PermissionError):
    """The console refused the token, or the token's role may not do this (401 or 403)."""


class NotActive(OpsClientError):
    """There is no stop of this scope that could be lifted (409)."""


class Refused(OpsClientError):
    """The console understood the request and refused it for another reason."""


class ProtocolError(OpsClientError):
    """The stream said something that docs/protocol.md does not allow; the connection is given up."""


class TradingHalted(OpsClientError):
    """An order is not allowed now. Raised by `KillSwitch.require_trading_allowed` only.

    `reason` and `message` are those of the stop, or `LEASE` where no stop but the missing lease forbids the order.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(
            f"trading is halted ({reason}): {message}" if message else f"trading is halted ({reason})"
        )
        self.reason = reason
        self.message = message
