"""What the comparisons show: tables of features and of pairs, and two histograms over common bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy

from mltestscore.comparison.battery import Measured
from mltestscore.comparison.cause import Cause
from mltestscore.comparison.columns import Kind
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.join import Differences, KeyJoin
from mltestscore.comparison.tallies import Tally
from mltestscore.details import Cell, Histograms, Table
from mltestscore.finding import Finding

BINS = 24
CATEGORIES = 12
PAIRS = 10
MAX_CELL = 60


def condensed(findings: Sequence[Finding]) -> list[Finding]:
    """Return the failed findings, and of the others the one of each name nearest to its limit, with a count.

    A check of 500 features would else say 500 times that nothing is wrong.
    """
    kept = [finding for finding in findings if finding.verdict == "failed"]
    groups: dict[tuple[str, str, bool], list[Finding]] = {}
    for finding in findings:
        if finding.verdict != "failed":
            groups.setdefault((finding.name, finding.verdict, finding.advisory), []).append(finding)
    for group in groups.values():
        nearest = max(group, key=_nearness)
        others = f"the nearest to its limit of {len(group)}" if len(group) > 1 else ""
        note = "; ".join(part for part in (nearest.note, others) if part)
        kept.append(replace(nearest, note=note))
    return kept


def _nearness(finding: Finding) -> float:
    if finding.interval is None or not finding.ceiling:
        return 0.0
    return finding.interval.high / finding.ceiling


def features_table(join: KeyJoin, causes: dict[str, Cause | None]) -> Table:
    """Return the table of compared features, the worst first."""
    worst = sorted(join.features, key=lambda one: (-one.rows, one.feature))
    rows: list[Sequence[Cell]] = [
        (
            one.feature[:MAX_CELL],
            join.joined,
            one.differing,
            one.missing_served,
            one.missing_computed,
            said(one, causes),
        )
        for one in worst
    ]
    head = ("feature", "joined rows", "differ", "missing in serving", "missing in training path", "cause")
    return Table("Served against recomputed values, by feature", head, rows)


def said(of: Differences, causes: dict[str, Cause | None]) -> str:
    """Return the cause in words: none where nothing differs, ``unnamed`` where nothing fits."""
    if not of.rows:
        return ""
    if of.feature not in causes:
        return "not looked into: other features differ more"
    cause = causes[of.feature]
    return "unnamed" if cause is None else cause.name


def pairs_table(of: Differences, sample: Any) -> Table:
    """Return at most ten rows that differ: key, served value, recomputed value."""
    keys = [name for name in sample.columns if name.startswith("key_")]
    rows = [
        (
            ", ".join(str(row[name]) for name in keys)[:MAX_CELL],
            _cell(row["served"], of.kind),
            _cell(row["computed"], of.kind),
        )
        for _, row in sample.head(PAIRS).iterrows()
    ]
    return Table(f"Rows that differ: {of.feature[:MAX_CELL]}", ("key", "served", "computed"), rows)


def _cell(value: Any, kind: Kind) -> Cell:
    if value is None or value != value:
        return None
    if kind == "time":
        return str(numpy.datetime64(round(float(value) * 1e6), "us"))[:19]
    return float(value) if kind == "number" else str(value)[:MAX_CELL]


def two_histograms(feature: str, kind: Kind, served: Any, computed: Any) -> Histograms | None:
    """Return two histograms of one feature over common bins; ``None`` where a side has no values.

    A side is a pandas series, or the cells or the categories of a column that was counted.
    """
    title, sides = f"{feature[:MAX_CELL]}: served and computed", [_counts(side) for side in (served, computed)]
    if not all(len(values) for values, _ in sides):
        return None
    if kind in ("text", "other") or Tally in (type(served), type(computed)):
        return _bars(title, sides)
    sides = [(numpy.asarray(values, dtype=numpy.float64), rows) for values, rows in sides]
    sides = [(values[numpy.isfinite(values)], rows[numpy.isfinite(values)]) for values, rows in sides]
    if not all(len(values) for values, _ in sides):
        return None
    low, high = _quantiles(
        numpy.concatenate([side[0] for side in sides]), numpy.concatenate([side[1] for side in sides])
    )
    edges = numpy.linspace(low, high if high > low else low + 1, BINS + 1)
    # One far outlier must not squeeze everything else into one bin, so the last bins hold what lies beyond.
    left, right = (
        numpy.histogram(numpy.clip(values, edges[0], edges[-1]), edges, weights=rows)[0] / rows.sum()
        for values, rows in sides
    )
    return Histograms(title, "served", left.tolist(), "computed", right.tolist(), edges=[float(edge) for edge in edges])


def _counts(side: Any) -> tuple[Any, Any]:
    """Return the values of a side and the rows of each."""
    if isinstance(side, Cells):
        return side.values, side.count
    if isinstance(side, Tally):
        return list(side.counts), numpy.array(list(side.counts.values()), dtype=numpy.float64)
    known = [] if side is None else side.dropna().to_numpy()
    return known, numpy.ones(len(known))


def _quantiles(values: Any, rows: Any) -> tuple[float, float]:
    """Return the bounds of the middle 99 % of the rows."""
    order = numpy.argsort(values)
    ranks = numpy.cumsum(rows[order])
    low, high = numpy.minimum(numpy.searchsorted(ranks, ranks[-1] * numpy.array([0.005, 0.995])), len(order) - 1)
    return float(values[order[low]]), float(values[order[high]])


def _bars(title: str, sides: Sequence[tuple[Any, Any]]) -> Histograms:
    left: dict[str, float] = {}
    right: dict[str, float] = {}
    for own, (values, rows) in zip((left, right), sides, strict=True):
        for name, share in zip(map(str, values), (rows / rows.sum()).tolist(), strict=True):
            own[name] = own.get(name, 0.0) + share
    order = sorted({*left, *right}, key=lambda name: (-left.get(name, 0.0) - right.get(name, 0.0), name))
    names = order[:CATEGORIES]
    shares = [[side.get(name, 0.0) for name in names] for side in (left, right)]
    if len(order) > CATEGORIES:
        shares = [[*side, max(0.0, 1.0 - sum(side))] for side in shares]
        names.append("others")
    return Histograms(
        title, "served", shares[0], "computed", shares[1], categories=[str(name)[:MAX_CELL] for name in names]
    )


def invariants_table(measured: Measured) -> Table:
    """Return past against now for every feature: missing values, range, and why a feature was left out."""
    rows: list[Sequence[Cell]] = []
    for name, past in measured.past.items():
        seen = [one for one, _ in measured.now[name].frequent if past.kind == "number"]
        low, high = past.range
        beyond = [one for one in seen if not low <= one <= high]
        limits = f"{low:.6g} … {high:.6g}" if low == low else f"{len(past.categories)} categories"
        why = past.nameless or ("only grows" if past.grows else "")
        gone = float(past.missing.sum() / past.rows.sum())
        rows.append((name[:MAX_CELL], past.kind, f"{gone:.2%}", limits[:MAX_CELL], len(beyond), why))
    head = ("feature", "kind", "missing in the past", "past values", "frequent values beyond", "left out because")
    windows = measured.windows
    cut = f"{windows.count} past {windows.name}" if windows.enough else "too few past windows to learn limits"
    return Table(f"Features in the training period ({cut})", head, rows)
