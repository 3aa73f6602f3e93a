from xml.etree import ElementTree as ET

import pytest
from mltestscore.reports.badge.render import COLOURS, render

from .hostile import TEXTS, hostile
from .samples import bare, flights, perfect

SVG = "{http://www.w3.org/2000/svg}"


def test_the_badge_says_score_and_band() -> None:
    badge = ET.fromstring(render(flights()))
    assert [text.text for text in badge.iter(f"{SVG}text")] == ["ML Test Score", "2.5 of 7"]
    title = badge.find(f"{SVG}title")
    assert title is not None
    assert title.text == "ML Test Score: 2.5 of 7. Reasonably tested, but more of it could be automated"


def test_the_colour_follows_the_score() -> None:
    assert COLOURS[0][1] in render(bare())
    assert COLOURS[-1][1] in render(perfect())


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_values_leave_the_badge_well_formed(name: str) -> None:
    badge = ET.fromstring(render(hostile(TEXTS[name])))
    assert {part.tag.removeprefix(SVG) for part in badge.iter()} == {"svg", "title", "clipPath", "rect", "g", "text"}


@pytest.mark.parametrize("colour", [colour for _, colour in COLOURS])
def test_white_text_on_each_colour_has_the_contrast_that_wcag_asks_for(colour: str) -> None:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    light = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (light + 0.05) >= 4.5
