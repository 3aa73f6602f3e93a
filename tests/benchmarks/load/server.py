"""A server whose truth is known: each answer takes :data:`SERVICE` seconds, and at times the whole server pauses.

``python server.py PORT LOG``: writes each pause, begin and end on the machine's monotonic clock, to ``LOG``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

SERVICE = 0.015
PAUSE, EVERY = 0.2, 2.0
ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{"scores":[0.5],"version":"v1.0"}'
)


class Answering(asyncio.Protocol):
    """One connection: a request is read whole and answered :data:`SERVICE` seconds later."""

    def __init__(self) -> None:
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].lower()
            mark = head.find(b"content-length:")
            size = int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            if len(self.rest) < end + 4 + size:
                return
            self.rest = self.rest[end + 4 + size :]
            asyncio.get_running_loop().call_later(SERVICE, self.transport.write, ANSWER)


async def serve(port: int, log: str) -> None:
    """Answer until stopped; pause the whole loop, as a garbage collection would."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port, backlog=1024)
    with Path(log).open("w", buffering=1, encoding="utf-8") as file:
        async with server:
            while True:
                await asyncio.sleep(EVERY - PAUSE)
                began = time.perf_counter()
                time.sleep(PAUSE)
                file.write(f"{began!r} {time.perf_counter()!r}\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
