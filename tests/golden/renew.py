"""Renew the golden files after a change that is meant: ``python -m tests.golden.renew``, then read the difference.

``scorecard.json`` is the fixed sample; with ``--sample`` it too is made again, from ``tests/reports/samples.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mltestscore.reports.html.render import render

from mltestscore.scorecard import dump, load
from tests.reports.samples import flights

HERE = Path(__file__).parent
SAMPLE = HERE / "scorecard.json"
PAGE = HERE / "scorecard.html"


def renew(sample: bool) -> None:
    """Write the page, and the sample before it if asked to or if there is none."""
    if sample or not SAMPLE.exists():
        SAMPLE.write_text(dump(flights()), encoding="utf-8")
    PAGE.write_text(render(load(SAMPLE)), encoding="utf-8")


if __name__ == "__main__":
    renew("--sample" in sys.argv[1:])
