"""The matrix as a page: run for real, by published exchanges, and not run, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.kept import Kept, Rows

from .systems import ELSEWHERE

PLACE = Path(__file__).parents[1]
PUBLISHED = PLACE / "published"
SHOWN = ("title", "version", "protocol", "date", "start_s", "total_s", "result")


def _shown(row: Mapping[str, object], key: str) -> str:
    text = str(row[key]).replace("|", "/")
    return f"`{text}`" if key == "protocol" else text


def page(rows: Rows) -> str:
    """Return the page in Markdown."""
    real = [" | ".join(["", *(_shown(row, key) for key in SHOWN), ""]).strip() for row in rows.values()]
    return "\n".join(
        [
            "# Serving systems",
            "",
            "Made by `python -m tests.serving.matrix`, which installs each server with pinned packages in an",
            "environment of its own, starts it, asks it through the endpoint input (all rows, backwards,",
            "one alone, 10 requests a second for 2 s, malformed rows), compares with what the model itself says,",
            "and stops it.",
            "",
            "## Real servers",
            "",
            "| system | package | protocol | date | seconds until ready | seconds | result |",
            "|---|---|---|---|---|---|---|",
            *real,
            "",
            "## By published exchanges",
            "",
            "Requests and answers in the form that each system publishes, retyped with few and small numbers, replayed",
            "by a real HTTP, gRPC or RESP server that refuses any other request (`test_published.py`). Bytes over gRPC",
            "are those of the official stubs (`official_stubs.py`).",
            "",
            "| system | protocol | exchanges | source |",
            "|---|---|---|---|",
            *_published(),
            "",
            "## Elsewhere, or not run",
            "",
            "| system | where, or why not |",
            "|---|---|",
            *(f"| {system} | {reason} |" for system, reason in ELSEWHERE.items()),
            "",
        ]
    )


def _published() -> Iterable[str]:
    for file in sorted(PUBLISHED.glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        yield f"| {found['system']} | `{found['protocol']}` | {len(found['exchanges'])} | {found['source']} |"


KEPT = Kept(PLACE / "matrix.json", page)
