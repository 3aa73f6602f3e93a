"""Deploys a model that the gate has accepted, and no other: ``python -m flights.deploy --candidate FILE``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from flights import spec
from flights.gate import VERDICTS, digest


def deploy(candidate: Path) -> Path:
    """Put the model where the next server takes it from, and return that place.

    Raises :class:`PermissionError` for a file that the gate has not accepted.
    """
    file = VERDICTS / f"{digest(candidate)}.json"
    if not file.is_file():
        raise PermissionError("the gate has not seen this file")
    said = json.loads(file.read_text(encoding="utf-8"))
    if said["accepted"] is not True:
        raise PermissionError(f"the gate has refused this file: {said['why']}")
    target = spec.HOME / os.environ.get("FLIGHTS_BUILD", "build") / "deployed" / candidate.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(candidate, target)
    return target


def main() -> None:
    """Deploy, or say why not."""
    parser = argparse.ArgumentParser(description="Deploy a model that the gate has accepted.")
    parser.add_argument("--candidate", type=Path, required=True, help="a packaged model")
    try:
        print(f"deployed to {deploy(parser.parse_args().candidate)}")
    except PermissionError as error:
        sys.exit(f"not deployed: {error}")


if __name__ == "__main__":
    main()
