"""A real TCP server that speaks RESP: it takes commands apart by itself, and refuses any that it was not told of."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

Answer = Callable[[list[str]], bytes]
"""From a command's words to the answer's bytes; nothing closes the connection."""


def command(stream: BinaryIO) -> list[str]:
    """Return the next command's words, none at the end; raises :class:`ValueError` for what is no command."""
    head = stream.readline()
    if not head:
        return []
    if not head.startswith(b"*") or not head.endswith(b"\r\n"):
        raise ValueError(f"no command: {head!r}")
    words = []
    for _ in range(int(head[1:])):
        length = stream.readline()
        if not length.startswith(b"$"):
            raise ValueError(f"no word: {length!r}")
        word = stream.read(int(length[1:]) + 2)
        if not word.endswith(b"\r\n"):
            raise ValueError(f"a word without its end: {word!r}")
        words.append(word[:-2].decode())
    return words


@contextmanager
def speaking(answer: Answer, *, context: Any = None) -> Iterator[str]:
    """Answer every command on a free port, under TLS with a ``context``; yields the URL."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 10

        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True) if context else self.request
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            while words := command(self.rfile):
                said = answer(words)
                if not said:
                    return
                self.wfile.write(said)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Keep quiet: a client that went away is none."""

    host = "localhost" if context else "127.0.0.1"
    with Server((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"{'rediss' if context else 'redis'}://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def running(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Answer the calls, each once in their order; yields the URL. Raises when a call was not made."""
    left = list(calls)

    def answered(words: list[str]) -> bytes:
        call = left.pop(0) if left else {"ask": ["nothing more"]}
        if call["ask"] != words:
            return f"-ERR not as published: {call['ask']} expected, asked {words}\r\n".encode()
        return str(call["reply"]).encode()

    with speaking(answered) as url:
        yield url
    assert not left, f"never asked: {left}"
