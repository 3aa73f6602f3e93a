"""Where else a served value stands in the recomputed data: another row, an earlier time, another column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy

from mltestscore.comparison.cause import Candidate, Mask, Numbers, duration
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import Differences
from mltestscore.stats.distribution import ks_distance

if TYPE_CHECKING:
    import pandas as pd

HOUR = 3600.0
LAGS = (HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, 86_400.0, 2 * 86_400.0, 7 * 86_400.0)
FULL_HOURS = 14
# Two equal columns, one shifted in time, do not say which is right: only the values' own times do (feature_times).
AHEAD = ", or the training path looks as far ahead"
CUTS = (("millisecond", 0.001), ("second", 1.0), ("minute", 60.0), ("hour", HOUR), ("day", 86_400.0))


def candidates(rows: Rows, of: Differences, both: pd.DataFrame) -> Iterator[Candidate]:
    """Yield where the served values of ``both`` come from: those of ``rows`` that have a value on both sides."""
    if of.kind == "other":
        return
    join = rows.join
    yield from _other_columns(rows, of, both)
    if join.timed and join.with_entity:
        yield from _stale(rows.history(of, both["entity"]), both, "of the same entity ")
    for side in ("before", "after"):
        beside = rows.neighbours(of, side).loc[both["place"]].reset_index(drop=True)
        yield from _beyond_chance(both, beside["value"], _neighbour(both, beside, side))
    if join.timed and not join.with_entity:
        yield from _stale(rows.history(of, None), both, "")
    yield from _permuted(rows, of, both)


def _neighbour(both: pd.DataFrame, beside: pd.DataFrame, side: str) -> str:
    """Name the neighbour in key order; where it usually is the same time earlier, the data cannot tell which it was."""
    lag = _usual_lag(both["at"], beside["at"]) if "at" in beside.columns else 0.0
    if lag > 0:
        return f"stale, or off by one: the value of the row {side} in key order, usually {duration(lag)} earlier{AHEAD}"
    return f"off by one: the value of the row {side} in key order, so of another entity"


def clocks(both: pd.DataFrame) -> Iterator[Candidate]:
    """Yield how served times (seconds) are shifted or cut: a time zone, with or without daylight saving, a day."""
    served, computed = both["served"].to_numpy(dtype=float), both["computed"].to_numpy(dtype=float)
    gaps = numpy.round(served - computed, 3)
    support, counts = numpy.unique(gaps, return_counts=True)
    first = float(support[counts.argmax()])
    zone = [value for value in support if abs(value - first) == HOUR and abs(value) <= FULL_HOURS * HOUR]
    # Less than half a millisecond, a gap of 0 here, is no clock that is set wrong.
    if first and (4 * first / HOUR).is_integer() and abs(first) <= FULL_HOURS * HOUR:
        yield f"time zone: {first / HOUR:+g} h in serving", _near(gaps, first)
        for value in zone:
            two = f"{first / HOUR:+g} h and {value / HOUR:+g} h in serving"
            yield f"time zone: {two} (daylight saving)", _near(gaps, first) | _near(gaps, value)
    elif first:
        yield f"constant offset {duration(first)}", _near(gaps, first)
    for name, unit in CUTS:
        yield f"times cut to the {name} in serving", numpy.abs(served - numpy.floor(computed / unit) * unit) < 1e-6


def _near(gaps: Numbers, value: float) -> Mask:
    """Return which gaps, in seconds, are this one but for the few milliseconds that clocks and formats lose."""
    return numpy.isclose(gaps, value, rtol=0, atol=0.004)


def _same(served: Any, value: Any) -> Mask:
    """Return where two values are equal; numbers within the precision of float32, and missing equals nothing."""
    if served.dtype.kind == "f" and getattr(value.dtype, "kind", "O") == "f":
        a, b = served.to_numpy(), value.to_numpy()
        with numpy.errstate(invalid="ignore"):
            return numpy.asarray(numpy.abs(a - b) <= 1e-6 * numpy.maximum(numpy.abs(a), numpy.abs(b)))
    equal = served.reset_index(drop=True) == value.reset_index(drop=True)
    return numpy.asarray((equal & value.notna().reset_index(drop=True)).to_numpy(dtype=bool))


def _shifted(values: Any) -> Any:
    """Return the values at other rows: what agrees with these agrees by chance."""
    return values.iloc[numpy.roll(numpy.arange(len(values)), max(1, len(values) // 3))].reset_index(drop=True)


def _informative(served: Any, value: Any, mask: Mask) -> bool:
    chance = float(_same(served, _shifted(value)).mean())
    share = float(mask.mean())
    return chance < 1 and (share - chance) / (1 - chance) >= 0.5


def _beyond_chance(both: pd.DataFrame, value: Any, name: str) -> Iterator[Candidate]:
    mask = _same(both["served"], value)
    if len(both) >= 5 and _informative(both["served"], value, mask):
        yield name, mask


def _other_columns(rows: Rows, of: Differences, both: pd.DataFrame) -> Iterator[Candidate]:
    for other in rows.join.features:
        if f"other_{other.place}" in both.columns:
            name = f"swapped: the value of the column {other.feature!r}"
            yield from _beyond_chance(both, both[f"other_{other.place}"], name)


def _stale(history: pd.DataFrame, both: pd.DataFrame, whose: str) -> Iterator[Candidate]:
    rows = both[both["at"].notna()].sort_values("at", kind="stable")
    if len(rows) < 5 or history.empty:
        return
    by = ["entity"] if whose else []
    earlier = _nearest(history, rows, by, later=False)
    lag = _usual_lag(rows["at"], earlier)
    for seconds in dict.fromkeys([*LAGS, *([lag] if lag else [])]):
        value = _as_of(history, rows, by, seconds)
        mask = _same(rows["served"], value)
        if _informative(rows["served"], value, mask):
            yield f"stale: the value {whose}{duration(seconds)} earlier{AHEAD}", _placed(mask, rows, both)
    if whose:
        last = _as_of(history, rows, by, 0.0, exact=False)
        if _informative(rows["served"], last, _same(rows["served"], last)):
            yield "stale: the value of the same entity's row before", _placed(_same(rows["served"], last), rows, both)
        known = earlier.notna().to_numpy(dtype=bool)
        yield "stale: never refreshed, one earlier value of each entity", _placed(known & _frozen(rows), rows, both)
        later = _nearest(history, rows, by, later=True)
        if known.mean() > later.notna().mean() + 0.3:
            yield "stale: an earlier value of the same entity", _placed(known, rows, both)


def _frozen(rows: pd.DataFrame) -> Mask:
    """Return the rows of entities to which one value is served and several are computed; not one value to all."""
    if rows["served"].nunique() == 1:
        return numpy.zeros(len(rows), dtype=bool)
    groups = rows.groupby("entity", observed=True)
    served, computed = groups["served"].transform("nunique"), groups["computed"].transform("nunique")
    return numpy.asarray(((served == 1) & (computed >= 5)).to_numpy(dtype=bool))


def _placed(mask: Mask, rows: pd.DataFrame, both: pd.DataFrame) -> Mask:
    placed = numpy.zeros(len(both), dtype=bool)
    placed[rows.index.to_numpy()] = mask
    return placed


def _as_of(history: pd.DataFrame, rows: pd.DataFrame, by: list[str], lag: float, *, exact: bool = True) -> Any:
    import pandas as pd

    asked = rows[["at", *by]].assign(at=rows["at"] - lag).reset_index(drop=True)
    found = pd.merge_asof(asked, history, on="at", by=by or None, allow_exact_matches=exact)
    return found["value"].reset_index(drop=True)


def _nearest(history: pd.DataFrame, rows: pd.DataFrame, by: list[str], *, later: bool) -> Any:
    """Return when each served value last stood in the history before its row, or next after it; NaN where never."""
    import pandas as pd

    asked = rows[["at", "served", *by]].reset_index(drop=True)
    past = history.rename(columns={"value": "served"}).assign(then=history["at"])
    if asked["served"].dtype.kind == "f":
        asked["served"], past["served"] = (side["served"].astype("float32") for side in (asked, past))
    direction: Any = "forward" if later else "backward"
    found = pd.merge_asof(asked, past, on="at", by=[*by, "served"], allow_exact_matches=False, direction=direction)
    return found["then"]


def _usual_lag(now: Any, then: Any) -> float:
    """Return the most frequent time since, if it is that of a third of the rows; 0 where there is none."""
    lags = (now.reset_index(drop=True) - then).dropna().round(3)
    if lags.empty:
        return 0.0
    counts = lags.value_counts()
    return float(counts.index[0]) if counts.iloc[0] >= len(now) / 3 else 0.0


def _permuted(rows: Rows, of: Differences, both: pd.DataFrame) -> Iterator[Candidate]:
    """Yield the rows whose served value stands at another key, where that can be no chance."""
    name, served = "permuted: the value of another key", both["served"]
    known = _known(rows, of, both) if of.kind != "text" else numpy.ones(len(both), dtype=bool)
    precise = of.kind != "text" and (served % 1 != 0).mean() > 0.9 and served.nunique() > 0.5 * len(served)
    # Values with many decimals do not meet by chance; others must also have the right distribution.
    if precise or (known.mean() > 0.8 and _right_values_wrong_rows(both, of)):
        yield name, known


def _known(rows: Rows, of: Differences, both: pd.DataFrame) -> Mask:
    """Return whether each served number is the recomputed value of any key, within the precision of float32."""
    single = both["served"].astype("float32")
    return numpy.asarray(single.isin(rows.known(of, single)).to_numpy(dtype=bool))


def _right_values_wrong_rows(both: pd.DataFrame, of: Differences) -> bool:
    """Return whether the differing rows hold the same values on both sides, without relation row by row."""
    served, computed = both["served"], both["computed"]
    if len(both) < 20 or min(served.nunique(), computed.nunique()) < 2:
        return False
    half = len(both) // 2
    if of.kind == "text":
        natural = _variation(computed.iloc[:half], computed.iloc[half:])
        partners = both.groupby("computed", observed=True)["served"].nunique()
        related = computed.nunique() > 2 and float((partners > 1).mean()) <= 0.5
        return natural < 0.5 and not related and _variation(served, computed) <= natural + 0.05
    distance = ks_distance(served.to_numpy(), computed.to_numpy(), 0.01)
    related = computed.nunique() > 2 and abs(served.corr(computed, method="spearman")) > 0.5
    return distance.low == 0.0 and not related


def _variation(left: Any, right: Any) -> float:
    gaps = left.value_counts(normalize=True).sub(right.value_counts(normalize=True), fill_value=0.0)
    return float(gaps.abs().sum()) / 2
