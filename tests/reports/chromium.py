"""A real Chromium that lets nothing out and writes down what a page tries."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESKTOP = {"width": 1280, "height": 900}
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]


@dataclass
class Visit:
    """An open page and all that it did that a scorecard must not do."""

    page: Page
    offences: list[str] = field(default_factory=list)


def executable() -> str:
    """Return the path of an installed Chromium; fail, saying what to install, when there is none."""
    named = os.environ.get("CHROMIUM", "")
    for name in (named, *NAMES):
        if name and (found := shutil.which(name)):
            return found
    pytest.fail(
        "No Chromium was found; the HTML scorecard is tested in a real browser. Install the package «chromium» "
        "(Debian, Fedora, Homebrew) or «chromium-browser» (Ubuntu), or set CHROMIUM to its path.",
        pytrace=False,
    )


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser and stop it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, file: Path, fragment: str = "", **context: Any) -> Iterator[Visit]:
    """Open a file; every request but the one for itself is stopped and counts as an offence."""
    opened = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **context})
    page = opened.new_page()
    seen = Visit(page)
    address = file.as_uri()

    def gate(route: Route) -> None:
        wanted = route.request.url
        if wanted.partition("#")[0] == address:
            route.continue_()
        else:
            seen.offences.append(f"request: {wanted[:200]}")
            route.abort()

    page.route("**/*", gate)
    page.on("request", lambda request: _note_request(seen, request.url, address))
    page.on("console", lambda message: seen.offences.append(f"console {message.type}: {message.text[:300]}"))
    page.on("pageerror", lambda error: seen.offences.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (seen.offences.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    try:
        page.goto(address + fragment)
        yield seen
    finally:
        opened.close()


def _note_request(seen: Visit, wanted: str, address: str) -> None:
    if wanted.partition("#")[0] != address and not wanted.startswith("data:,"):
        seen.offences.append(f"request: {wanted[:200]}")
