"""A real gRPC server that answers as a published exchange says, byte for byte, and refuses any other call."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

Answer = Callable[[bytes, Any], bytes]
"""From a request's bytes and gRPC's context to the answer's bytes."""


@contextmanager
def serving(answers: Mapping[str, Answer], *, credentials: Any = None, workers: int = 8) -> Iterator[str]:
    """Serve calls by their path on a free port; yields the URL. A path that is not there is UNIMPLEMENTED."""
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, call: Any) -> Any:
            answer = answers.get(call.method) or answers.get("*")
            return answer and grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(workers), handlers=[Handler()])
    host = "localhost" if credentials else "127.0.0.1"
    port = server.add_secure_port(f"{host}:0", credentials) if credentials else server.add_insecure_port(f"{host}:0")
    server.start()
    try:
        yield f"{'grpcs' if credentials else 'grpc'}://{host}:{port}"
    finally:
        server.stop(None).wait(5)


@contextmanager
def calling(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Answer the calls, each once in their order; yields the URL. Raises when a call was not made."""
    import grpc

    left = list(calls)

    class Published(Mapping[str, Answer]):
        def __getitem__(self, path: str) -> Answer:
            return lambda content, context: answered(path, content, context)

        def __iter__(self) -> Iterator[str]:
            return iter(())

        def __len__(self) -> int:
            return 0

    def answered(path: str, content: bytes, context: Any) -> bytes:
        call = left.pop(0) if left else {"ask": "nothing more", "request": ""}
        if (call["ask"], base64.b64decode(call["request"])) != (path, content):
            context.abort(
                grpc.StatusCode.ABORTED, f"not as published: {call['ask']} expected, asked {path}: {content!r}"
            )
        if call["status"] != "OK":
            context.abort(grpc.StatusCode[call["status"]], call["message"])
        return base64.b64decode(call["reply"])

    with serving(Published()) as url:
        yield url
    assert not left, f"never asked: {left}"
