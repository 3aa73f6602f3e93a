"""The server: ``python -m flights.serve --port 8080 --version v2``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from flights import spec, switches


def main() -> None:
    """Serve one version of the model on the local machine until stopped."""
    parser = argparse.ArgumentParser(description="Serve a version of the flight-delay model.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--version", default=spec.CURRENT, help="a version in the registry")
    parser.add_argument("--models", default="registry", help="the folder of the versions in the build folder")
    parser.add_argument("--build", type=Path, default=spec.HOME / os.environ.get("FLIGHTS_BUILD", "build"))
    parser.add_argument("--log", type=Path, help="where served rows are logged (JSON lines)")
    parser.add_argument("--break", dest="item", default="", help=f"like {switches.VARIABLE}, where that is lost")
    options = parser.parse_args()
    if options.item:
        os.environ[switches.VARIABLE] = options.item
    # One row is no work for several cores: their threads would only wait for each other. Must precede scikit-learn.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from waitress import serve

    from flights.app import create_app

    log = options.log or options.build / "logs" / f"{options.version}.jsonl"
    app = create_app(options.build, options.version, log, options.build / options.models)
    serve(app, host="127.0.0.1", port=options.port, threads=4)


if __name__ == "__main__":
    main()
