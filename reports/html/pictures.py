"""The page's own small pictures: a finding against its limit, the trend of the score, the gauge of a section.

They are drawn here, as SVG of a few hundred bytes each, because the page must open from an e-mail without a request
and stay under 300 KB: a charting library inlined at run time is several times that on its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from mltestscore.result import FindingRecord
from mltestscore.scorecard import SectionScore, TrendPoint
from mltestscore.words.figures import number, points, share_scale, with_unit

from .svg import Scale, element, line, picture, rounded_ends, scale, short

WIDTH, HEIGHT = 240, 20
MIDDLE = HEIGHT / 2
INSET = 6
"""Room for half a mark at either end."""
REACH = 4.5
"""Half the size of a mark."""


def finding_scale(findings: Sequence[FindingRecord]) -> Scale:
    """Return the scale shared by all findings of one name: values, limits, intervals and previous values, ends rounded.

    It begins at 0 where that costs little room, because a reader takes the left end for nothing.
    """
    values = [
        part
        for finding in findings
        for part in (finding.value, finding.low, finding.high, finding.floor, finding.ceiling, finding.previous)
    ]
    rough = scale(values, INSET, WIDTH - INSET)
    low = 0.0 if rough.low >= 0 and rough.low < rough.high / 2 else rough.low
    low, high = rounded_ends(low, rough.high) if any(value is not None for value in values) else (0.0, 1.0)
    return Scale(low, high, INSET, WIDTH - INSET)


def scale_ends(shared: Scale, unit: str) -> tuple[str, str]:
    """Return the values at the picture's left and right edge, as shown above a column of pictures."""
    factor = share_scale(unit)
    return number(float(f"{shared.low * factor:.6g}")), number(float(f"{shared.high * factor:.6g}"))


def finding_picture(finding: FindingRecord, shared: Scale) -> Markup:
    """Draw point, interval, limit and the previous run's point (hollow); the tinted part of the line is allowed.

    Nothing is drawn of an exact count that may not be other than it is: one point on its limit shows nothing.
    """
    if (
        finding.low == finding.value == finding.high
        and finding.value in (finding.floor, finding.ceiling)
        and not _moved(finding)
    ):
        return Markup("")
    parts = [_allowed(finding, shared), element("path", d=f"M0 {MIDDLE:.0f}H{WIDTH}", class_="t")]
    parts += [
        element("path", d=f"M{_pixel(shared(limit))} 1V{HEIGHT - 1}", class_="l")
        for limit in (finding.floor, finding.ceiling)
        if limit is not None
    ]
    if finding.value is not None and not finding.low == finding.value == finding.high:
        parts.append(_interval(finding, shared))
    if _moved(finding):
        parts.append(element("circle", cx=round(shared(finding.previous or 0.0), 1), cy=MIDDLE, r=3.6, class_="p"))
    if finding.value is not None:
        parts.append(_mark(finding.verdict, round(shared(finding.value), 1)))
    return picture(WIDTH, HEIGHT, _spoken(finding), *parts, class_="f")


def sparkline(trend: Sequence[TrendPoint], now: float, maximum: float) -> Markup:
    """Draw the earlier scores and today's, on the whole range from 0 to the maximum."""
    values = [point.value for point in trend] + [now]
    across, up = Scale(0, max(1, len(values) - 1), 4, 116), Scale(0, maximum or 1, 36, 4)
    path = [(across(index), up(value)) for index, value in enumerate(values)]
    label = "Score of the last runs: " + ", ".join(map(points, values))
    return picture(
        120,
        40,
        label,
        element("path", d="M4 36H116", class_="t"),
        element("path", d=line(path), class_="c"),
        element("circle", cx=path[-1][0], cy=path[-1][1], r=3.5, class_="n"),
        class_="spark",
    )


def gauge(section: SectionScore, score: float) -> Markup:
    """Draw a section's sum on its range, with a mark where the score (the minimum of the sections) lies."""
    along = Scale(0, section.maximum or 1, 0, 140)
    label = f"{section.title}: {points(section.value)} of {number(section.maximum)}"
    return picture(
        140,
        10,
        label,
        element("rect", x=0, y=3, width=140, height=4, rx=2, class_="t"),
        element("rect", x=0, y=3, width=along(section.value), height=4, rx=2, class_="c"),
        element("path", d=f"M{along(score):.1f} 0V10", class_="l"),
        class_="gauge",
    )


def _allowed(finding: FindingRecord, shared: Scale) -> Markup:
    if finding.floor is None and finding.ceiling is None:
        return Markup("")
    left = shared(finding.floor) if finding.floor is not None else 0
    right = shared(finding.ceiling) if finding.ceiling is not None else WIDTH
    return element("rect", x=round(left, 1), y=4, width=round(right - left, 1), height=HEIGHT - 8, class_="z")


def _interval(finding: FindingRecord, shared: Scale) -> Markup:
    """Draw the interval with end caps; an open end runs to the picture's edge without a cap."""
    low = shared(finding.low) if finding.low is not None else 0
    high = shared(finding.high) if finding.high is not None else WIDTH
    caps = "".join(
        f"M{_pixel(end)} {MIDDLE - 4:.0f}v8"
        for end, known in ((low, finding.low), (high, finding.high))
        if known is not None
    )
    return element("path", d=f"M{_pixel(low)} {MIDDLE:.0f}H{_pixel(high)}{caps}", class_="i")


def _mark(verdict: str, x: float) -> Markup:
    """Draw the shape of a verdict: a disc when passed, a cross when failed, a diamond when inconclusive."""
    if verdict == "failed":
        left, top = x - REACH, MIDDLE - REACH
        return element("path", d=f"M{_pixel(left)} {_pixel(top)}l9 9m0-9l-9 9", class_=verdict)
    if verdict == "inconclusive":
        return element("path", d=f"M{_pixel(x - 5)} {MIDDLE:.0f}l5-5 5 5-5 5z", class_=verdict)
    return element("circle", cx=x, cy=MIDDLE, r=REACH, class_=verdict)


def _moved(finding: FindingRecord) -> bool:
    return finding.previous is not None and finding.previous != finding.value


def _pixel(value: float) -> str:
    return short(round(value, 1))


def _spoken(finding: FindingRecord) -> str:
    """Return what the picture alone says: the cells beside it hold value, interval and limit already."""
    if finding.previous is None or not _moved(finding):
        return ""
    return f"previous run {with_unit(number(finding.previous * share_scale(finding.unit)), finding.unit)}"
