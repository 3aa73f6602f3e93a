"""A check's typed details as HTML and SVG: tables, lines over a common x, two distributions, texts.

The data may come from an old or foreign file, so what does not fit its kind is said, never raised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mltestscore.result import DetailRecord
from mltestscore.words.figures import number, plural

from .svg import Point, Scale, element, line, picture, scale, ticks

WIDTH, HEIGHT = 420, 180
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 34
PICTURES = ("series", "histograms")
MAX_LINES = 6
"""Lines are told apart by colour and dash; beyond six a reader cannot."""
MAX_CATEGORIES = 12
MAX_CELL = 80


@dataclass(frozen=True)
class Caps:
    """How much of a detail is shown, so that the page keeps its size: rows of a table, points of a line, characters."""

    rows: int = 15
    points: int = 140
    characters: int = 2_000


@dataclass(frozen=True)
class Figure:
    """A detail ready to print.

    ``keys`` names the lines or sides in the order of their colours ``k0``, ``k1``, …; ``marks`` says how each is drawn:
    ``s`` as a stroke, ``h`` as a filled shape.
    """

    kind: str
    title: str
    body: Markup
    keys: Sequence[str] = ()
    note: str = ""
    marks: str = "s" * MAX_LINES


def figure(detail: DetailRecord, caps: Caps) -> Figure:
    """Return the detail as HTML; one whose data do not fit its kind becomes a sentence that says so."""
    draw = {"table": _table, "series": _series, "histograms": _histograms, "text": _text}[detail.kind]
    try:
        return draw(detail.title, detail.data, caps)
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, AttributeError) as error:
        said = f"The data of this {detail.kind} do not fit its kind ({type(error).__name__}) and are not shown."
        return Figure("text", detail.title, element("p", said))


def _table(title: str, data: dict[str, Any], caps: Caps) -> Figure:
    columns, rows = list(data["columns"]), [list(row) for row in data["rows"]]
    numeric = [all(isinstance(row[index], int | float | None) for row in rows) for index in range(len(columns))]
    head = element("tr", *(element("th", _cell(column), scope="col") for column in columns))
    body = [
        element("tr", *(element("td", _cell(value)) for value, _ in zip(row, columns, strict=True)))
        for row in rows[: caps.rows]
    ]
    hidden = max(0, len(rows) - caps.rows)
    more = hidden + int(data.get("left_out", 0))
    note = (
        f"{plural(more, 'more row')}{'; ' + str(hidden) + ' of them in scorecard.json' if hidden else ''}."
        if more
        else ""
    )
    # One class a column of numbers, on the table: a class on each of their cells is a tenth of a whole page.
    right = " ".join(f"r{index}" for index, is_number in enumerate(numeric, 1) if is_number)
    whole = element("table", element("thead", head), element("tbody", *body), class_=right or None)
    return Figure("table", title, whole, note=note)


def _text(title: str, data: dict[str, Any], caps: Caps) -> Figure:
    body = data["body"]
    if not isinstance(body, str):
        raise TypeError("the body of a text is a string")
    rest = len(body) - caps.characters
    note = f"{rest:,} more characters in scorecard.json." if rest > 0 else ""
    return Figure("text", title, element("pre", body[: caps.characters]), note=note)


def _series(title: str, data: dict[str, Any], caps: Caps) -> Figure:
    x, lines = _numbers(data["x"]), {str(name): _numbers(values) for name, values in data["lines"].items()}
    step = max(1, -(-len(x) // caps.points))
    across = scale(x, LEFT, WIDTH - RIGHT)
    up = scale((value for values in lines.values() for value in values), HEIGHT - BOTTOM, TOP, pad=0.05)
    drawn = list(lines.items())[:MAX_LINES]
    paths = [
        element("path", d=_broken_line(x[::step], values[::step], across, up), class_=f"s k{index}")
        for index, (_, values) in enumerate(drawn)
    ]
    body = picture(
        WIDTH, HEIGHT, title, *_y_axis(up, str(data.get("y_name", ""))), *_x_axis(across, str(data["x_name"])), *paths
    )
    left = len(lines) - len(drawn)
    return Figure(
        "series",
        title,
        body,
        [name for name, _ in drawn],
        f"{plural(left, 'more line')} in scorecard.json." if left else "",
    )


def _histograms(title: str, data: dict[str, Any], caps: Caps) -> Figure:
    left = [value or 0.0 for value in _numbers(data["left"])]
    right = [value or 0.0 for value in _numbers(data["right"])]
    names = [str(data["left_name"]), str(data["right_name"])]
    if data.get("categories"):
        body, hidden = _bars(title, [str(name) for name in data["categories"]], left, right)
        note = f"{hidden} rarer categories in scorecard.json." if hidden else ""
        return Figure("histograms", title, body, names, note, marks="hh")
    edges = [value for value in _numbers(data["edges"]) if value is not None]
    across = scale(edges, LEFT, WIDTH - RIGHT)
    up = scale([0.0, *left, *right], HEIGHT - BOTTOM, TOP)
    filled = f"{_steps(edges, left, across, up)}V{up(0):.1f}H{across(edges[0]):.1f}z"
    parts = [
        *_y_axis(up, "share"),
        *_x_axis(across, ""),
        element("path", d=filled, class_="h k0"),
        element("path", d=_steps(edges, right, across, up), class_="s k1"),
    ]
    return Figure("histograms", title, picture(WIDTH, HEIGHT, title, *parts), names, marks="hs")


def _bars(title: str, names: Sequence[str], left: Sequence[float], right: Sequence[float]) -> tuple[Markup, int]:
    """Draw two bars a category, the commonest first; returns the picture and how many categories are not drawn."""
    rows = sorted(zip(names, left, right, strict=True), key=lambda row: -max(row[1], row[2]))[:MAX_CATEGORIES]
    along = scale([0.0, *(value for row in rows for value in row[1:])], 120, WIDTH - 52)
    parts = []
    for index, (name, one, other) in enumerate(rows):
        top = index * 26 + 4
        parts.append(element("text", _cut(name, 16), x=112, y=top + 14, class_="tick end"))
        for offset, value, mark in ((0, one, "h k0"), (10, other, "h k1")):
            parts.append(element("rect", x=120, y=top + offset, width=along(value) - 120, height=9, class_=mark))
        parts.append(
            element(
                "text",
                f"{_per_cent(one)} · {_per_cent(other)}",
                x=along(max(one, other)) + 5,
                y=top + 13,
                class_="tick",
            )
        )
    return picture(WIDTH + 40, len(rows) * 26 + 4, title, *parts), len(names) - len(rows)


def _x_axis(across: Scale, name: str) -> list[Markup]:
    base = HEIGHT - BOTTOM
    parts = [element("path", d=f"M{LEFT} {base}H{WIDTH - RIGHT}", class_="axis")]
    for value in ticks(across.low, across.high, 5):
        parts.append(element("text", number(value), x=round(across(value), 1), y=base + 14, class_="tick mid"))
    if name:
        parts.append(element("text", _cut(name, 60), x=WIDTH - RIGHT, y=HEIGHT - 4, class_="tick end"))
    return parts


def _y_axis(up: Scale, name: str) -> list[Markup]:
    parts = []
    for value in ticks(up.low, up.high, 3):
        y = round(up(value), 1)
        parts.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="grid"))
        shown = number(value * 100) + "\u202f%" if name == "share" else number(value)
        parts.append(element("text", shown, x=LEFT - 6, y=y + 4, class_="tick end"))
    if name and name != "share":
        parts.append(element("text", _cut(name, 60), x=LEFT + 4, y=TOP + 2, class_="tick"))
    return parts


def _steps(edges: Sequence[float], heights: Sequence[float], across: Scale, up: Scale) -> str:
    parts = [f"M{across(edges[0]):.1f} {up(0):.1f}"]
    for end, height in zip(edges[1:], heights, strict=True):
        parts.append(f"V{up(height):.1f}H{across(end):.1f}")
    return "".join(parts)


def _broken_line(x: Sequence[float | None], y: Sequence[float | None], across: Scale, up: Scale) -> str:
    """Return the path through the known points, with a gap where a value is missing; a lone point becomes a dot."""
    runs: list[list[Point]] = [[]]
    for at, value in zip(x, y, strict=True):
        if at is None or value is None:
            runs.append([])
        else:
            runs[-1].append((round(across(at), 1), round(up(value), 1)))
    return "".join(line(run if len(run) > 1 else run * 2) for run in runs if run)


def _numbers(values: Sequence[Any]) -> list[float | None]:
    parsed = [None if value is None else float(value) for value in values]
    return [value if value is not None and math.isfinite(value) else None for value in parsed]


def _per_cent(value: float) -> str:
    return number(value * 100, 1) + "\u202f%"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else _cut(str(value))


def _cut(text: str, longest: int = MAX_CELL) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
