"""Numbers as a reader expects them: as many digits as the interval supports, shares as per cent, units said once."""

from __future__ import annotations

import math
from datetime import datetime

from mltestscore.result import FindingRecord

EXACT_DIGITS = 4
"""Significant digits of a value without an interval: enough to tell it from its limit, few enough to read."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def places(low: float | None, high: float | None) -> int | None:
    """Return the decimal places that an interval supports (negative: tens, hundreds), ``None`` without a finite width.

    The half-width is shown with one significant digit, with two where it begins with 1 to 3.54: the rule of the
    Particle Data Group (Review of Particle Physics, Introduction, section 5.3).

    >>> places(4.3, 5.5), places(3800, 4600), places(1, 1)
    (1, -2, None)
    """
    if low is None or high is None or not 0 < high - low < math.inf:
        return None
    half = (high - low) / 2
    exponent = math.floor(math.log10(half))
    return -exponent + (1 if half / 10**exponent < 3.55 else 0)


def number(value: float | None, decimals: int | None = None) -> str:
    """Return a number for a reader: thousands in groups, a true minus sign, powers of ten where zeros would mislead.

    >>> number(6512), number(-17.777, 1), number(0.000012), number(None)
    ('6,512', '−17.8', '1.2×10⁻⁵', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    tiny = abs(value) < 1e-4 and (decimals is None or decimals > 6)
    if value and (tiny or abs(value) >= 1e9):
        text = _power_of_ten(value)
    elif decimals is None:
        text = _exact(value)
    else:
        text = f"{round(value, decimals):,.{max(0, decimals)}f}"
        text = text.lstrip("-") if not text.strip("-0.") else text
    return text.replace("-", "−")


def share_scale(unit: str) -> float:
    """Return what a value is multiplied with before it is shown: shares become per cent."""
    return 100.0 if unit == "share" else 1.0


def sign(unit: str) -> str:
    """Return the unit as it is printed: ``"%"`` for a share."""
    return "%" if unit == "share" else unit


def with_unit(text: str, unit: str) -> str:
    """Return a shown number followed by its unit, held together by a narrow no-break space."""
    return f"{text}\u202f{sign(unit)}" if unit and text != "–" else text


def value_text(finding: FindingRecord) -> str:
    """Return the point estimate without its unit, rounded to what its interval supports."""
    return _scaled(finding, finding.value)


def interval_text(finding: FindingRecord) -> str:
    """Return the interval without its unit, ``""`` for an exact count; open ends are said in words.

    >>> interval_text(FindingRecord(name="x", value=0.049, low=0.043, high=0.055, unit="share", verdict="failed"))
    '4.3 to 5.5'
    """
    if finding.value is None or finding.low == finding.high == finding.value:
        return ""
    low, high = _scaled(finding, finding.low), _scaled(finding, finding.high)
    if finding.low is None and finding.high is None:
        return "unbounded"
    if finding.high is None:
        return f"{low} or more"
    return f"up to {high}" if finding.low is None else f"{low} to {high}"


def limit_text(finding: FindingRecord) -> str:
    """Return the limit in words and without its unit: "at most 0.1", "at least 0.8", "0 to 1"."""
    scale = share_scale(finding.unit)
    floor = number(finding.floor * scale) if finding.floor is not None else ""
    ceiling = number(finding.ceiling * scale) if finding.ceiling is not None else ""
    if floor and ceiling:
        return f"{floor} to {ceiling}"
    return f"at least {floor}" if floor else f"at most {ceiling}" if ceiling else ""


def credit(value: float) -> str:
    """Return an item's credit: ``"0"``, ``"½"``, ``"1"``."""
    return {0.0: "0", 0.5: "½", 1.0: "1"}.get(value, number(value))


def points(value: float) -> str:
    """Return a score or a section's sum with one decimal."""
    return number(value, 1)


def seconds(value: float) -> str:
    r"""Return a duration.

    >>> seconds(0.00002), seconds(0.0421), seconds(48.2), seconds(200)
    ('<\u202f0.01\u202fs', '0.042\u202fs', '48\u202fs', '3\u202fmin\u202f20\u202fs')
    """
    if 0 < value < 0.01:
        return "<\u202f0.01\u202fs"
    if value >= 120:
        return f"{int(value) // 60}\u202fmin\u202f{int(value) % 60}\u202fs"
    return f"{value:.0f}\u202fs" if value >= 10 else f"{value:.1f}\u202fs" if value >= 1 else f"{value:.2g}\u202fs"


def moment(started: str) -> str:
    """Return a UTC time stamp to the minute; text that is no time stamp comes back as it is.

    >>> moment("2026-11-22T14:03:11+00:00"), moment("yesterday")
    ('2026-11-22 14:03 UTC', 'yesterday')
    """
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return started


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> plural(1, "fault"), plural(12_000, "row"), plural(2, "proxy", "proxies")
    ('1 fault', '12,000 rows', '2 proxies')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _scaled(finding: FindingRecord, part: float | None) -> str:
    if part is None:
        return "–"
    scale = share_scale(finding.unit)
    low, high = (None if end is None else end * scale for end in (finding.low, finding.high))
    value = finding.value
    if value is not None and low is None and high is not None:
        low = 2 * value * scale - high  # one open end: the finite side alone says how well the value is known
    elif value is not None and high is None and low is not None:
        high = 2 * value * scale - low
    return number(part * scale, places(low, high))


def _exact(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    decimals = max(0, EXACT_DIGITS - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _power_of_ten(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"
