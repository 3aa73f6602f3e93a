"""The five targets of the data items, each with what was measured and whether it was met."""

from __future__ import annotations

from dataclasses import dataclass

from .contenders import DEEPCHECKS, EVIDENTLY, IMPORT, KEYED, OURS, PASS, TFDV, USUAL_COLUMNS
from .record import Record, Size

SMALL, USUAL, LARGE, HUGE = 100_000, 1_000_000, 10_000_000, 100_000_000
MANY_COLUMNS = 500
LESS_THAN_PEER = {EVIDENTLY: 25.0, DEEPCHECKS: 15.0, TFDV: 5.0}
PEAK_MB_USUAL, PEAK_MB_HUGE = 600.0, 2000.0
PASSES, PASSES_KEYED = 2.5, 6.0
WALL_S_SMALL = 4.0
LINEAR = 1.2


@dataclass(frozen=True)
class Target:
    """One promise.

    Attributes:
        number: of the target, 1 to 5.
        promise: what was promised.
        measured: what came out, as a number with its unit; empty where nothing was measured.
        met: whether it holds; ``None`` where nothing was measured.
    """

    number: int
    promise: str
    measured: str
    met: bool | None


def targets(record: Record) -> list[Target]:
    """Judge what the record holds."""
    small, usual = record.of(SMALL, USUAL_COLUMNS), record.of(USUAL, USUAL_COLUMNS)
    large, huge = record.of(LARGE, USUAL_COLUMNS), record.of(HUGE, USUAL_COLUMNS)
    wide = record.of(USUAL, MANY_COLUMNS)
    found = [
        _at_least(1, f"1M rows: at least {factor:g}x less CPU than {peer}", _ratio(usual, peer, OURS), factor)
        for peer, factor in LESS_THAN_PEER.items()
    ]
    rows, columns = HUGE / USUAL, MANY_COLUMNS / USUAL_COLUMNS
    found += [
        _at_most(1, f"1M rows: under {PEAK_MB_USUAL:g} MB", _peak(usual), PEAK_MB_USUAL, "{:.0f} MB"),
        _at_most(2, f"10M rows: at most {PASSES:g}x one DuckDB pass", _ratio(large, OURS, PASS), PASSES),
        _at_most(2, f"10M rows by key: at most {PASSES_KEYED:g}x", _ratio(large, KEYED, PASS), PASSES_KEYED),
        _at_most(
            3, "100M rows: CPU linear from 1M within 20 %", _growth(usual, huge, rows), LINEAR, "{:.2f} of linear"
        ),
        _at_most(3, f"100M rows: under {PEAK_MB_HUGE:g} MB", _peak(huge), PEAK_MB_HUGE, "{:.0f} MB"),
        _at_most(4, f"100,000 rows: start to verdict under {WALL_S_SMALL:g} s", _wall(small), WALL_S_SMALL, "{:.1f} s"),
        _at_most(
            5,
            "500 columns x 1M rows: CPU linear within 20 %",
            _growth(usual, wide, columns),
            LINEAR,
            "{:.2f} of linear",
        ),
    ]
    return found


def _ratio(size: Size | None, above: str, below: str) -> float | None:
    upper, lower = (size.of(above), size.of(below)) if size else (None, None)
    return upper.cpu_s / lower.cpu_s if upper and lower else None


def _growth(small: Size | None, large: Size | None, factor: float) -> float | None:
    """Return how many times as many processor seconds as in proportion; start-up is taken off both, so is no excuse."""
    found = []
    for size in (small, large):
        work, start = (size.of(OURS), size.of(IMPORT)) if size else (None, None)
        if not (work and start):
            return None
        found.append(work.cpu_s - start.cpu_s)
    return found[1] / found[0] / factor


def _peak(size: Size | None) -> float | None:
    ours = size.of(OURS) if size else None
    return ours.peak_mb if ours else None


def _wall(size: Size | None) -> float | None:
    ours = size.of(OURS) if size else None
    return ours.wall_s if ours else None


def _at_least(number: int, promise: str, value: float | None, limit: float) -> Target:
    return Target(number, promise, _said(value, "{:.1f}x"), None if value is None else value >= limit)


def _at_most(number: int, promise: str, value: float | None, limit: float, form: str = "{:.2f}x") -> Target:
    return Target(number, promise, _said(value, form), None if value is None else value <= limit)


def _said(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
