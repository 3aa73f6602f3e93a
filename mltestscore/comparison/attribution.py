"""Naming why served values differ from the recomputed ones, on a bounded set of rows that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy

from mltestscore.comparison import lookups, numbers, texts
from mltestscore.comparison.cause import Candidate, Cause, best
from mltestscore.comparison.join import Differences, KeyJoin, differs
from mltestscore.comparison.numbers import Facts
from mltestscore.inputs import database

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 1_000


def sample(join: KeyJoin, of: Differences, rel_tol: float, rows: int = SAMPLE) -> pd.DataFrame:
    """Return up to ``rows`` rows in which the feature does not match, chosen by a hash of the key.

    Columns: ``served``, ``computed``, ``gone``, ``none``, the recomputed neighbours in key order (``before``,
    ``after``) and, where rows have a time, theirs (``at_before``, ``at_after``), the other features as ``other_j``, and
    ``entity``, ``at``, ``key_0`` … as in the join.
    """
    import ibis

    table, i = join.table, of.place
    keys = [name for name in table.columns if name.startswith("order_")]
    window = ibis.window(order_by=keys)
    own = table[f"computed_{i}"]
    columns = {"served": table[f"served_{i}"], "computed": own, "gone": table[f"gone_{i}"], "none": table[f"none_{i}"]}
    columns |= {"before": own.lag().over(window), "after": own.lead().over(window)}
    if "at" in table.columns:
        columns |= {"at_before": table["at"].lag().over(window), "at_after": table["at"].lead().over(window)}
    same_kind = [other for other in join.features if other.kind == of.kind and other.place != i]
    columns |= {f"other_{other.place}": table[f"computed_{other.place}"] for other in same_kind}
    columns |= {name: table[name] for name in ("entity", "at") if name in table.columns}
    columns |= {name: table[name] for name in table.columns if name.startswith("key_")}
    columns["differs"] = differs(table, i, of.kind, of.spread, rel_tol)
    taken = table.select(**columns)
    taken = taken.filter(taken.differs | (taken.gone != taken.none)).drop("differs")
    names = [name for name in taken.columns if name.startswith("key_")]
    frame: pd.DataFrame = taken.order_by([database.md5(taken[names[0]]), *names]).limit(rows).to_pyarrow().to_pandas()
    return frame


def explain(join: KeyJoin, of: Differences, frame: pd.DataFrame) -> Cause | None:
    """Return the cause of the differences in ``frame`` (see :func:`sample`), or ``None`` where nothing fits.

    Only causes that explain most of the rows looked at are named; :attr:`Cause.share` says how many they are.
    """
    if frame.empty:
        return None
    gaps = best(_missing(join, of, frame), len(frame))
    if gaps is not None:
        return gaps
    both = frame[~frame["gone"] & ~frame["none"]].dropna(subset=["served", "computed"])
    if both.empty:
        return best([("type: the served text is no number", numpy.ones(len(frame), dtype=bool))], len(frame))
    return best(_candidates(join, of, both.reset_index(drop=True)), len(frame))


def _candidates(join: KeyJoin, of: Differences, both: pd.DataFrame) -> list[Candidate]:
    rate = of.rows / max(1, join.joined)
    found: list[Candidate] = []
    if of.kind == "text":
        found += texts.candidates(both["served"].tolist(), both["computed"].tolist(), rate)
    elif of.kind == "number":
        pairs = both[["served", "computed"]].to_numpy(dtype=numpy.float64)
        finite = numpy.isfinite(pairs).all(axis=1)
        if finite.any():
            facts = facts_of(join, of, rate)
            derived = numbers.candidates(pairs[finite, 0], pairs[finite, 1], facts)
            found += [(name, mask) for name, mask in derived]
    elif of.kind == "time":
        found += lookups.clocks(both)
    found += lookups.candidates(join, of, both)
    return found


def facts_of(join: KeyJoin, of: Differences, rate: float) -> Facts:
    """Return the extent of both sides and the centre of the recomputed one, on all joined rows."""
    served, computed = join.table[f"served_{of.place}"], join.table[f"computed_{of.place}"]
    inf = float("inf")
    finite = computed.nullif(inf).nullif(-inf)
    row = join.table.aggregate(
        served_low=served.min(),
        served_high=served.max(),
        low=computed.min(),
        high=computed.max(),
        mean=finite.mean(),
        median=finite.median(),
        deviation=finite.std(),
    )
    values: dict[str, Any] = row.to_pyarrow().to_pylist()[0]
    return Facts(rate, **{name: numpy.nan if value is None else float(value) for name, value in values.items()})


def _missing(join: KeyJoin, of: Differences, frame: pd.DataFrame) -> list[Candidate]:
    gone = (frame["gone"] & ~frame["none"]).to_numpy(dtype=bool)
    none = (frame["none"] & ~frame["gone"]).to_numpy(dtype=bool)
    present = join.joined - int(join.table.count(where=join.table[f"none_{of.place}"]).to_pyarrow().as_py())
    always = of.missing_served >= present > 0
    found = [("always missing in serving" if always else "missing in serving, present in the training path", gone)]
    values = frame.loc[none, "served"]
    usual = values.mode()
    if len(usual) and float((values == usual.iloc[0]).mean()) > 0.9:
        found.append((f"imputed in serving only: {str(usual.iloc[0])[:30]} where the training path has none", none))
    found.append(("missing in the training path, present in serving", none))
    return found
