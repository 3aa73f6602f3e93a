"""``python -m tests.rollback.drills``: rolls back on real servers, and keeps what came of it.

Exit status 1 when a drill that was run did not find what it must.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.kept import Ended, keep

from .page import KEPT
from .runner import run
from .systems import SYSTEMS

BY_NAME = {system.name: system for system in SYSTEMS}


def main() -> int:
    """Run what the options choose."""
    parser = argparse.ArgumentParser(prog="python -m tests.rollback.drills", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".venv-serving"), help="for environments, 3 GB in all")
    return keep(KEPT, {name: system.title for name, system in BY_NAME.items()}, parser, ended)


def ended(name: str, options: argparse.Namespace) -> Ended:
    """Run one system."""
    row = run(BY_NAME[name], options.folder.resolve())
    return Ended(row.record(), row.right, f"{row.result} ({row.version}, {row.total_s} s)")


if __name__ == "__main__":
    sys.exit(main())
