"""The staging server, which follows the registry: ``python -m flights.staging --port 8081``, then ``POST /reload``."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flights import registry, spec, switches

if TYPE_CHECKING:
    from flask import Flask


class Following:
    """The application of the version that the registry points to; ``POST /reload`` swaps it in one step.

    The other version is loaded, its encoder with it, before the first is let go: no request waits or fails.
    """

    def __init__(self, versions: Path, made: Callable[[str], Flask]) -> None:
        self._versions, self._made = versions, made
        self._current = self._load()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/reload"):
            if not switches.broken("infra.7"):
                self._current = self._load()
            start_response("204 No Content", [])
            return []
        return self._current(environ, start_response)

    def _load(self) -> Flask:
        return self._made((self._versions / registry.POINTER).read_text(encoding="utf-8").strip())


def main() -> None:
    """Serve what the registry points to until stopped; what is served here is no traffic, so its log is thrown away."""
    parser = argparse.ArgumentParser(description="Serve the version that the registry points to.")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--build", type=Path, default=spec.HOME / os.environ.get("FLIGHTS_BUILD", "build"))
    parser.add_argument("--registry", type=Path, help="default: the one of the build")
    parser.add_argument("--break", dest="item", default="", help=f"like {switches.VARIABLE}, where that is lost")
    options = parser.parse_args()
    if options.item:
        os.environ[switches.VARIABLE] = options.item
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in flights.serve
    from waitress import serve

    from flights.app import create_app

    versions = options.registry or options.build / "registry"
    with tempfile.TemporaryDirectory() as folder:

        def made(version: str) -> Flask:
            return create_app(options.build, version, Path(folder) / "log.jsonl", versions)

        serve(Following(versions, made), host="127.0.0.1", port=options.port, threads=4)


if __name__ == "__main__":
    main()
