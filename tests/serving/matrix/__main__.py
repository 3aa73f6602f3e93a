"""``python -m tests.serving.matrix``: asks real servers of other systems, and keeps what they answered.

Exit status 1 when one that was run did not install, did not start or answered otherwise than its model.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import page
from .runner import run
from .systems import SYSTEMS


def main() -> int:
    """Run what the options choose, one after another; a run that is cut short leaves what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.serving.matrix", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help=", ".join(one.name for one in SYSTEMS))
    parser.add_argument("--folder", type=Path, default=Path(".venv-serving"), help="for environments, 5 GB in all")
    options = parser.parse_args()
    chosen = [system for system in SYSTEMS if not options.only or system.name in options.only]
    if not chosen:
        raise SystemExit(f"no system is called {' or '.join(options.only)}")
    rows, wrong = page.recorded(), 0
    for number, system in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {system.title} …", file=sys.stderr, flush=True)
        row = run(system, options.folder.resolve())
        print(f"{row.title}: {row.result} ({row.version}, {row.start_s} s until ready, {row.total_s} s)", flush=True)
        rows[system.name], wrong = row.record(), wrong + (not row.right)
        page.write({one.name: rows[one.name] for one in SYSTEMS if one.name in rows})
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
