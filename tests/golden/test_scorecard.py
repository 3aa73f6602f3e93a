from pathlib import Path

from mltestscore.reports.html.render import render

from mltestscore.scorecard import load

HERE = Path(__file__).parent


def test_the_page_of_the_fixed_sample_is_the_golden_one() -> None:
    """A change that is meant is renewed with ``python -m tests.golden.renew``."""
    assert render(load(HERE / "scorecard.json")) == (HERE / "scorecard.html").read_text("utf-8")
