"""Properties of feature code, tried by Hypothesis in their own process.

``python -m mltestscore.codetests.property_process WORK`` reads ``WORK/request.json``, ``rows.parquet`` and
``edges-<n>.parquet``, and writes ``WORK/properties.json``. The current folder is a copy of the project.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pandas as pd
from hypothesis import strategies

from mltestscore.codetests.properties_of import PROPERTIES, Batch, Broken, Online, broken_properties
from mltestscore.errors import MltestscoreError
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.training_process import told

MOST_ROWS = 16
ENOUGH = 3  # frames that break a property: more of them say nothing new
SHRINKING, SHRINKING_SECONDS = 8, 3.0  # frames and time that may be spent to make a counterexample smaller

Row = tuple[int, dict[str, int]]


class Trials:
    """Draws frames of raw rows and holds both paths to every property on each."""

    def __init__(self, work: Path) -> None:
        request = json.loads((work / "request.json").read_text(encoding="utf-8"))
        self.rows = pd.read_parquet(work / "rows.parquet")
        self.edges = {
            one["column"]: (one["labels"], pd.read_parquet(work / f"edges-{number}.parquet").iloc[:, 0])
            for number, one in enumerate(request["edges"])
        }
        self.batch: Batch | None = _path(request, "batch")
        self.online: Online | None = _path(request, "online")
        self.examples, self.tolerance = request["examples"], request["tolerance"]
        self.deadline = time.monotonic() + request["seconds"]
        self.found: dict[str, tuple[Broken, list[Row]]] = {}
        self.counts = dict.fromkeys(PROPERTIES, 0)
        self.tried = dict.fromkeys(PROPERTIES, 0)

    def run(self) -> dict[str, Any]:
        """Try every edge, then frames drawn at random until enough break a property, then smaller parts of these."""
        for rows in self._edge_rows():
            self._hold(rows)
        strategy = strategies.lists(self._row(), min_size=1, max_size=MOST_ROWS, unique_by=lambda row: row[0])

        @_settings(self.examples)
        @hypothesis.given(strategy)
        def hold(rows: list[Row]) -> None:
            self._hold(rows)

        hold()
        self._make_smaller()
        broken = {
            name: {"said": one.said, "feature": one.feature, "values": one.values, "rows": self._shown(rows)}
            for name, (one, rows) in self.found.items()
        }
        return {"tried": self.tried, "counts": self.counts, "broken": broken}

    def _row(self) -> strategies.SearchStrategy[Row]:
        """A sampled row, most often as it is, else with an edge in one or two of its columns."""
        index = strategies.integers(0, len(self.rows) - 1)
        if not self.edges:
            return strategies.tuples(index, strategies.just({}))
        place = {name: strategies.integers(0, len(labels) - 1) for name, (labels, _) in self.edges.items()}
        one = strategies.sampled_from(sorted(place)).flatmap(
            lambda name: place[name].map(lambda number: {name: number})
        )
        changes = strategies.one_of(
            strategies.just({}), one, strategies.tuples(one, one).map(lambda two: two[0] | two[1])
        )
        return strategies.tuples(index, changes)

    def _edge_rows(self) -> Iterator[list[Row]]:
        """Every edge of every column once, a few in a frame."""
        every = [(name, number) for name, (labels, _) in self.edges.items() for number in range(len(labels))]
        size = min(MOST_ROWS, len(self.rows))
        for start in range(0, len(every), size):
            yield [(index, {name: number}) for index, (name, number) in enumerate(every[start : start + size])]

    def _hold(self, rows: list[Row]) -> None:
        if time.monotonic() > self.deadline or max(self.counts.values()) >= ENOUGH:
            return
        for name, one in self._broken(rows).items():
            self.tried[name] += 1
            self.counts[name] += one is not None

    def _broken(self, rows: list[Row]) -> dict[str, Broken | None]:
        """Hold the paths to each property on the rows; keep the smallest that break it."""
        found = broken_properties(lambda: self._frame(rows), self.batch, self.online, self.tolerance)
        for name, one in found.items():
            if one is not None and (name not in self.found or _size(rows) < _size(self.found[name][1])):
                self.found[name] = one, rows
        return found

    def _make_smaller(self) -> None:
        """Try smaller parts of each frame that breaks a property, within bounds."""
        left, until = SHRINKING, min(self.deadline, time.monotonic() + SHRINKING_SECONDS)
        for name in list(self.found):
            parts = _parts(self.found[name][1])
            while left and time.monotonic() < until and (part := next(parts, None)) is not None:
                left -= 1
                if self._broken(part).get(name) is not None:
                    parts = _parts(part)

    def _frame(self, rows: list[Row]) -> pd.DataFrame:
        frame = self.rows.iloc[[index for index, _ in rows]].reset_index(drop=True)
        for name, (_, values) in self.edges.items():
            places = [place for place, (_, changes) in enumerate(rows) if name in changes]
            if places:
                column = frame[name].copy()
                for place in places:
                    column.iloc[place] = values.iloc[rows[place][1][name]]
                frame[name] = column.astype(frame[name].dtype)
        return frame

    def _shown(self, rows: list[Row]) -> str:
        edges = [self.edges[name][0][number] for _, changes in rows for name, number in changes.items()]
        first = self._frame(rows[:2]).to_dict("records")
        return f"{len(rows)} rows" + (f" ({', '.join(edges[:3])})" if edges else "") + f": {first!r}"


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    """Yield smaller frames: halves, then without one end, then without what was pushed to an edge."""
    middle = len(rows) // 2
    pieces = [rows[:middle], rows[middle:], rows[1:], rows[:-1]] if len(rows) > 2 else [[row] for row in rows[:-1]]
    yield from (piece for piece in pieces if 0 < len(piece) < len(rows))
    if any(changes for _, changes in rows):
        yield [(index, {}) for index, _ in rows]


def _size(rows: list[Row]) -> tuple[int, int]:
    return len(rows), sum(len(changes) for _, changes in rows)


def _settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,  # the same code and rows give the same verdict
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
        print_blob=False,
    )


def _path(request: dict[str, Any], name: str) -> Callable[[Any], Any] | None:
    if not request[name]:
        return None
    function = import_function(request[name], base=Path(), setting=f"{request['table']} {name}")
    for path, wrapper in request["wrappers"]:
        if path == name:
            function = import_function(wrapper, base=Path(), setting="wrapper")(function)
    return function


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        (folder / "properties.json").write_text(json.dumps(Trials(folder).run()), encoding="utf-8")
    except MltestscoreError as error:
        sys.exit(f"{error}")
    except Exception as error:
        sys.exit(told(error))
