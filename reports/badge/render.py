"""The score as a badge: a static SVG of twenty pixels' height, without script, font or request."""

from __future__ import annotations

from html import escape

from mltestscore.scorecard import Scorecard
from mltestscore.words.figures import number, points
from mltestscore.words.tame import tame

LABEL, LABEL_WIDTH = "ML Test Score", 94
VALUE_WIDTH = 56

COLOURS = ((1.0, "#a93d00"), (2.0, "#8c5a00"), (3.0, "#00618f"), (7.0, "#00694d"))
"""Highest score of each colour: red and amber, blue, green by Okabe and Ito, darkened until white on them has a
contrast above 4.5 (WCAG 2.1, 1.4.3)."""


def render(scorecard: Scorecard) -> str:
    """Return ``badge.svg``; the band is its title, which a screen reader says and a pointer shows."""
    card = tame(scorecard)
    score = card.score
    value = f"{points(score.value)} of {number(score.maximum)}"
    colour = next((colour for highest, colour in COLOURS if score.value <= highest), COLOURS[-1][1])
    title = escape(f"{LABEL}: {value}. {score.band}")
    width = LABEL_WIDTH + VALUE_WIDTH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#round)"><rect width="{LABEL_WIDTH}" height="20" fill="#3f4247"/>'
        f'<rect x="{LABEL_WIDTH}" width="{VALUE_WIDTH}" height="20" fill="{colour}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle">'
        f"{_text(LABEL, LABEL_WIDTH / 2, LABEL_WIDTH - 14)}"
        f"{_text(value, LABEL_WIDTH + VALUE_WIDTH / 2, VALUE_WIDTH - 14)}</g></svg>\n"
    )


def _text(text: str, middle: float, length: int) -> str:
    """Return a text that takes the same room whatever font the reader has."""
    return f'<text x="{middle:g}" y="14" textLength="{length}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
