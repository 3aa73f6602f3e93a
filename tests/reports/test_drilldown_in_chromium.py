"""A page of Evidently in a real browser: it draws, in an origin of its own; hostile values and pages can do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from mltestscore.reports.html.drilldown import page
from mltestscore.reports.html.render import render
from playwright.sync_api import Browser, Page

from mltestscore.borrowed.drilldown import picture
from mltestscore.result import Drilldown

from .chromium import launched, visit
from .hostile import TEXTS
from .samples import flights

DRAWN = "() => document.querySelectorAll('svg.main-svg').length > 0"
FILE = "drilldown-0123456789abcdef.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


def written(folder: Path, feature: str, drawn: str) -> Path:
    file = folder / FILE
    file.write_text(page(feature, "serving against recomputed", drawn), encoding="utf-8")
    return file


@pytest.mark.slow
def test_evidently_draws_hostile_values_in_an_origin_of_its_own(browser: Browser, tmp_path: Path):
    hostile = [text for text in TEXTS.values() if text.strip()]
    values = pd.Series(np.random.default_rng(1).choice(hostile, 400))
    feature = TEXTS["script"]
    file = written(tmp_path, feature, picture(feature, values, values.iloc[::-1]))

    with visit(browser, file) as seen:
        frame = seen.page.frames[1]
        frame.wait_for_function(DRAWN)
        seen.page.evaluate("document.querySelectorAll('*').forEach(part => part.dispatchEvent(new Event('mouseover')))")
        frame.evaluate("document.querySelectorAll('*').forEach(part => part.dispatchEvent(new Event('mouseover')))")
        assert seen.offences == []
        assert (frame.url, frame.evaluate("origin")) == ("about:srcdoc", "null")
        assert [one.evaluate("'pwned' in window") for one in seen.page.frames] == [False, False]
        assert "‹/script›" in frame.evaluate("document.body.textContent")
        assert seen.page.locator("h1").inner_text().startswith("</script>")


HOSTILE_PAGE = """<!doctype html><html><head></head><body>
<script>window.drawn = 1; {attack}</script></body></html>"""


@pytest.mark.parametrize(
    ("attack", "offence"),
    [
        ("parent.document.title = 'pwned'", "error: Failed to read a named property 'document'"),
        ("eval('window.pwned = 1')", "error: Evaluating a string as JavaScript violates"),
        ("document.write('<script>window.pwned = 1</' + 'script>')", "Executing inline script violates"),
        *(
            pytest.param(*rarer, marks=pytest.mark.slow)
            for rarer in (
                ("document.body.innerHTML = '<img src=data: onerror=window.pwned=1>'", "event handler"),
                ("localStorage.pwned = 1", "error: Failed to read the 'localStorage' property"),
                ("alert(1)", "Ignored call to 'alert()'"),
            )
        ),
    ],
)
def test_even_a_page_taken_over_reaches_nothing_of_ours(browser: Browser, tmp_path: Path, attack: str, offence: str):
    file = written(tmp_path, "temp", HOSTILE_PAGE.format(attack=attack))

    with visit(browser, file) as seen:
        frame = seen.page.frames[1]
        frame.wait_for_function("window.drawn === 1")
        seen.page.wait_for_timeout(200)
        assert [one for one in seen.offences if offence in one] != []
        assert [one for one in seen.offences if one.startswith("dialog")] == []
        assert seen.page.evaluate("'pwned' in window || document.title === 'pwned'") is False
        assert frame.evaluate("'pwned' in window") is False


ERRANDS = {
    "fetch": "fetch('{there}').catch(() => 0)",
    "image": "new Image().src = '{there}'",
    "move": "location = '{there}'",
    "leave": "top.location = '{there}'",
    "window": "open('{there}')",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), {{src: '{there}'}}))",
    "beacon": "navigator.sendBeacon('{there}', 'x')",
    "form": "document.body.innerHTML = '<form action={there}></form>'; document.forms[0].submit()",
}


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Serve on loopback and write down who came; nothing is stopped on its way."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/came", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.mark.parametrize(
    "errand", [name if name in ("fetch", "move") else pytest.param(name, marks=pytest.mark.slow) for name in ERRANDS]
)
def test_even_a_page_taken_over_sends_nothing(browser: Browser, tmp_path: Path, errand: str):
    """The same script arrives from a page without our frame and policy, so that silence means something."""
    with listening() as (there, came):
        hostile = HOSTILE_PAGE.format(attack=ERRANDS[errand].format(there=there))
        with opened(browser, tmp_path / "bare.html", hostile) as bare:
            for _ in range(100):
                if came:
                    break
                bare.wait_for_timeout(100)
        assert came != []
        came.clear()
        with opened(browser, tmp_path / FILE, page("temp", "", hostile)) as ours:
            ours.wait_for_selector("h1")
            ours.frames[1].wait_for_load_state("domcontentloaded")
            ours.wait_for_timeout(500)
        assert came == []


@contextmanager
def opened(browser: Browser, file: Path, text: str) -> Iterator[Page]:
    """Open a page with nothing in its way; one that leaves at once never finishes loading."""
    file.write_text(text, encoding="utf-8")
    context = browser.new_context()
    try:
        shown = context.new_page()
        shown.goto(file.as_uri(), wait_until="commit")
        yield shown
    finally:
        context.close()


def test_without_javascript_the_page_says_so_and_leads_back(browser: Browser, tmp_path: Path):
    file = written(tmp_path, "temp", HOSTILE_PAGE.format(attack=""))

    with visit(browser, file, java_script_enabled=False) as seen:
        assert seen.page.locator("text=with JavaScript").is_visible()
        assert seen.page.locator("a").get_attribute("href") == "scorecard.html"
        assert seen.offences == []


def test_the_scorecard_links_only_to_pages_that_a_run_writes(browser: Browser, tmp_path: Path):
    card = flights()
    check = next(item for item in card.items if item.id == "data.1").checks[0]
    wrong = ["javascript:window.pwned=1", "../drilldown-0123456789abcdef.html", "https://x.invalid/", "scorecard.html"]
    check.drilldowns = [Drilldown(feature="temp", file=FILE), *(Drilldown(feature="x", file=file) for file in wrong)]
    check.drilldowns.append(Drilldown(feature="at", why="Evidently does not compare times"))
    scorecard = tmp_path / "scorecard.html"
    scorecard.write_text(render(card), encoding="utf-8")

    with visit(browser, scorecard) as seen:
        links = seen.page.locator("a[href*=drilldown]").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert links == [FILE]
        assert "at (Evidently does not compare times)" in seen.page.content()
        assert seen.page.locator("iframe").count() == 0
        assert seen.offences == []


@pytest.mark.parametrize(
    "drawn",
    [
        "<html><head></head><body>nothing</body></html>",
        "<html><script>1</script></html>",
        '<html><head></head><script src="https://x.invalid/x.js"></script></html>',
    ],
)
def test_a_page_of_another_form_is_refused(drawn: str):
    with pytest.raises(ValueError, match="of another form than expected"):
        page("temp", "", drawn)
