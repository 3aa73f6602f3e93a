"""A small shop: a weather table, a service's schema, two packages, and mails that land in a folder."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from mltestscore.dependencies.agreeing import agree
from mltestscore.inputs.catalogue import read_catalogue
from mltestscore.inputs.dependencies import Dependencies, open_dependencies
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

NOW = datetime(2027, 3, 1, tzinfo=UTC)
UNLISTED, UNOWNED = "sources outside the manifest", "dependencies without an owner or a channel"
BARE, NEVER = "dependencies without a contract", "contracts that nobody has agreed to"
CHANGED, UNPINNED = "contracts that changed and nobody agreed", "packages of the manifest that no lock names"
DIFFERING, MISSING = "packages of another version than locked", "locked packages that are not installed"
VULNERABLE, DATA_AGE = "known vulnerabilities of installed packages", "days since the vulnerabilities were known"
LOST, SECONDS = "probes that did not arrive", "seconds until the probe arrived"

MANIFEST = """
[[dependency]]
name = "weather"
kind = "table"
owner = "Weather team"
channel = "#weather"
contract = "weather.parquet"

[[dependency]]
name = "prices"
kind = "api"
owner = "Price service"
channel = "prices@example.org"
contract = "prices.json"
covers = ["price_*"]

[[dependency]]
name = "desk"
kind = "file"
owner = "Ada"
channel = "ada@example.org"
without_contract = "Ada types it"

[[dependency]]
name = "NumPy"
kind = "package"
owner = "NumPy"
channel = "https://numpy.org/news"
"""
CATALOGUE = read_catalogue(
    {
        "features": {
            "temp": {"source": "weather"},
            "price": {"derived_from": ["list_price"]},
            "area": {"source": "desk"},
        },
        "columns": {"list_price": {"source": "price_list"}},
    }
)
WEATHER = pd.DataFrame(
    {"hour": pd.to_datetime(["2027-01-01", "2027-01-02"], utc=True), "temp": [1.5, 2.5], "sky": ["clear", None]}
)
PRICES = {
    "type": "object",
    "properties": {"price": {"type": "number", "description": "EUR"}, "currency": {"enum": ["EUR", "CHF"]}},
    "required": ["price", "currency"],
}
NOTIFY = """
import sys, time
from pathlib import Path

def write(message):
    folder = Path("inbox")
    folder.mkdir(exist_ok=True)
    (folder / f"{time.time_ns()}.eml").write_text(f"Subject: drill\\n\\n{message}\\n")

if __name__ == "__main__":
    write(sys.argv[1])
"""
DRILL = {"probe": True, "notify": ["{python}", "notify.py", "{message}"], "sink": "inbox", "within_seconds": 30.0}


def written(folder: Path) -> Path:
    """Write the shop's files, and agree to its contracts."""
    (folder / "dependencies.toml").write_text(MANIFEST)
    (folder / "notify.py").write_text(NOTIFY)
    (folder / "inbox").mkdir()
    (folder / "prices.json").write_text(json.dumps(PRICES))
    WEATHER.to_parquet(folder / "weather.parquet")
    lock = f"numpy=={version('numpy')}\npandas=={version('pandas')} ; python_version >= '3.9'\n"
    (folder / "requirements.txt").write_text(f"{lock}pywin32==308 ; sys_platform == 'win32'\n")
    agreed(folder, "weather", "prices")
    return folder


def rewritten(weather: pd.DataFrame, shop: Path) -> None:
    """Write the table at a later time: DuckDB remembers a file's columns by path and second."""
    file = shop / "weather.parquet"
    later = file.stat().st_mtime + 5
    weather.to_parquet(file)
    os.utime(file, (later, later))


def opened(shop: Path, **changes: Any) -> Dependencies:
    settings: dict[str, Any] = {"locks": ["requirements.txt"], "drill": DRILL, "system": "shop"}
    settings |= {"base": shop, "acknowledged": shop / "acknowledged.json"}
    return open_dependencies(shop / "dependencies.toml", **(settings | changes))


def agreed(shop: Path, *names: str, upcoming: str = "") -> None:
    at = NOW - timedelta(days=9)
    list(agree(opened(shop, drill=None), names, "Bea", at, upcoming, shop / "acknowledged.json", shop))


def judged(shop: Path, prove: bool = False, options: dict[str, Any] | None = None, **changes: Any) -> CheckResult:
    found = opened(shop, **changes)
    return run_check(
        "monitor.1", dependencies=found, clock=NOW, catalogue=CATALOGUE, prove=prove, options=options or {}
    )


def quick(shop: Path, **changes: Any) -> CheckResult:
    """Judge without a probe, which takes a process: then all but the probe decides."""
    result = judged(shop, drill=None, **changes)
    left = [one for one in result.findings if one.name != LOST]
    worst = {one.verdict for one in left if not one.advisory}
    state = next((one for one in ("failed", "inconclusive") if one in worst), "passed")
    return result.model_copy(update={"findings": left, "state": state})


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {one.name: one for one in result.findings if one.verdict == "failed" and not one.advisory}


def edit(shop: Path, file: str, old: str, new: str) -> None:
    text = (shop / file).read_text()
    assert old in text
    (shop / file).write_text(text.replace(old, new))
