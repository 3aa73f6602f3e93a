"""Makes a running Triton serve the version that the registry points to: ``python -m flights.triton.follow``.

The version is loaded, and only then the one before is let go: no request waits or fails.
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from flights import spec, switches
from flights.triton import MODEL, number

SECONDS = 120  # for loading a version


def follow(registry: Path, url: str) -> None:
    """Tell the server at ``url`` by its repository API which version is in service."""
    version = number((registry / "current").read_text(encoding="utf-8").strip())
    config = _asked(f"{url}/v2/models/{MODEL}/config")
    config["version_policy"] = {"specific": {"versions": [version]}}
    if not switches.broken("infra.7"):
        load = f"{url}/v2/repository/models/{MODEL}/load"
        _asked(load, {"parameters": {"config": json.dumps(config)}})


def _asked(url: str, body: object = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url, sent, SECONDS) as answer:
        return json.loads(answer.read() or b"null")


def main() -> None:
    """Follow once."""
    parser = argparse.ArgumentParser(description="Make Triton serve the version that the registry points to.")
    parser.add_argument("--registry", type=Path, default=spec.HOME / "build" / "registry")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--break", dest="item", default="", help=f"like {switches.VARIABLE}, where that is lost")
    options = parser.parse_args()
    if options.item:
        os.environ[switches.VARIABLE] = options.item
    follow(options.registry, options.url.rstrip("/"))


if __name__ == "__main__":
    main()
