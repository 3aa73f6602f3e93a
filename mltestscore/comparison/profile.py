"""What a column was like in the past, window by window, and what it is like now: counted where the data are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy
from numpy.typing import NDArray

from mltestscore.comparison import columns
from mltestscore.inputs import families
from mltestscore.inputs.dataset import Dataset

if TYPE_CHECKING:
    import ibis
    import pandas as pd

DAY = 86_400.0
UNITS = (("months", 30 * DAY), ("weeks", 7 * DAY), ("days", DAY))
WINDOWS = 12  # fewer past windows cannot say what is unusual (measured: 1.6 % false alarms with 8, none with 12)
ROWS = 100
ATOMS = 10
MAX_CATEGORIES = 1_000
RARE = 0.0005  # half of the smallest share that any invariant tolerates
BUCKETS, MOST_BUCKETS = 16_384, 512
MANY_ROWS = 500_000  # fewer are counted as fast as they are hashed


@dataclass(frozen=True)
class Windows:
    """How the past is cut: the unit's name, its length in seconds, and how many windows hold at least 100 rows."""

    name: str = ""
    length: float = 0.0
    count: int = 0

    @property
    def enough(self) -> bool:
        """Whether the past can say what is unusual."""
        return self.count >= WINDOWS


@dataclass(frozen=True)
class Past:
    """One feature in the training data, one entry a window in time order: arrays of shape (windows,).

    Attributes:
        rows, missing, fractions: rows; missing values; numbers that are not whole.
        low, high: least and largest number (NaN for texts and empty windows).
        constant: whether one value filled the window.
        distinct: about how many different values there are.
        categories: for texts, the rows by category (shape (windows,) each).
    """

    name: str
    kind: Literal["number", "text"]
    rows: NDArray[numpy.float64]
    missing: NDArray[numpy.float64]
    fractions: NDArray[numpy.float64]
    low: NDArray[numpy.float64]
    high: NDArray[numpy.float64]
    constant: NDArray[numpy.bool_]
    distinct: int
    categories: dict[str, NDArray[numpy.float64]] = field(default_factory=dict)

    @property
    def present(self) -> float:
        """Values that are not missing."""
        return float(self.rows.sum() - self.missing.sum())

    @property
    def range(self) -> tuple[float, float]:
        """Least and largest number ever; NaN where there is none."""
        known = ~numpy.isnan(self.low)
        return (float(self.low[known].min()), float(self.high[known].max())) if known.any() else (numpy.nan, numpy.nan)

    @property
    def grows(self) -> bool:
        """Whether it only grows with time: a counter, a date, a month within one year; the next value is new."""
        known = (self.rows >= ROWS) & ~numpy.isnan(self.low)
        low, high = self.low[known], self.high[known]
        if len(low) < 4 or high[-1] <= high[0] or low[-1] <= low[0]:
            return False
        steps = (numpy.diff(low) >= 0) & (numpy.diff(high) >= 0)
        return bool(steps.mean() >= 0.95)

    @property
    def nameless(self) -> str:
        """Why its values are names and not measurements, else empty: an identifier, free text."""
        if self.kind == "text" and (self.distinct > MAX_CATEGORIES or self.distinct > 0.2 * max(self.present, 250)):
            return "free text or an identifier"
        if self.kind == "number" and self.present >= ROWS and self.fractions.sum() == 0:
            return "an identifier" if self.distinct > 0.9 * self.present else ""
        return ""


def windows_of(training: Dataset, serving: Dataset) -> Windows:
    """Return the longest windows, no longer than the serving data are, of which the past has at least twelve."""
    if not training.roles.time:
        return Windows()
    at = columns.seconds(training.table[training.roles.time])
    span = _span(serving)
    choices = [(name, unit) for name, unit in UNITS if unit <= span * 1.5] or [UNITS[-1]]
    best = Windows()
    for name, unit in choices:
        sizes = training.table.select(w=(at / unit).floor()).group_by("w").aggregate(n=lambda rows: rows.count())
        found = Windows(name, unit, int(sizes.filter(sizes["n"] >= ROWS).count().to_pyarrow().as_py()))
        if found.enough:
            return found
        best = max(best, found, key=lambda one: one.count)
    return best


def _span(serving: Dataset) -> float:
    if not serving.roles.time:
        return 7 * DAY
    at = columns.seconds(serving.table[serving.roles.time])
    return float((at.max() - at.min()).to_pyarrow().as_py() or 0.0)


def common_features(training: Dataset, serving: Dataset) -> dict[str, Literal["number", "text"]]:
    """Return the features that both have with the kind of the training column; times and nested values are left out."""
    found: dict[str, Literal["number", "text"]] = {}
    for name in training.features:
        if name in serving.columns:
            kind = columns.kind_of(training.table[name].type())
            if kind == "number" or kind == "text":
                found[name] = kind
    return found


def value(column: Any, kind: str) -> Any:
    """Return a column as its training kind: a number, or a text in which 5 and 5.0 are the same."""
    return columns.number(column) if kind == "number" else columns.key_text(column, column).nullif("")


def past(training: Dataset, features: dict[str, Literal["number", "text"]], windows: Windows) -> dict[str, Past]:
    """Return what each feature was like, window by window, from one query and one for the categories."""
    found = training.recall(("past", windows), features.items(), lambda new: list(_pasts(training, dict(new), windows)))
    return {one.name: one for one in found}


def _pasts(training: Dataset, features: dict[str, Literal["number", "text"]], windows: Windows) -> Iterable[Past]:
    import ibis

    table = training.table
    stats: dict[str, Any] = {"rows": table.count()}
    overall: dict[str, Any] = {}
    for place, (name, kind) in enumerate(features.items()):
        column = value(table[name], kind)
        stats[f"missing_{place}"] = table.count(where=columns.missing(table[name]))
        stats[f"low_{place}"], stats[f"high_{place}"] = column.min(), column.max()
        if kind == "number":
            stats[f"fraction_{place}"] = table.count(where=~families.whole(column))
        overall[f"distinct_{place}"] = column.approx_nunique()
    at = _window(table, training, windows)
    by_window = table.group_by(window=at).aggregate(**stats).order_by("window").to_pyarrow().to_pandas()
    distinct = table.aggregate(**overall).to_pyarrow().to_pylist()[0] if overall else {}
    found = {
        name: _past(name, kind, place, by_window, int(distinct[f"distinct_{place}"] or 0))
        for place, (name, kind) in enumerate(features.items())
    }
    texts = [name for name, one in found.items() if one.kind == "text" and not one.nameless]
    if texts:
        counts = [
            table.select(window=at, feature=ibis.literal(name), value=value(table[name], "text"))
            .group_by(["feature", "window", "value"])
            .aggregate(n=lambda rows: rows.count())
            for name in texts
        ]
        frame = ibis.union(*counts).to_pyarrow().to_pandas() if len(counts) > 1 else counts[0].to_pyarrow().to_pandas()
        _add_categories(found, frame.dropna(subset=["value"]), list(by_window["window"]))
    return found.values()


def _window(table: Any, training: Dataset, windows: Windows) -> Any:
    import ibis

    if not windows.length:
        return ibis.literal(0.0)
    return (columns.seconds(table[training.roles.time]) / windows.length).floor().cast("float64").fill_null(-1e18)


def _past(name: str, kind: Any, place: int, frame: pd.DataFrame, distinct: int) -> Past:
    def numbers(column: str) -> NDArray[numpy.float64]:
        return numpy.asarray(frame[f"{column}_{place}"].fillna(0), dtype=numpy.float64)

    empty = numpy.full(len(frame), numpy.nan)
    low, high = (
        frame[f"{end}_{place}"].to_numpy(dtype=numpy.float64) if kind == "number" else empty for end in ("low", "high")
    )
    same = (frame[f"low_{place}"] == frame[f"high_{place}"]).to_numpy(dtype=bool)
    fractions = numbers("fraction") if kind == "number" else numpy.zeros(len(frame))
    rows = frame["rows"].to_numpy(dtype=numpy.float64)
    return Past(name, kind, rows, numbers("missing"), fractions, low, high, same, distinct)


def _add_categories(found: dict[str, Past], frame: pd.DataFrame, windows: list[float]) -> None:
    place = {window: index for index, window in enumerate(windows)}
    for name, window, text, count in frame[["feature", "window", "value", "n"]].itertuples(index=False):
        counts = found[name].categories.setdefault(str(text), numpy.zeros(len(windows)))
        counts[place[window]] += count


def most_frequent(dataset: Dataset, features: dict[str, Literal["number", "text"]], limit: int) -> dict[str, Any]:
    """Return for each feature its ``limit`` most frequent values and their rows, most frequent first."""
    found = dataset.recall(
        ("most frequent", limit), features.items(), lambda new: _most_frequent(dataset, dict(new), limit)
    )
    return dict(zip(features, found, strict=True))


def _most_frequent(dataset: Dataset, features: dict[str, Literal["number", "text"]], limit: int) -> list[Any]:
    import ibis

    table = dataset.table
    found: dict[str, Any] = {name: [] for name in features}
    for kind in sorted(set(features.values())):
        columns_of = {
            name: table.select(value=value(table[name], kind)) for name, own in features.items() if own == kind
        }
        if kind == "number" and dataset.rows >= MANY_ROWS and table.get_backend().name == "duckdb":
            columns_of = {name: _candidates(column) for name, column in columns_of.items()}
        parts = [column.select(feature=ibis.literal(name), value=column.value) for name, column in columns_of.items()]
        values = ibis.union(*parts) if len(parts) > 1 else parts[0]
        counts = (
            values.filter(values["value"].notnull())
            .group_by(["feature", "value"])
            .aggregate(n=lambda rows: rows.count())
        )
        rank = ibis.row_number().over(group_by="feature", order_by=[ibis.desc("n"), "value"])
        rows = counts.mutate(rank=rank).filter(lambda ranked: ranked["rank"] < limit).to_pyarrow().to_pylist()
        for row in sorted(rows, key=lambda row: row["rank"]):
            found[row["feature"]].append((row["value"], int(row["n"])))
    return list(found.values())


def _candidates(column: ibis.Table) -> ibis.Table:
    """Return the rows of ``value`` whose value may hold a share of at least :data:`RARE`.

    Measurements have a different value in nearly every row, and counting them all costs more than anything else here.
    Hashed into buckets, they fill each alike; a value that is frequent fills its bucket beyond that. The two largest
    buckets stay in any case, so that two values never look like one.
    """
    bucket = column.value.hash() % BUCKETS
    sizes = column.filter(column.value.notnull()).group_by(bucket=bucket).aggregate(n=lambda rows: rows.count())
    seen = sizes.to_pyarrow()
    labels, counts = (numpy.asarray(seen[name]) for name in ("bucket", "n"))
    order = numpy.argsort(-counts, kind="stable")
    kept = labels[order][: max(2, int((counts >= RARE * counts.sum()).sum()))]
    return column if len(kept) > MOST_BUCKETS else column.filter(bucket.isin(kept.tolist()))


def shares_by_window(training: Dataset, atoms: Mapping[str, Sequence[float]], windows: Windows) -> dict[str, Any]:
    """Return for each number feature the share of rows at each atom, by window: shape (windows, atoms)."""
    wanted = [(name, tuple(own)) for name, own in atoms.items() if own]
    found = training.recall(("shares", windows), wanted, lambda new: _shares(training, dict(new), windows))
    return {name: shares for (name, _), shares in zip(wanted, found, strict=True)}


def _shares(training: Dataset, atoms: Mapping[str, Sequence[float]], windows: Windows) -> list[Any]:
    table = training.table
    counts = {
        f"a_{place}_{rank}": table.count(where=value(table[name], "number") == atom)
        for place, (name, own) in enumerate(atoms.items())
        for rank, atom in enumerate(own)
    }
    at = _window(table, training, windows)
    frame = (
        table.group_by(window=at).aggregate(rows=table.count(), **counts).order_by("window").to_pyarrow().to_pandas()
    )
    rows = frame["rows"].to_numpy(dtype=float)
    return [
        numpy.column_stack(
            [frame[f"a_{place}_{rank}"].fillna(0).to_numpy(dtype=float) / rows for rank in range(len(own))]
        )
        for place, own in enumerate(atoms.values())
    ]
