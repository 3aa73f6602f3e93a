"""Results too dear for every run of the tests: a command makes them, and keeps the last of each with a page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

Rows = Mapping[str, Mapping[str, Any]]


class Ended(NamedTuple):
    """What one run came to: what is kept of it, whether that is what it must be, and a line that says so."""

    row: dict[str, Any]
    right: bool
    line: str


@dataclass(frozen=True)
class Kept:
    """The last result of each case of a command, by name, as JSON; ``page`` makes Markdown of all of them."""

    record: Path
    page: Callable[[Rows], str]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the last result of every case that was ever run."""
        found: dict[str, dict[str, Any]] = {}
        return json.loads(self.record.read_text(encoding="utf-8")) if self.record.exists() else found

    def written(self) -> str:
        """Return the page as it stands beside the record."""
        return self.record.with_suffix(".md").read_text(encoding="utf-8")

    def write(self, rows: Rows) -> None:
        """Keep the results, and the page made of them."""
        self.record.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        self.record.with_suffix(".md").write_text(self.page(rows), encoding="utf-8")


def keep(
    kept: Kept,
    titles: Mapping[str, str],
    parser: argparse.ArgumentParser,
    run: Callable[[str, argparse.Namespace], Ended],
) -> int:
    """Run the cases that the command line chooses, in the order of ``titles``; return 1 if one is wrong, else 0.

    What was found is kept after each, so that a run that is cut short leaves it.
    """
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=titles, default=titles, help=", ".join(titles))
    options = parser.parse_args()
    chosen = [name for name in titles if name in options.only]
    rows, right = kept.rows(), True
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {titles[name]} …", file=sys.stderr, flush=True)
        ended = run(name, options)
        print(f"{titles[name]}: {ended.line}", flush=True)
        rows[name], right = ended.row, right and ended.right
        kept.write({one: rows[one] for one in titles if one in rows})
    return int(not right)
