"""How served numbers derive from the recomputed ones: a unit, an offset, a rounding, a default, a clip.

Each function yields candidates: a name, and for which rows it explains the served value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy

from mltestscore.comparison.cause import Candidate, Mask, Numbers, shown

# (what is served from what is computed, factor, offset): exact definitions of the units (NIST SP 811).
UNITS = (
    ("°C computed, °F served", 1.8, 32.0),
    ("°F computed, °C served", 1 / 1.8, -32 / 1.8),
    ("°C computed, K served", 1.0, 273.15),
    ("K computed, °C served", 1.0, -273.15),
    ("miles computed, km served", 1.609344, 0.0),
    ("km computed, miles served", 1 / 1.609344, 0.0),
    ("feet computed, m served", 0.3048, 0.0),
    ("m computed, feet served", 1 / 0.3048, 0.0),
    ("inches computed, cm served", 2.54, 0.0),
    ("cm computed, inches served", 1 / 2.54, 0.0),
    ("pounds computed, kg served", 0.45359237, 0.0),
    ("kg computed, pounds served", 1 / 0.45359237, 0.0),
    ("mph computed, m/s served", 0.44704, 0.0),
    ("m/s computed, mph served", 1 / 0.44704, 0.0),
    ("m/s computed, km/h served", 3.6, 0.0),
    ("km/h computed, m/s served", 1 / 3.6, 0.0),
    ("inHg computed, hPa served", 33.8638866667, 0.0),
    ("hPa computed, inHg served", 1 / 33.8638866667, 0.0),
    ("a thousandfold unit served (m for km, ms for s)", 1000.0, 0.0),
    ("a thousandth unit served (km for m, s for ms)", 0.001, 0.0),
    ("a share computed, per cent served", 100.0, 0.0),
    ("per cent computed, a share served", 0.01, 0.0),
    ("hours computed, minutes served, or minutes and seconds", 60.0, 0.0),
    ("minutes computed, hours served, or seconds and minutes", 1 / 60, 0.0),
    ("hours computed, seconds served", 3600.0, 0.0),
    ("seconds computed, hours served", 1 / 3600, 0.0),
    ("days computed, hours served", 24.0, 0.0),
    ("hours computed, days served", 1 / 24, 0.0),
    ("the sign is turned", -1.0, 0.0),
)
CLOCKS = (("hours", 24.0, 1.0), ("minutes of the day", 1440.0, 60.0), ("HHMM", 2400.0, 100.0))
DEFAULTS = frozenset({0.0, -1.0, *(s * float("9" * k) for k in range(1, 7) for s in (1, -1))} - {9.0})
FUNCTIONS: tuple[tuple[str, Callable[[Numbers], Numbers]], ...] = (
    ("log(1 + x) served", numpy.log1p),
    ("log(x) served", numpy.log),
    ("exp(x) served", numpy.exp),
    ("exp(x) - 1 served", numpy.expm1),
    ("the square root served", numpy.sqrt),
    ("the square served", numpy.square),
    ("the absolute value served", numpy.abs),
    ("1/x served", numpy.reciprocal),
)
STEPS = (0.5, 5.0, 10.0, 50.0, 100.0, 500.0, 1e3, 5e3, 1e4, 1e5, 1e6)
CLOSE = 3e-4


@dataclass(frozen=True)
class Facts:
    """What is known of a feature on all joined rows: the share that differs, and both sides' extent and centre."""

    rate: float = 0.0
    served_low: float = numpy.nan
    served_high: float = numpy.nan
    low: float = numpy.nan
    high: float = numpy.nan
    mean: float = numpy.nan
    median: float = numpy.nan
    deviation: float = numpy.nan


def candidates(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    """Yield what explains the pairs, the most specific first; arrays of shape (n,) with differing, finite values."""
    with numpy.errstate(all="ignore"):
        for explain in (_clipped, _filled, _inverted, _rounded, _units, _clock, _offset, _ratio, _linear, _functions):
            yield from explain(served, computed, facts)


def _close(a: Numbers, b: Numbers, noise: float = 0.0) -> Mask:
    near = numpy.abs(a - b) <= CLOSE * numpy.maximum(numpy.abs(a), numpy.abs(b)) + noise
    return near & numpy.isfinite(a) & numpy.isfinite(b)


def _varied(values: Numbers, least: int) -> bool:
    return len(numpy.unique(values)) >= least


def _most_common(values: Numbers) -> tuple[float, int]:
    support, counts = numpy.unique(values, return_counts=True)
    return float(support[counts.argmax()]), int(counts.max())


def _clipped(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    low, high = facts.served_low, facts.served_high
    if not low < high:
        return
    cut = _close(served, numpy.clip(computed, low, high)) & ((served == low) | (served == high))
    above, below = bool((cut & (computed > high)).any()), bool((cut & (computed < low)).any())
    limits = [f"at most {shown(high)}"] * above + [f"at least {shown(low)}"] * below
    if limits:
        yield f"clipped in serving: {' and '.join(limits)} served", cut


def _filled(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    value, count = _most_common(served)
    if count < 3:
        return
    where = served == value
    instead, same = _most_common(computed[where])
    unused = not facts.low <= value <= facts.high
    if same >= 0.98 * count and facts.rate < 0.5 and same >= 5 and value not in DEFAULTS and not unused:
        yield f"different imputation: {shown(value)} served where {shown(instead)} is computed", where
    near = 0.05 * facts.deviation
    if value in DEFAULTS:
        yield f"default-filled: {shown(value)} served", where
    elif abs(value - facts.median) <= near / 10:
        yield f"default-filled: the median ({shown(value)}) served", where
    elif abs(value - facts.mean) <= near:
        yield f"default-filled: the mean ({shown(value)}) served", where
    else:
        yield f"default-filled: the constant {shown(value)} served", where


def _inverted(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    if facts.rate > 0.98 and facts.low == 0 and facts.high == 1:
        yield "inverted: 1 - x served", served == 1 - computed


def _rounded(served: Numbers, computed: Numbers, _: Facts) -> Iterator[Candidate]:
    yield from _rounding(served, computed, "in serving")
    yield from _rounding(computed, served, "in the training path")


def _rounding(coarse: Numbers, fine: Numbers, side: str) -> Iterator[Candidate]:
    yield f"truncated to whole numbers {side}", coarse == numpy.trunc(fine)
    for digits in range(7):
        mask = numpy.abs(coarse - numpy.round(fine, digits)) <= 1e-9 * numpy.abs(fine)
        yield f"rounded to {digits} decimals {side}", mask & (numpy.round(fine, digits) != fine)
    yield f"rounded down {side}", coarse == numpy.floor(fine)
    yield f"rounded up {side}", coarse == numpy.ceil(fine)
    for step in STEPS if _varied(coarse, 3) else ():
        whole = fine / step
        yield f"rounded to multiples of {shown(step)} {side}", coarse == numpy.round(whole) * step
        yield f"cut to multiples of {shown(step)} {side}", coarse == numpy.floor(whole) * step
    half = fine.astype(numpy.float16).astype(numpy.float64)
    yield (
        f"half precision (float16) {side}",
        numpy.isfinite(half) & (numpy.abs(coarse - half) <= 1e-7 * numpy.abs(half)),
    )


def _units(served: Numbers, computed: Numbers, _: Facts) -> Iterator[Candidate]:
    if not _varied(computed, 3):
        return
    noise = _grain(served)
    for unit, factor, offset in UNITS:
        ratio = f"constant ratio {shown(round(factor, 6))}" if factor != 1 else ""
        shift = f"constant offset {shown(round(offset, 4))}" if offset else ""
        mask = _close(served, factor * computed + offset, noise)
        yield f"unit: {' and '.join(part for part in (ratio, shift) if part)}: {unit}", mask


def _grain(served: Numbers) -> float:
    """Half of the last decimal that is served: what a conversion may lose by rounding; 0 where values are small."""
    for digits in range(4):
        if numpy.array_equal(served, numpy.round(served, digits)):
            half = 0.51 * 10.0**-digits
            return half if float(numpy.median(numpy.abs(served))) > 40 * half else 0.0
    return 0.0


def _clock(served: Numbers, computed: Numbers, _: Facts) -> Iterator[Candidate]:
    whole = numpy.array_equal(served, numpy.trunc(served)) and numpy.array_equal(computed, numpy.trunc(computed))
    for name, period, hour in CLOCKS:
        both = numpy.concatenate([served, computed])
        if not whole or both.min() < 0 or both.max() > period or numpy.ptp(computed) < 0.7 * period:
            continue
        turned = numpy.mod(served - computed, period)
        shift = _most_common(turned)[0]
        hours = (shift if shift <= period / 2 else shift - period) / hour
        wrapped = (turned == shift) & (numpy.abs(served - computed) != abs(hours * hour))
        if hours and (2 * hours).is_integer() and wrapped.any():
            yield f"time zone: {hours:+g} h in serving ({name})", turned == shift


def _offset(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    if not _varied(computed, 2):
        return
    shift = served - computed
    centre = float(numpy.median(shift))
    mask = numpy.abs(shift - centre) <= 1e-6 * max(abs(centre), facts.deviation if facts.deviation > 0 else 0.0)
    hours = centre / 3600
    if abs(centre) == 1:
        yield f"constant offset {shown(centre)}: off by one", mask
    elif hours and abs(hours) <= 14 and (4 * hours).is_integer():
        yield f"constant offset {shown(centre)}: time zone, {hours:+g} h in seconds", mask
    else:
        yield f"constant offset {shown(centre)}", mask


def _ratio(served: Numbers, computed: Numbers, _: Facts) -> Iterator[Candidate]:
    usable = computed != 0
    if not usable.any() or not _varied(computed[usable], 2):
        return
    ratio = float(numpy.median(served[usable] / computed[usable]))
    if ratio != 0:
        yield f"constant ratio {shown(round(ratio, 9))}", _close(served, ratio * computed)


def _linear(served: Numbers, computed: Numbers, facts: Facts) -> Iterator[Candidate]:
    if not _varied(computed, 4) or len(computed) < 6:
        return
    order = numpy.argsort(computed, kind="stable")
    x, y, half = computed[order], served[order], len(computed) // 2
    run = x[half : 2 * half] - x[:half]
    slopes = (y[half : 2 * half] - y[:half])[run > 0] / run[run > 0]
    if not len(slopes):
        return
    slope = float(numpy.median(slopes))
    offset = float(numpy.median(served - slope * computed))
    mask = numpy.abs(served - slope * computed - offset) <= CLOSE * numpy.abs(slope) * max(float(numpy.std(x)), 1e-12)
    if abs(slope * facts.deviation - 1) < 0.1 and abs(slope * facts.mean + offset) < 0.1:
        yield "standardised in serving only: (x - mean) / standard deviation", mask
    elif slope != 0:
        yield f"linear: {shown(slope)} x {'+' if offset >= 0 else '-'} {shown(abs(offset))} served", mask


def _functions(served: Numbers, computed: Numbers, _: Facts) -> Iterator[Candidate]:
    if not _varied(computed, 3):
        return
    for name, function in FUNCTIONS:
        yield f"transformed: {name}", _close(served, function(computed))
        yield (
            f"transformed in the training path: {name.replace('served', 'computed')}",
            _close(computed, function(served)),
        )
