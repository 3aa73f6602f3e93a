"""Naming why served values differ from the recomputed ones, on a bounded set of rows that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy

from mltestscore.comparison import lookups, numbers, texts
from mltestscore.comparison.cause import Candidate, Cause, best
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import Differences, KeyJoin
from mltestscore.comparison.keys import row
from mltestscore.comparison.numbers import Facts

if TYPE_CHECKING:
    import pandas as pd


def explain(rows: Rows, of: Differences) -> Cause | None:
    """Return the cause of the differences of a feature, or ``None`` where nothing fits.

    Only causes that explain most of the rows looked at are named; :attr:`Cause.share` says how many they are.
    """
    frame = rows.of(of)
    if frame.empty:
        return None
    gaps = best(_missing(of, frame, rows.join), len(frame))
    if gaps is not None:
        return gaps
    both = with_values(frame)
    if both.empty:
        return best([("type: the served text is no number", numpy.ones(len(frame), dtype=bool))], len(frame))
    return best(_candidates(rows, of, both), len(frame))


def with_values(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of :meth:`Rows.of` that have a value on both sides; ``place`` says where they stood."""
    present = ~frame["gone"] & ~frame["none"] & frame["served"].notna() & frame["computed"].notna()
    return frame.assign(place=numpy.arange(len(frame)))[present].reset_index(drop=True)


def _candidates(rows: Rows, of: Differences, both: pd.DataFrame) -> Iterator[Candidate]:
    rate = of.rows / max(1, rows.join.joined)
    if of.kind == "text":
        yield from texts.candidates(both["served"].tolist(), both["computed"].tolist(), rate)
    elif of.kind == "number":
        pairs = both[["served", "computed"]].to_numpy(dtype=numpy.float64)
        finite = numpy.isfinite(pairs).all(axis=1)
        if finite.any():
            yield from numbers.candidates(pairs[finite, 0], pairs[finite, 1], facts_of(rows.join, of, rate))
    elif of.kind == "time":
        yield from lookups.clocks(both)
    yield from lookups.candidates(rows, of, both)


def facts_of(join: KeyJoin, of: Differences, rate: float) -> Facts:
    """Return the extent of both sides and the centre of the recomputed one, on the rows that a key names."""
    left, right = join.sides.left.table, join.sides.right.table
    served, computed = left[f"served_{of.place}"], right[f"computed_{of.place}"]
    inf = float("inf")
    finite = computed.nullif(inf).nullif(-inf)
    own = left.aggregate(served_low=served.min(), served_high=served.max())
    other = right.aggregate(
        low=computed.min(),
        high=computed.max(),
        mean=finite.mean(),
        median=finite.median(),
        deviation=finite.std(),
    )
    values = row(own) | row(other)
    return Facts(rate, **{name: numpy.nan if value is None else float(value) for name, value in values.items()})


def _missing(of: Differences, frame: pd.DataFrame, join: KeyJoin) -> Iterator[Candidate]:
    gone = (frame["gone"] & ~frame["none"]).to_numpy(dtype=bool)
    none = (frame["none"] & ~frame["gone"]).to_numpy(dtype=bool)
    always = False
    if gone.any():
        served = join.sides.left.table[f"served_{of.place}"]
        always = not of.differing and not of.missing_computed and not int(served.count().to_pyarrow().as_py())
    yield "always missing in serving" if always else "missing in serving, present in the training path", gone
    values = frame.loc[none, "served"]
    usual = values.mode()
    if len(usual) and float((values == usual.iloc[0]).mean()) > 0.9:
        yield f"imputed in serving only: {str(usual.iloc[0])[:30]} where the training path has none", none
    yield "missing in the training path, present in serving", none
