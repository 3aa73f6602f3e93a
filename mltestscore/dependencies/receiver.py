"""A webhook of ours on this machine, which takes what is posted to it and nothing else."""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from mltestscore.serving.process import HOST

MAX_BYTES = 1_000_000
MAX_MESSAGES = 1_000
SECONDS = 5.0  # for a client to send what it announced


class Receiver:
    """Listens from ``with`` on to its end; the path is not to be guessed, so that nobody else's message counts.

    Attributes:
        url: where to post.
        messages: what was posted there, newest last.
    """

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        path = f"/mltestscore/{secrets.token_urlsafe(16)}"
        self._server = _Server((HOST, 0), _Handler)
        self._server.path, self._server.messages = path, self.messages
        self.url = f"http://{HOST}:{self._server.server_port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="webhook")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=1.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    path: str
    messages: list[bytes]


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        length = self.headers.get("Content-Length", "")
        right = self.path.partition("?")[0] == server.path and len(server.messages) < MAX_MESSAGES
        if not right or not length.isdecimal() or int(length) > MAX_BYTES:
            self.send_error(404 if not right else 411)
            return
        server.messages.append(self.rfile.read(int(length)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the output belongs to the run."""
