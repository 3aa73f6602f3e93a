"""``python -m tests.examples.variants``: flights behind Flask, behind NVIDIA Triton and as a library; the last result.

Scores the items that a server has a part in, or infrastructure at all, of each variant by a run of its own, as a
newcomer would; Triton is installed first, half a gigabyte. The last result stands in ``variants.json`` and
``variants.md``. Exit status 1 unless every item of every variant that was run passed, with every planted fault caught.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.kept import Ended, Kept, Rows, keep

HOME = Path(__file__).parents[2] / "examples" / "flights"
ITEMS = (*(f"infra.{number}" for number in range(1, 8)), "monitor.1", "monitor.6")
LIMIT_S, AGAIN = 3600, 2
VARIANTS = {
    "flask": ("Flask behind waitress", "pyproject.toml"),
    "triton": ("NVIDIA Triton", "triton.toml"),
    "library": ("A library in a program's own process", "library.toml"),
}
INSTALL = [sys.executable, "-m", "flights.triton.install"]
VERSIONS = {"flask": ("flask", "waitress"), "triton": ("nvidia-pytriton", "numpy"), "library": ()}
ALL = ("scikit-learn", "skops")


def main() -> int:
    """Run what the options choose."""
    parser = argparse.ArgumentParser(prog="python -m tests.examples.variants", description=__doc__)
    return keep(KEPT, {name: title for name, (title, _) in VARIANTS.items()}, parser, ended)


def ended(name: str, _: argparse.Namespace) -> Ended:
    """Run one variant."""
    row = run(name)
    return Ended(row, passed(row), f"{', '.join(row['versions'])}, {row['seconds']} s")


def run(name: str) -> dict[str, Any]:
    """Score one variant, and return what is kept of it."""
    if name == "triton":
        subprocess.run(INSTALL, cwd=HOME, check=True, timeout=LIMIT_S)
    began = time.monotonic()
    items = scored(name, ITEMS)
    for _ in range(AGAIN):
        if undecided := [item for item, one in items.items() if one["state"] == "inconclusive"]:
            items |= scored(name, undecided)
    return {
        "title": VARIANTS[name][0],
        "versions": versions(name),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "seconds": round(time.monotonic() - began, 1),
        "items": items,
    }


def scored(name: str, items: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Score some items of one variant as a newcomer would, and return what is kept of each."""
    output = HOME / "mltestscore-report" / "variants" / name
    (output / "scorecard.json").unlink(missing_ok=True)
    words = ["--mltestscore", "--mltestscore-config", VARIANTS[name][1], "--mltestscore-output", str(output)]
    chosen = " or ".join(f"{item.replace('.', '_')}_" for item in items)
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CI"))}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist", *words, "-k", chosen],
        cwd=HOME,
        env=ours,
        timeout=LIMIT_S,
        check=False,  # what failed stands on the scorecard
    )
    scorecard = json.loads((output / "scorecard.json").read_text(encoding="utf-8"))
    checks = {check["id"]: check for item in scorecard["items"] for check in item["checks"]}
    return {item: _kept(checks[item]) for item in items}


def versions(name: str) -> list[str]:
    """Return which packages serve: of the environment of this process, or of Triton's own."""
    wanted = [*VERSIONS[name], *ALL]
    place = Path(os.environ.get("FLIGHTS_TRITON", HOME / ".venv-triton")) / "bin" / "python"
    python = str(place) if name == "triton" else sys.executable
    code = "import sys\nfrom importlib.metadata import version\nfor name in sys.argv[1:]: print(name, version(name))"
    done = subprocess.run([python, "-c", code, *wanted], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def passed(row: Mapping[str, Any]) -> bool:
    """Say whether all items passed, with all their faults caught."""
    return all(one["state"] == "passed" and one["caught"] == one["faults"] >= 2 for one in row["items"].values())


def _kept(check: Mapping[str, Any]) -> dict[str, Any]:
    faults = check["proof"]["faults"]
    return {
        "state": check["state"],
        "reason": check["reason"],
        "caught": sum(fault["state"] == "caught" for fault in faults),
        "faults": len(faults),
        "seconds": round(sum(check["seconds"].values()), 1),
    }


def page(rows: Rows) -> str:
    """Return the page in Markdown."""
    lines = [
        "# The flights example behind two servers and as a library",
        "",
        "Made by `python -m tests.examples.variants`, which scores the items below of each variant for real: the same",
        "model behind Flask (`pyproject.toml`), behind NVIDIA Triton in an environment of its own (`triton.toml`) and",
        "called by a program in its own process (`library.toml`), where roll-backs and the pipeline's last stage are",
        "still of Flask's server. Seconds are of check, planted faults and inputs. What stays undecided, as where a",
        "busy machine cannot tell two versions apart, is asked again, twice at most. Options of `monitor.6` for Triton",
        "and the library were chosen after runs on a busy machine that stayed undecided.",
        "",
    ]
    for row in rows.values():
        lines += [f"## {row['title']}", "", f"{row['date']}, {row['seconds']} s, {', '.join(row['versions'])}", ""]
        lines += ["| item | state | planted faults caught | seconds | |", "|---|---|---|---|---|"]
        for item, one in row["items"].items():
            said = str(one["reason"]).replace("|", "/").replace("\n", " ")[:200]
            lines.append(
                f"| `{item}` | {one['state']} | {one['caught']} of {one['faults']} | {one['seconds']} | {said} |"
            )
        lines.append("")
    return "\n".join(lines)


KEPT = Kept(Path(__file__).with_name("variants.json"), page)


if __name__ == "__main__":
    sys.exit(main())
