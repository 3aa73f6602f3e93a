"""What a column was like in the past, window by window, and what it is like now: counted where the data are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy
from numpy.typing import NDArray

from mltestscore.comparison import columns, counting
from mltestscore.comparison.grid import Cells, Vector
from mltestscore.comparison.tallies import Tally
from mltestscore.inputs import families
from mltestscore.inputs.dataset import Dataset

if TYPE_CHECKING:
    import ibis

DAY = 86_400.0
UNITS = (("months", 30 * DAY), ("weeks", 7 * DAY), ("days", DAY))
WINDOWS = 12  # fewer past windows cannot say what is unusual (measured: 1.6 % false alarms with 8, none with 12)
ROWS = 100
ATOMS = 10


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
        constant: whether one value filled the window; texts: only where ``categories`` are by window.
        distinct: about how many different values there are.
        categories: for texts, the rows by category: shape (windows,) each, or (1,) where the windows do not matter.
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
        if self.kind == "text" and (
            self.distinct > counting.MAX_CATEGORIES or self.distinct > 0.2 * max(self.present, 250)
        ):
            return "free text or an identifier"
        if self.kind == "number" and self.present >= ROWS and self.fractions.sum() == 0:
            return "an identifier" if self.distinct > 0.9 * self.present else ""
        return ""


def windows_of(training: Dataset, serving: Dataset) -> Windows:
    """Return the longest windows, no longer than the serving data are, of which the past has at least twelve."""
    if not training.roles.time:
        return Windows()
    (days,) = training.recall("days", [training.roles.time], lambda names: [_days(training, name) for name in names])
    span = _span(serving)
    choices = [(name, unit) for name, unit in UNITS if unit <= span * 1.5] or [UNITS[-1]]
    best = Windows()
    for name, unit in choices:
        _, place = numpy.unique(days[0] // int(unit / DAY), return_inverse=True)
        found = Windows(name, unit, int((numpy.bincount(place, weights=days[1]) >= ROWS).sum()))
        if found.enough:
            return found
        best = max(best, found, key=lambda one: one.count)
    return best


def _days(training: Dataset, time: str) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Return the days that have rows, counted from 1970, and how many each has."""
    table = training.part([time])
    sizes = table.group_by(day=columns.days(table[time]).cast("int64")).aggregate(n=table.count()).to_pyarrow()
    sizes = sizes.drop_null()
    return sizes["day"].to_numpy(), sizes["n"].to_numpy()


def _span(serving: Dataset) -> float:
    if not serving.roles.time:
        return 7 * DAY
    low, high, _ = columns.extent(serving.table, serving.roles.time)
    return high - low if low is not None and high is not None else 0.0


def common_features(training: Dataset, serving: Dataset) -> dict[str, Literal["number", "text"]]:
    """Return the features that both have with the kind of the training column; times and nested values are left out."""
    found: dict[str, Literal["number", "text"]] = {}
    for name in training.features:
        if name in serving.columns:
            kind = columns.kind_of(training.table[name].type())
            if kind == "number" or kind == "text":
                found[name] = kind
    return found


def count(training: Dataset, serving: Dataset | None = None) -> None:
    """Count the features that both have, so that a rule on one of them is answered from what the battery counts too.

    Those that are served as another kind are left to the rules and the battery.
    """
    served = training if serving is None else serving
    features = common_features(training, served)
    alike = {name for name, kind in features.items() if columns.kind_of(served.table[name].type()) == kind}
    numbers = [name for name, kind in features.items() if kind == "number" and name in alike]
    texts = [name for name, kind in features.items() if kind == "text" and name in alike]
    usual = counting.laid(training, numbers)
    counting.tallied(training, texts)
    if serving is not None:
        counting.over(serving, {name: cells.grid for name, cells in usual.items()})
        counting.tallied(serving, texts)


def past(training: Dataset, features: dict[str, Literal["number", "text"]], windows: Windows) -> dict[str, Past]:
    """Return what each feature was like, window by window: extremes and gaps from one query, else its cells."""
    found = training.recall(("past", windows), features.items(), lambda new: _pasts(training, dict(new), windows))
    return {one.name: one for one in found}


def _pasts(training: Dataset, features: dict[str, Literal["number", "text"]], windows: Windows) -> list[Past]:
    table = training.table
    numbers = counting.laid(training, [name for name, kind in features.items() if kind == "number"])
    texts = counting.tallied(training, [name for name, kind in features.items() if kind == "text"])
    stats: dict[str, Any] = {"rows": table.count()}
    for place, (name, kind) in enumerate(features.items()):
        counts = numbers[name] if kind == "number" else texts[name]
        if isinstance(counts, int) or counts.missing:  # else as many as there are rows
            stats[f"known_{place}"] = columns.present(table[name]).count()
        if kind == "number":
            column = columns.number(table[name])
            stats[f"low_{place}"], stats[f"high_{place}"] = column.min(), column.max()
    at = _window(table, training, windows)
    seen = _figures(table.group_by(window=at).aggregate(**stats))
    found = {
        name: _number(name, place, seen, numbers[name]) if kind == "number" else _text(name, place, seen, texts[name])
        for place, (name, kind) in enumerate(features.items())
    }
    _add_distinct(training, found, numbers)
    _add_fractions(training, found, windows)
    return list(found.values())


def _window(table: Any, training: Dataset, windows: Windows) -> Any:
    import ibis

    if not windows.length:
        return ibis.literal(0)
    return (columns.days(table[training.roles.time]) // int(windows.length / DAY)).cast("int64").fill_null(-(10**9))


def _figures(query: ibis.Table) -> dict[str, Vector]:
    """Return the figures of each window, in order of time; NaN where there is none."""
    answer = query.order_by("window").to_pyarrow()
    return {name: answer[name].to_numpy().astype(numpy.float64) for name in answer.column_names}


def _number(name: str, place: int, seen: Mapping[str, Vector], cells: Cells) -> Past:
    rows, known = seen["rows"], seen.get(f"known_{place}", seen["rows"])
    low, high = seen[f"low_{place}"], seen[f"high_{place}"]
    # In proportion; where it matters in which windows they lie, _add_fractions counts.
    fractions = known * (cells.fractions / max(1, cells.present))
    return Past(name, "number", rows, rows - known, fractions, low, high, low == high, len(cells.place))


def _text(name: str, place: int, seen: Mapping[str, Vector], tally: Tally | int) -> Past:
    rows, known = seen["rows"], seen.get(f"known_{place}", seen["rows"])
    empty, none = numpy.full(len(rows), numpy.nan), numpy.zeros(len(rows))
    counts = {} if isinstance(tally, int) else tally.counts
    distinct = tally if isinstance(tally, int) else len(counts) + (tally.rest > 0)
    categories = {str(one): numpy.array([float(n)]) for one, n in counts.items()}
    return Past(name, "text", rows, rows - known, none, empty, empty, none.astype(bool), distinct, categories)


def _add_distinct(training: Dataset, found: dict[str, Past], numbers: Mapping[str, Cells]) -> None:
    """Count the different values of columns of whole numbers in which nearly every row could have its own."""
    wide = {
        name: columns.number(training.table[name]).approx_nunique()
        for name, cells in numbers.items()
        if not cells.fractions and _most_whole(cells) > 0.9 * cells.present
    }
    if wide:
        asked = {str(place): count for place, count in enumerate(wide.values())}
        seen = training.table.aggregate(**asked).to_pyarrow().to_pylist()[0]
        for name, count in zip(wide, seen.values(), strict=True):
            found[name] = replace(found[name], distinct=int(count or 0))


def _most_whole(cells: Cells) -> float:
    """Return how many different whole numbers the cells can hold."""
    with numpy.errstate(invalid="ignore"):
        room = numpy.where(cells.single, 1.0, cells.high - cells.low + 1)
    return float(numpy.minimum(room, cells.count).sum())


def _add_fractions(training: Dataset, found: dict[str, Past], windows: Windows) -> None:
    """Count by window the few fractions of columns of whole numbers: in one window they may be many."""
    names = [name for name, one in found.items() if 0 < one.fractions.sum() < 0.001 * one.present]
    if names and windows.length:
        table = training.table
        few = {
            str(place): table.count(where=~families.whole(columns.number(table[name])))
            for place, name in enumerate(names)
        }
        at = _window(table, training, windows)
        seen = _figures(table.group_by(window=at).aggregate(**few))
        for place, name in enumerate(names):
            found[name] = replace(found[name], fractions=seen[str(place)])


def categories_by_window(training: Dataset, past: Past, windows: Windows) -> Past:
    """Return a text's past with its categories counted by window, and whether one of them filled a window."""
    table = _with_time(training, past.name)
    text = counting.value(table[past.name], "text")
    key = past.name
    (found,) = training.recall(("by window", windows), [key], lambda _: [_by_window(training, table, text, windows)])
    categories = {str(one): rows for one, rows in found.items() if one is not None}
    full = past.rows - past.missing
    most = numpy.max(list(categories.values()), axis=0) if categories else numpy.zeros(len(full))
    return replace(past, categories=categories, constant=(full > 0) & (most == full))


def shares_by_window(training: Dataset, past: Past, atoms: Sequence[float], windows: Windows) -> Any:
    """Return the share of rows at each atom of a number by window: shape (windows, atoms)."""
    table = _with_time(training, past.name)
    number = columns.number(table[past.name])
    kept = number.isin(list(atoms)).ifelse(number, None)
    key = (past.name, tuple(atoms))
    (found,) = training.recall(("by window", windows), [key], lambda _: [_by_window(training, table, kept, windows)])
    none = numpy.zeros(len(past.rows))
    return numpy.column_stack([found.get(atom, none) for atom in atoms]) / past.rows[:, None]


def share_by_window(
    training: Dataset, past: Past, event: Callable[[Any], Any], windows: Windows
) -> NDArray[numpy.float64]:
    """Return the share of rows in which the event of a number holds, by window: shape (windows,)."""
    table = _with_time(training, past.name)
    hit = event(columns.number(table[past.name])).ifelse(1, None)
    found = _by_window(training, table, hit, windows)
    return numpy.asarray(found.get(1, numpy.zeros(len(past.rows))) / past.rows)


def _with_time(training: Dataset, name: str) -> Any:
    return training.part([name, training.roles.time] if training.roles.time else [name])


def _by_window(training: Dataset, table: Any, column: Any, windows: Windows) -> dict[Any, NDArray[numpy.float64]]:
    cut = table.select(window=_window(table, training, windows), value=column)
    seen = cut.group_by(["window", "value"]).aggregate(n=cut.count()).to_pyarrow().to_pylist()
    places = {window: place for place, window in enumerate(sorted({row["window"] for row in seen}))}
    found: dict[Any, NDArray[numpy.float64]] = {}
    for row in seen:
        found.setdefault(row["value"], numpy.zeros(len(places)))[places[row["window"]]] = row["n"]
    return found
