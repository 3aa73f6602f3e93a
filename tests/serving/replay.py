"""A real HTTP server that answers as a published exchange says, and refuses a request that is not the published one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MISMATCH = 418


@contextmanager
def replaying(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Answer the calls, each once in their order, on a free port of this machine; yields the URL.

    A call says what is asked (``ask``, ``body`` or ``text``, ``sends``: headers) and answered (``status``, ``reply``
    or ``reply_text``, ``headers``, ``reason``). Raises when a call was not made.
    """
    left = list(calls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            call = left.pop(0) if left else {"ask": "nothing more"}
            if wrong := _differences(call, f"{self.command} {self.path}", content, self.headers):
                call = {"status": MISMATCH, "reply": {"error": f"not as published: {wrong}"}}
            body = (call["reply_text"] if "reply_text" in call else json.dumps(call.get("reply"))).encode()
            self.send_response(call["status"], call.get("reason"))
            for name, value in {"content-length": str(len(body)), **call.get("headers", {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True  # a connection that a failed test left open holds nothing up
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)
    assert not left, f"never asked: {left}"


def _differences(call: Mapping[str, Any], asked: str, content: bytes, headers: Mapping[str, str]) -> str:
    if call["ask"] != asked:
        return f"{call['ask']} expected, asked {asked}"
    if "body" in call and json.loads(content) != call["body"]:
        return f"{call['body']} expected, sent {content.decode()}"
    if "text" in call and content.decode() != call["text"]:
        return f"{call['text']!r} expected, sent {content.decode()!r}"
    sent = {name: headers.get(name) for name in call.get("sends", {})}
    return f"{call['sends']} expected, sent {sent}" if sent != call.get("sends", {}) else ""
