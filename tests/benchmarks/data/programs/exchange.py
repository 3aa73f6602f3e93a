"""What a program of the benchmark is told, and what it tells: one JSON file in, one JSON line out.

The programs run in environments of their own and may import nothing of this repository, but this file beside them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

MANIFEST = "work.json"
DISTINCT = (3, 5, 10, 25, 50, 100, 500, 2000)  # values of the columns of strings, in turn
SCALES = (1, 10, 100, 1000)  # of the columns of numbers, in turn


@dataclass(frozen=True)
class Told:
    """The work as a program meets it.

    Attributes:
        folder: where the Parquet files and the suite lie.
        rows: rows of each file.
        numbers: the columns of numbers.
        texts: the columns of strings.
        key: the column that names a row.
        time: the column that says when it was true.
        suite: forty expectations of Great Expectations 1.x, as JSON.
    """

    folder: Path
    rows: int
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    key: str
    time: str
    suite: Path

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that are compared: all but key and time."""
        return (*self.numbers, *self.texts)

    def file(self, name: str) -> Path:
        """Return the path of ``training``, ``serving`` or ``recomputed``."""
        return self.folder / f"{name}.parquet"


def told() -> Told:
    """Read the manifest of the folder that the command line names."""
    parser = argparse.ArgumentParser(description="A program of the data benchmark; `python -m tests.benchmarks.data`.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Told(
        folder,
        int(found["rows"]),
        tuple(found["numbers"]),
        tuple(found["texts"]),
        str(found["key"]),
        str(found["time"]),
        folder / str(found["suite"]),
    )


def tell(found: str, packages: tuple[str, ...], more: Mapping[str, str] | None = None) -> None:
    """Print what the program found and with which versions, as the last line of its output."""
    versions = {name: version(name) for name in packages} | dict(more or {})
    print(json.dumps({"found": found, "versions": versions}), flush=True)
