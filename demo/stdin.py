"""How a child process of the demo learns that its parent is gone, for whatever reason: the pipe on its
standard input closes.
"""

import asyncio
from typing import TextIO


async def closed(stream: TextIO) -> None:
    """Return when nobody holds the other end of `stream` any more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()
