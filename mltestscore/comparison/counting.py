"""Each column of a dataset counted once, for whoever asks: numbers over a grid, texts by category.

What comes out is left with the dataset, so that rules on the same columns need no scan of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mltestscore.comparison import cells, columns, grid, tallies
from mltestscore.comparison.grid import Cells, Grid
from mltestscore.comparison.tallies import Tally
from mltestscore.inputs import families
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.known import Known

MAX_CATEGORIES = 1_000


def value(column: Any, kind: str) -> Any:
    """Return a column as its training kind: a number, or a text in which 5 and 5.0 are the same."""
    return columns.number(column) if kind == "number" else columns.key_text(column, column).nullif("")


def laid(dataset: Dataset, names: Iterable[str]) -> dict[str, Cells]:
    """Return the numbers of each column over a grid of their own, counted once."""
    names, found = list(names), dict[str, Cells]()

    def ask(new: list[str]) -> list[Cells]:
        for table, some in dataset.parts(new):
            found.update(cells.laid(table, {name: columns.number(table[name]) for name in some}, dataset.rows))
        _learn(dataset, found)
        return [found[name] for name in new]

    return dict(zip(names, dataset.recall("laid", names, ask), strict=True))


def over(dataset: Dataset, grids: Mapping[str, Grid]) -> dict[str, Cells]:
    """Return the numbers of each column over a given grid, counted once."""

    def ask(new: list[tuple[str, Grid]]) -> list[Cells]:
        own, found = dict(new), dict[str, Cells]()
        for table, some in dataset.parts([*own]):
            wanted = {name: (columns.number(table[name]), own[name]) for name in some}
            found |= cells.counted(table, wanted, dataset.rows)
        _learn(dataset, found)
        return [found[name] for name, _ in new]

    return dict(zip(grids, dataset.recall("over", grids.items(), ask), strict=True))


def tallied(dataset: Dataset, names: Iterable[str]) -> dict[str, Tally | int]:
    """Return the categories of each text, or how many its first rows hold, if too many to be categories."""
    names, found, codes = list(names), dict[str, Tally | int](), dict[str, Tally]()

    def ask(new: list[str]) -> list[Tally | int]:
        for table, some in dataset.parts(new):
            many = tallies.varied(table, {name: value(table[name], "text") for name in some}, MAX_CATEGORIES)
            texts = {name: columns.key_text(table[name], table[name]) for name in some}
            few = {name: text for name, text in texts.items() if name not in many}
            found.update({**many, **tallies.tallied(table, few, MAX_CATEGORIES)})
            codes.update(tallies.codes(table, {name: texts[name] for name in many}, many))
        _learn(dataset, {**found, **codes})
        dataset.recall("frequent", codes, lambda keys: [tallies.frequent(codes[key]) for key in keys])
        return [found[name] for name in new]

    return dict(zip(names, dataset.recall("tallied", names, ask), strict=True))


def frequent(dataset: Dataset, name: str) -> Tally:
    """Return the frequent values of a text of which :func:`tallied` says that it has too many, the others as a rest."""

    def ask(names: list[str]) -> list[Tally]:
        table = dataset.part(names)
        return [tallies.frequent_only(table, value(table[one], "text")) for one in names]

    return dataset.recall("frequent", [name], ask)[0]


def _learn(dataset: Dataset, found: Mapping[str, Cells | Tally | int]) -> None:
    kinds = dataset.table.schema()
    for name, counts in found.items():
        known = None
        if isinstance(counts, Cells):
            known = _of_numbers(counts, kinds[name])
        elif kinds[name].is_string():
            known = _of_texts(counts, dataset.rows)
        if known is not None:
            dataset.known[name] = known


def _of_texts(counts: Tally | int, rows: int) -> Known:
    if isinstance(counts, int):
        return Known("text", rows, None, counts, (), (), 0, None)
    values = {**counts.counts, "": counts.blank} if counts.blank else counts.counts
    known = None if counts.rest else values
    return Known("text", rows, counts.missing - counts.blank, len(values), (), (), 0, known)


def _of_numbers(counted: Cells, kind: Any) -> Known | None:
    """Return what is known of a column whose numbers are in the cells as they are, else ``None``."""
    family, (low, high) = families.family(kind), counted.range
    exact = kind.is_float64() or (family in ("integer", "boolean") and not max(-low, high) >= families.SMALL)
    if not exact:
        return None
    single = bool(counted.single.all()) and len(counted.place) <= grid.MOST
    values = dict(zip(counted.low.tolist(), counted.count.astype(int).tolist(), strict=True)) if single else None
    rows, distinct = counted.present + counted.missing, len(counted.place) + (not counted.single.all())
    least, largest = ((low,), (high,)) if counted.exact else (_ends(counted, 0), _ends(counted, -1))
    figures = counted.missing, distinct, least, largest, counted.fractions
    return Known(family, rows, *figures, values, *counted.moments())


def _ends(counted: Cells, place: int) -> tuple[float, float]:
    return float(counted.low[place]), float(counted.high[place])
