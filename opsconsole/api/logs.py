"""The request's id in each log record."""

import logging
from contextvars import ContextVar

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Gives records `request_id`; `-` outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs an answer's status after the middleware is done, with the request beside it.
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", None) or current_request_id.get()
        return True
