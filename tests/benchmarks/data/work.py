"""The work of the benchmark: its files, made by a program of their own, and a suite of forty expectations."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .costs import PROGRAMS, ProgramError, run
from .programs import exchange

KEY, TIME = "id", "at"
SUITE = "suite.json"
NUMBERS_OF_TWENTY = 12
BYTES_OF_NUMBER, BYTES_OF_TEXT, BYTES_OF_ROW = 9, 2, 16
RESERVE = 5_000_000_000
LARGEST, SPREAD = 1.5, 0.5  # of a sum of three uniform draws, centred: its range and standard deviation
_BETWEEN, _NOT_NULL = "expect_column_values_to_be_between", "expect_column_values_to_not_be_null"
_IN_SET, _STDEV = "expect_column_values_to_be_in_set", "expect_column_stdev_to_be_between"
_DISTINCT = "expect_column_unique_value_count_to_be_between"


@dataclass(frozen=True)
class Work:
    """Two Parquet files of so many rows and columns, three numbers to two strings, in a folder of their own."""

    folder: Path
    rows: int
    columns: int = 20

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of numbers: 12 of 20."""
        return tuple(f"n{place}" for place in range(self.columns * NUMBERS_OF_TWENTY // 20))

    @property
    def texts(self) -> tuple[str, ...]:
        """The names of the columns of strings: 8 of 20."""
        return tuple(f"s{place}" for place in range(self.columns - len(self.numbers)))

    @property
    def bytes_of_file(self) -> int:
        """Disk for one file: a bound, from 111 bytes a row of 20 columns as DuckDB 2.0 writes them."""
        row = BYTES_OF_NUMBER * len(self.numbers) + BYTES_OF_TEXT * len(self.texts) + BYTES_OF_ROW
        return self.rows * row

    def make(self, python: Path, *, timeout_s: float) -> None:
        """Write the files unless they are there; refuse where the disk would be left with less than 5 GB.

        Raises :class:`SystemExit` with what was needed and found, or when a program fails.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._manifest() == self._found():
            return
        self._spare(2)
        (self.folder / SUITE).write_text(json.dumps(self.suite()), encoding="utf-8")
        manifest = self.folder / exchange.MANIFEST
        manifest.write_text(json.dumps(self._manifest()), encoding="utf-8")
        try:
            self._run(python, "generate", timeout_s)
        except BaseException:
            manifest.unlink()  # half a file would be taken for the work
            raise

    def shuffled(self, python: Path, *, timeout_s: float) -> None:
        """Write the third file, which only the comparison by key reads, unless it is there."""
        if not (self.folder / "recomputed.parquet").exists():
            self._spare(2)  # the file, and what sorting it spills
            self._run(python, "shuffle", timeout_s)

    def suite(self) -> dict[str, Any]:
        """Return two expectations a column, of five types and all true of this work: forty for twenty columns."""
        said: list[tuple[str, dict[str, Any]]] = []
        for place, name in enumerate(self.numbers):
            scale = exchange.SCALES[place % len(exchange.SCALES)]
            said += [(_BETWEEN, {"column": name, "min_value": -LARGEST * scale, "max_value": LARGEST * scale})]
            spread = {"min_value": 0.9 * SPREAD * scale, "max_value": 1.1 * SPREAD * scale}
            widest = scale == max(exchange.SCALES)  # any other column's values lie within its range
            said += [(_STDEV, {"column": name} | spread) if widest else (_NOT_NULL, {"column": name, "mostly": 0.9})]
        for place, name in enumerate(self.texts):
            values = [f"v{value}" for value in range(exchange.DISTINCT[place % len(exchange.DISTINCT)])]
            said += [(_IN_SET, {"column": name, "value_set": values})]
            said += [(_DISTINCT, {"column": name, "min_value": 2}) if place % 2 else (_NOT_NULL, {"column": name})]
        return {"name": "forty", "expectations": [{"type": kind, "kwargs": kwargs} for kind, kwargs in said]}

    def _spare(self, files: int) -> None:
        free, needed = shutil.disk_usage(self.folder).free, files * self.bytes_of_file + RESERVE
        if free < needed:
            raise SystemExit(
                f"{self.rows} rows of {self.columns} columns need {needed / 1e9:.1f} GB in {self.folder}, which has "
                f"{free / 1e9:.1f} GB. Name a folder with more by --folder, or ask for fewer --rows."
            )

    def _manifest(self) -> dict[str, Any]:
        columns = {"numbers": list(self.numbers), "texts": list(self.texts)}
        return {"rows": self.rows, **columns, "key": KEY, "time": TIME, "suite": SUITE}

    def _found(self) -> object:
        manifest = self.folder / exchange.MANIFEST
        return json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else None

    def _run(self, python: Path, program: str, timeout_s: float) -> None:
        try:
            run([str(python), str(PROGRAMS / f"{program}.py"), str(self.folder)], timeout_s=timeout_s)
        except ProgramError as error:
            raise SystemExit(f"the files of {self.rows} rows could not be written: {program}: {error}") from error
