"""Drawing by numbers: escaped SVG elements, scales and round tick values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Point = tuple[float, float]

LARGEST = 1e290
"""Numbers beyond this, and differences below its inverse, are not drawn: their arithmetic leaves the floats."""


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """Return one element; text and attribute values are escaped, ``None`` leaves an attribute out.

    ``class_`` gives ``class``; any other underscore a hyphen, except in ``viewBox``, which has none.

    >>> str(element("text", "a<b", x=1.25, class_="tick"))
    '<text x="1.25" class="tick">a&lt;b</text>'
    """
    text = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), short(value) if _is_number(value) else value)
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    tag = Markup(name)  # names are ours, never data
    return Markup("<{0}{1}>{2}</{0}>").format(tag, text, inside) if inside else Markup("<{0}{1}/>").format(tag, text)


def picture(width: float, height: float, label: str, *children: Markup, class_: str = "") -> Markup:
    """Return an ``<svg>`` that a screen reader announces as ``label``, or passes over where that is empty."""
    return element(
        "svg",
        *([element("title", label)] if label else []),
        *children,
        class_=class_ or None,
        viewBox=f"0 0 {short(width)} {short(height)}",
        role="img" if label else None,
        aria_hidden=None if label else "true",
    )


def line(points: Iterable[Point]) -> str:
    """Return the path data of a polyline."""
    return "".join(f"{'L' if index else 'M'}{short(x)} {short(y)}" for index, (x, y) in enumerate(points))


def short(value: object) -> str:
    """Return a coordinate with at most two decimals and no superfluous zero: a page holds thousands of them."""
    assert isinstance(value, int | float)
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` (``low < high``) on pixels ``start`` to ``end``; values outside are clipped."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def scale(values: Iterable[float | None], start: float, end: float, *, pad: float = 0.0) -> Scale:
    """Return the scale that holds all finite values, with ``pad`` of its width as margin on both sides."""
    finite = [value for value in values if value is not None and abs(value) < LARGEST]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= max(1e-12 * max(abs(low), abs(high)), 1 / LARGEST):
        reach = abs(low) / 2 or 0.5
        low, high = (0.0, 1.0) if low == 0 == high else (low - reach, high + reach)
    margin = (high - low) * pad
    return Scale(low - margin, high + margin, start, end)


def rounded_ends(low: float, high: float) -> tuple[float, float]:
    """Return the range widened to round values.

    >>> rounded_ends(0, 0.054)
    (0.0, 0.06)
    """
    step = _step(low, high, 8)
    return _multiple(math.floor(low / step + 1e-9), step), _multiple(math.ceil(high / step - 1e-9), step)


def ticks(low: float, high: float, about: int = 4) -> Sequence[float]:
    """Return round values between ``low`` and ``high``, steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    if not 1 / LARGEST < high - low < LARGEST:
        return [low]
    step = _step(low, high, about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_multiple(index, step) for index in range(first, last + 1)]


def _step(low: float, high: float, about: int) -> float:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.8)


def _multiple(index: int, step: float) -> float:
    """Return a multiple of a round step without the noise of binary fractions (0.6000000000000001)."""
    return float(f"{index * step:.12g}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
