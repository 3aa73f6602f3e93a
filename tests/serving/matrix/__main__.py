"""``python -m tests.serving.matrix``: asks real servers of other systems, and keeps what they answered.

Exit status 1 when one that was run did not install, did not start or answered otherwise than its model.
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
    parser = argparse.ArgumentParser(prog="python -m tests.serving.matrix", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".venv-serving"), help="for environments, 5 GB in all")
    return keep(KEPT, {name: system.title for name, system in BY_NAME.items()}, parser, ended)


def ended(name: str, options: argparse.Namespace) -> Ended:
    """Run one system."""
    row = run(BY_NAME[name], options.folder.resolve())
    return Ended(row.record(), row.right, f"{row.result} ({row.version}, {row.start_s} s until ready, {row.total_s} s)")


if __name__ == "__main__":
    sys.exit(main())
