"""``python -m tests.rollback.drills``: rolls back on real servers, and keeps what came of it.

Exit status 1 when a drill that was run did not find what it must.
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
    parser = argparse.ArgumentParser(prog="python -m tests.rollback.drills", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help=", ".join(one.name for one in SYSTEMS))
    parser.add_argument("--folder", type=Path, default=Path(".venv-serving"), help="for environments, 3 GB in all")
    options = parser.parse_args()
    chosen = [system for system in SYSTEMS if not options.only or system.name in options.only]
    if not chosen:
        raise SystemExit(f"no drill is called {' or '.join(options.only)}")
    rows, wrong = page.recorded(), 0
    for number, system in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {system.title} …", file=sys.stderr, flush=True)
        row = run(system, options.folder.resolve())
        print(f"{row.title}: {row.result} ({row.version}, {row.total_s} s)", flush=True)
        rows[system.name], wrong = row.record(), wrong + (not row.right)
        page.write({one.name: rows[one.name] for one in SYSTEMS if one.name in rows})
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
