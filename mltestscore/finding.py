"""One observed number against its limit, and the three-way verdict that its interval allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mltestscore.stats.interval import Interval, exactly

Verdict = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A measured value, its interval, its limit and what follows.

    ``failed`` only where the whole interval lies beyond a limit (harm is shown), ``passed`` only where the whole
    interval lies within (harm is ruled out), else ``inconclusive``.

    Attributes:
        name: what was measured, in the reader's words; the same name for the same measure on every column.
        where: the column, slice or part it was measured on; empty for the whole system.
        interval: the estimate; ``None`` when nothing could be estimated (see :func:`undecided`).
        floor: the lower limit, or ``None``.
        ceiling: the upper limit, or ``None``.
        unit: the unit of value and limits, ``"share"`` for a proportion (shown as per cent), empty for a count.
        verdict: see above.
        cause: the fault's name where the check could tell it ("constant ratio 1.8 with offset 32: °C served as °F").
        note: one sentence of explanation.
        advisory: shown, but never part of the check's verdict.
        proxy: an estimate of what could not be measured, such as quality without labels; a check that rests on one is
            worth ½ at most.
        smallest_visible: when inconclusive, the smallest effect that this n could have shown as harm.
        n_to_settle: when inconclusive, the n that would settle it.

    >>> from mltestscore import Interval
    >>> found = at_most("error rate", Interval(0.02, 0.004, 0.05, 120, 0.95, "Clopper-Pearson"), 0.01, where="/predict")
    >>> found.verdict, found.key, found.n_to_settle
    ('inconclusive', ('error rate', '/predict'), 1080)
    """

    name: str
    where: str
    interval: Interval | None
    floor: float | None
    ceiling: float | None
    unit: str
    verdict: Verdict
    cause: str = ""
    note: str = ""
    advisory: bool = False
    smallest_visible: float | None = None
    n_to_settle: int | None = None
    proxy: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What the finding is about: the same in two runs of one check."""
        return (self.name, self.where)


def at_most(
    name: str,
    value: Interval | float,
    limit: float,
    *,
    where: str = "",
    unit: str = "",
    n: int = 0,
    cause: str = "",
    note: str = "",
    advisory: bool = False,
) -> Finding:
    """Hold a value to an upper limit; a plain number counts as exact.

    Args:
        name: what was measured, in the reader's words; the same name for the same measure on every column.
        value: an estimate with its bounds, or a number that was counted and not estimated.
        limit: the largest value that is allowed, in the unit of ``value``; an option of the check, with a source.
        where: the column, slice or part it was measured on; empty for the whole system.
        unit: of value and limit; ``"share"`` for a proportion, which is shown as per cent; empty for a count.
        n: how many rows a plain number was counted on; an interval brings its own.
        cause: what went wrong, where the check can tell it; shown with a finding that failed.
        note: one sentence of explanation.
        advisory: shown, but never part of the check's verdict.

    Raises :class:`ValueError` for NaN: yield :func:`undecided` where nothing could be measured.

    >>> at_most("rows without a key", 0, 0, n=1000).verdict
    'passed'
    >>> from mltestscore import Interval
    >>> at_most("error rate", Interval(0.02, 0.004, 0.05, 120, 0.95, "Clopper-Pearson"), 0.01).verdict
    'inconclusive'
    """
    return _judge(name, _interval(value, n), None, limit, where, unit, cause, note, advisory)


def at_least(
    name: str,
    value: Interval | float,
    limit: float,
    *,
    where: str = "",
    unit: str = "",
    n: int = 0,
    cause: str = "",
    note: str = "",
    advisory: bool = False,
) -> Finding:
    """Hold a value to a lower limit; arguments and errors as for :func:`at_most`.

    >>> at_least("kill rate", 0.5, 0.8, n=20).verdict
    'failed'
    """
    return _judge(name, _interval(value, n), limit, None, where, unit, cause, note, advisory)


def within(
    name: str,
    value: Interval | float,
    low: float,
    high: float,
    *,
    where: str = "",
    unit: str = "",
    n: int = 0,
    cause: str = "",
    note: str = "",
    advisory: bool = False,
) -> Finding:
    """Hold a value between two limits, both allowed; arguments and errors as for :func:`at_most`.

    Raises :class:`ValueError` also when ``low`` exceeds ``high``.

    >>> within("score", 1.2, 0.0, 1.0, n=1).verdict
    'failed'
    """
    if low > high:
        raise ValueError(f"within({name!r}): the lower limit {low} exceeds the upper limit {high}")
    return _judge(name, _interval(value, n), low, high, where, unit, cause, note, advisory)


def undecided(name: str, why: str, *, where: str = "", unit: str = "", n_to_settle: int | None = None) -> Finding:
    """Say that nothing can be concluded, and why: too few rows, nothing to compare, a machine too noisy.

    ``n_to_settle`` is the number of observations that would allow a verdict, where it is known.

    >>> undecided("rows that differ", "no served row joins a training row", where="temp").verdict
    'inconclusive'
    """
    return Finding(name, where, None, None, None, unit, "inconclusive", note=why, n_to_settle=n_to_settle)


def _interval(value: Interval | float, n: int) -> Interval:
    return value if isinstance(value, Interval) else exactly(value, n)


def _judge(
    name: str,
    interval: Interval,
    floor: float | None,
    ceiling: float | None,
    where: str,
    unit: str,
    cause: str,
    note: str,
    advisory: bool,
) -> Finding:
    beyond = (ceiling is not None and interval.low > ceiling) or (floor is not None and interval.high < floor)
    inside = (ceiling is None or interval.high <= ceiling) and (floor is None or interval.low >= floor)
    verdict: Verdict = "failed" if beyond else "passed" if inside else "inconclusive"
    visible = settle = None
    if verdict == "inconclusive":
        over = ceiling is not None and interval.high > ceiling
        limit = ceiling if over else floor
        assert limit is not None  # one of the two limits is what kept the verdict open
        visible = interval.smallest_visible(limit, "above" if over else "below")
        settle = interval.n_to_settle(limit)
    return Finding(name, where, interval, floor, ceiling, unit, verdict, cause, note, advisory, visible, settle)
