"""What a console says instead of taking a request."""

from collections.abc import Callable
from typing import Any

from tests.client.console_server import Handler


def answer(status: int, code: str = "code", message: str = "no") -> Callable[[Handler, str, Any], bool]:
    body = {"error": {"code": code, "message": message, "details": {}}}
    return lambda handler, _path, _data: handler.answer(status, body)
