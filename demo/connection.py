"""A trader's connection to the venue."""

import asyncio
import itertools
import json
from typing import Any

Message = dict[str, Any]


class VenueError(Exception):
    """The venue refused, or is gone."""


class VenueConnection:
    """Sends requests and hands out what the venue pushes. Used from one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        # One message a day; the trader is far quicker than that.
        self._pushed: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(cls, port: int) -> "VenueConnection":
        """Raises OSError when nothing listens there."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def call(self, op: str, **fields: Any) -> Message:
        """One request and its answer. Raises VenueError."""
        if self._task.done():
            raise VenueError("the venue has hung up")
        number = next(self._ids)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write(json.dumps({"id": number, "op": op, **fields}).encode() + b"\n")
        message = await answer
        if "error" in message:
            raise VenueError(message["error"])
        return message

    async def pushed(self) -> Message | None:
        """The next push; None when the venue has hung up."""
        return await self._pushed.get()

    def close(self) -> None:
        self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                message: Message = json.loads(line)
                if "id" in message:
                    answer = self._waiting.pop(message["id"])
                    if not answer.done():  # its caller may have been cancelled
                        answer.set_result(message)
                else:
                    self._pushed.put_nowait(message)
        except ConnectionError:
            pass  # the same as a hang-up: said below
        for answer in (answer for answer in self._waiting.values() if not answer.done()):
            answer.set_exception(VenueError("the venue has hung up"))
        self._pushed.put_nowait(None)
