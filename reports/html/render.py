"""The scorecard as one HTML file: no request to anywhere, readable without JavaScript, small enough to mail.

Every value comes from a system under test and is hostile: it is tamed (:mod:`mltestscore.words.tame`), escaped by
Jinja, and a content security policy allows this page's own style and script by their digests and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mltestscore.scorecard import Scorecard
from mltestscore.words import figures, states, tame

from .details import Caps
from .page import Fullness, Page, beside, coded, web_address

HERE = Path(__file__).parent
LARGEST = 300_000
"""Bytes: what a mail gateway and a pull request's artefact viewer take without a question."""

LEAN = "To keep this page under 300 KB, pictures and rows that agree are left out; scorecard.json holds them all."
SHORT = Caps(rows=5, points=50, characters=400)
FULLNESS = (
    Fullness(findings=25, caps=Caps()),
    Fullness(findings=10, caps=Caps(rows=8, points=80, characters=800), figures_of_passed=4, note=LEAN),
    Fullness(5, SHORT, figures_of_passed=2, note=LEAN),
    Fullness(4, SHORT, figures_of_passed=1, note=LEAN),
    Fullness(4, SHORT, figures_of_passed=1, about_passed=False, note=LEAN),
    Fullness(4, SHORT, groups=12, figures=1, figures_of_passed=1, about_passed=False, note=LEAN),
    Fullness(4, SHORT, groups=12, figures=1, figures_of_passed=0, about=False, note=LEAN),
    Fullness(1, Caps(), groups=3, figures=0, figures_of_passed=0, about=False, longest=80, note=LEAN),
)
"""Tried in this order until the page is small enough."""


def render(scorecard: Scorecard) -> str:
    """Return the page as text; the same scorecard gives the same bytes."""
    page = ""
    for fullness in FULLNESS:
        page = _page(tame.tame(scorecard, fullness.longest), fullness)
        if len(page.encode()) <= LARGEST:
            break
    return page


def _page(card: Scorecard, fullness: Fullness) -> str:
    style, script = _style(), _script()
    template = environment().get_template("scorecard.html.j2")
    return template.render(
        page=Page(card, fullness),
        card=card,
        style=Markup(style),  # our own files, and refused below if they could end their element
        script=Markup(script),
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


@cache
def environment() -> Environment:
    """Return the templates with their filters: what they print is escaped unless we made it."""
    templates = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "number": figures.number,
        "points": figures.points,
        "credit": figures.credit,
        "seconds": figures.seconds,
        "moment": figures.moment,
        "sentence": states.sentence,
        "coded": coded,
    }
    templates.globals |= {
        "plural": figures.plural,
        "renewed": states.renewed,
        "states": states.STATES,
        "section_names": states.SECTIONS,
        "web_address": web_address,
        "beside": beside,
    }
    return templates


@cache
def _style() -> str:
    return "\n".join((HERE / name).read_text("utf-8") for name in ("colours.css", "scorecard.css", "print.css"))


@cache
def _script() -> str:
    return (HERE / "scorecard.js").read_text("utf-8")


def _digest(text: str) -> str:
    """Return what a content security policy calls a hash source, of exactly the text between the tags."""
    assert "</" not in text, "a style or script of ours must not hold an end tag"
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
