"""Server-sent events: bytes in, events out. Pure."""

import re
from dataclasses import dataclass, field

from opsclient.errors import ProtocolError

LONGEST_EVENT = 4 * 1024 * 1024  # bytes; a snapshot with ten thousand scopes has about two million
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(slots=True)
class EventParser:
    """Collects the bytes of one stream. Comments and the fields `id` and `retry` are passed over."""

    _rest: bytearray = field(default_factory=bytearray)
    _event: str = "message"
    _data: list[str] = field(default_factory=list)

    def feed(self, chunk: bytes) -> list[tuple[str, str]]:
        """The events, as (name, data), which this chunk has completed. Raises ProtocolError if one is endless."""
        self._rest += chunk
        events: list[tuple[str, str]] = []
        start = 0
        for end in _LINE_END.finditer(self._rest):
            if end.group() == b"\r" and end.end() == len(self._rest):
                break  # half of a \r\n, perhaps: the next chunk tells
            self._line(bytes(self._rest[start : end.start()]).decode("utf-8", "replace"), events)
            start = end.end()
        del self._rest[:start]
        if len(self._rest) + sum(map(len, self._data)) > LONGEST_EVENT:
            raise ProtocolError(f"an event of the stream is longer than {LONGEST_EVENT} bytes")
        return events

    def _line(self, line: str, events: list[tuple[str, str]]) -> None:
        if not line:
            if self._data:
                events.append((self._event, "\n".join(self._data)))
            self._event, self._data = "message", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
