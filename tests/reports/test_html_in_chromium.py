"""The page in a real browser: nothing leaves, nothing runs that is not ours, and it works by keyboard and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from mltestscore.reports.html.render import render
from playwright.sync_api import Browser

from .chromium import launched, visit
from .hostile import TEXTS, hostile, hostile_ids
from .samples import bare, flights, huge

GLOBALS = "Object.getOwnPropertyNames(window)"
WORST = {"script", "attribute", "address", "template", "control", "backwards", "markdown", "long"}
ITEM = '[id="{}"]'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "scorecard.html"
    file.write_text(render(flights()), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "name", [name if name in WORST else pytest.param(name, marks=pytest.mark.slow) for name in TEXTS]
)
def test_hostile_values_are_inert_in_every_field(browser: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / "scorecard.html"
    file.write_text(render(hostile(TEXTS[name])), encoding="utf-8")
    with visit(browser, file) as seen:
        seen.page.click("#unfold")
        seen.page.evaluate("document.querySelectorAll('*').forEach(part => part.dispatchEvent(new Event('mouseover')))")
        assert seen.offences == []
        assert seen.page.evaluate("'pwned' in window") is False
        assert seen.page.evaluate("document.querySelectorAll('script, img, iframe, object, style').length") == 2
        inline = (
            "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
        )
        assert seen.page.evaluate(inline) == []
        unsafe = "[...document.querySelectorAll('a')].filter(a => !/^(#|https?:)/.test(a.getAttribute('href'))).length"
        assert seen.page.evaluate(unsafe) == 0
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["script", "control", "attribute"])
def test_hostile_item_ids_are_inert(browser: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / "scorecard.html"
    file.write_text(render(hostile_ids(TEXTS[name])), encoding="utf-8")
    with visit(browser, file) as seen:
        seen.page.locator(".items a").first.click()
        assert seen.offences == []
        assert seen.page.evaluate("'pwned' in window") is False


def test_the_page_sets_no_global_name(browser: Browser, page_file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><title>x</title>", encoding="utf-8")
    with visit(browser, empty) as seen:
        before = set(seen.page.evaluate(GLOBALS))
    with visit(browser, page_file) as seen:
        assert set(seen.page.evaluate(GLOBALS)) - before == set()
        assert seen.offences == []


def test_without_javascript_the_page_reads_the_same(browser: Browser, page_file: Path) -> None:
    words = "Array.from(document.querySelectorAll('header, main, footer')).map(e => e.textContent).join()"
    with visit(browser, page_file) as scripted, visit(browser, page_file, java_script_enabled=False) as plain:
        heading = [one.page.locator("h1").text_content() for one in (plain, scripted)]
        assert heading == ["Score: 2.5 of 7"] * 2
        assert plain.page.locator("text=rows that differ").first.is_visible()
        assert plain.page.locator("button").evaluate_all("all => all.every(b => b.hidden)")
        theme = scripted.page.locator("#theme").inner_text()
        assert theme == "Dark"
        assert plain.page.evaluate(words) == scripted.page.evaluate(words)
        assert plain.offences == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_permalink_unfolds_its_item(browser: Browser, page_file: Path, scripts: bool) -> None:
    with visit(browser, page_file, "#data.1", java_script_enabled=scripts) as seen:
        assert seen.page.locator(ITEM.format("data.1")).is_visible()
        assert not seen.page.locator(ITEM.format("data.2")).is_visible()
        box = seen.page.locator(ITEM.format("data.1")).bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 900


def test_a_mark_in_a_gauge_leads_to_its_item_and_gives_it_the_keyboard(browser: Browser, page_file: Path) -> None:
    with visit(browser, page_file) as seen:
        seen.page.locator('.items a[href="#model.5"]').click()
        assert seen.page.locator(ITEM.format("model.5")).is_visible()
        seen.page.wait_for_function("document.activeElement.textContent.includes('model.5')")


def test_the_keyboard_reaches_and_unfolds_everything(browser: Browser, page_file: Path) -> None:
    with visit(browser, page_file) as seen:
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the results"
        assert seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_function("document.activeElement.id === 'results'")
        seen.page.locator(".group.passed > details > summary").focus()
        seen.page.keyboard.press("Enter")
        seen.page.keyboard.press("j")
        seen.page.locator(".group.passed .item > summary").first.focus()
        seen.page.keyboard.press("j")
        assert "data.2" in seen.page.evaluate("document.activeElement.textContent")
        seen.page.keyboard.press("Space")
        assert seen.page.locator(ITEM.format("data.2")).is_visible()


def test_every_item_is_a_heading_below_that_of_its_group(browser: Browser, page_file: Path) -> None:
    with visit(browser, page_file) as seen:
        levels = seen.page.locator("main :is(h1, h2, h3)").evaluate_all("all => all.map(h => h.tagName).join(' ')")
    assert levels.count("H3") == 28
    assert levels.startswith("H2 H3 H2 H3 H2 H3 H3")  # one failing, one in error, then the inconclusive


@pytest.mark.parametrize("width", [320, 390, 430, 1280])
def test_a_finger_hits_one_mark_of_a_gauge(browser: Browser, page_file: Path, width: int) -> None:
    """WCAG 2.2, 2.5.8: 24 px from the middle of one target to that of the next; none leaves its section."""
    boxes = (
        "all => all.map(a => [a, a.closest('.section')].flatMap(e => "
        "(({x, y, right}) => [x, y, right])(e.getBoundingClientRect())))"
    )
    with visit(browser, page_file, viewport={"width": width, "height": 900}) as seen:
        marks = seen.page.locator(".items a").evaluate_all(boxes)
    assert len(marks) == 28
    for (left, top, _, *_), (right, below, end, _, _, border) in pairwise(marks):
        assert top != below or right - left >= 24
        assert end <= border


def test_dark_mode_follows_the_system_and_the_button(browser: Browser, page_file: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with visit(browser, page_file, color_scheme="dark") as seen:
        assert seen.page.evaluate(ground) == "rgb(22, 23, 26)"
        seen.page.click("#theme")
        assert seen.page.evaluate(ground) == "rgb(253, 253, 251)"
        seen.page.click("#theme")
        assert seen.page.evaluate(ground) == "rgb(22, 23, 26)"


CONTRAST = """
() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (text) => { const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const ground = (e) => { for (; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!colour.startsWith('rgba(0, 0, 0, 0')) return colour; } return 'rgb(255,255,255)'; };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!words || e.closest('.said, svg, script, style')) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${e.className} ${e.tagName} ${ratio.toFixed(2)} ${e.textContent.slice(0, 30)}`);
  }
  return faint;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_asks_for(browser: Browser, page_file: Path, scheme: str) -> None:
    with visit(browser, page_file, color_scheme=scheme) as seen:
        assert seen.page.evaluate(CONTRAST) == []


OVERLAPS = """
() => {
  const boxes = [...document.querySelectorAll(
    'main summary > span, .findings tbody :is(th, td), .sum, .section h2, .bar > *')]
    .filter((e) => e.checkVisibility() && e.textContent.trim() && !e.closest('.said'))
    .map((e) => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 1);
  const found = [];
  for (const [e, b] of boxes) {
    if (b.right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).display !== 'inline')
      found.push('too wide: ' + e.textContent.trim().slice(0, 60));
    for (const [f, c] of boxes)
      if (e !== f && !e.contains(f) && !f.contains(e) && e.parentElement === f.parentElement &&
          b.left < c.right - 1 && c.left < b.right - 1 && b.top < c.bottom - 1 && c.top < b.bottom - 1)
        found.push('overlap: ' + e.textContent.trim().slice(0, 40) + ' | ' + f.textContent.trim().slice(0, 40));
  }
  return found;
}
"""


@pytest.mark.parametrize("width", [390, 760, 1280])
@pytest.mark.parametrize("name", ["flights", pytest.param("long", marks=pytest.mark.slow)])
def test_nothing_overlaps_or_overflows(browser: Browser, tmp_path: Path, width: int, name: str) -> None:
    file = tmp_path / "scorecard.html"
    file.write_text(render(flights() if name == "flights" else hostile(TEXTS[name])), encoding="utf-8")
    with visit(browser, file, viewport={"width": width, "height": 900}) as seen:
        seen.page.click("#unfold")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("card", [flights, bare, pytest.param(huge, marks=pytest.mark.slow)])
def test_the_page_prints(browser: Browser, tmp_path: Path, card: object) -> None:
    file = tmp_path / "scorecard.html"
    file.write_text(render(card()), encoding="utf-8")  # type: ignore[operator]
    with visit(browser, file) as seen:
        printed = seen.page.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 2
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("#print").is_visible()
        if card is flights:
            assert seen.page.locator(".on-paper tr").count() == 14
            assert seen.page.locator(".on-paper").is_visible()
            assert not seen.page.locator(".group.passed > details").is_visible()
            folded = seen.page.locator(".group.failed .faults").first
            assert folded.is_visible()
            assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") in (
                "rgb(255, 255, 255)",
                "rgba(0, 0, 0, 0)",
            )
