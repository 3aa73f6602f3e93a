"""Pages on flagged features are written only when asked for, linked, and gone when their scorecard is."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

SETTINGS = """
[tool.mltestscore]
system = "sample"
proof_cache = false

[tool.mltestscore.data.serving]
source = "serving.csv"
key = ["id"]

[tool.mltestscore.data.recomputed]
source = "recomputed.csv"
key = ["id"]
"""
MONITOR_3 = ("-k", "monitor_3", "--mltestscore-no-proof")


@pytest.fixture
def skewed(empty):
    """Give a project whose served temperatures are in another unit."""
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"id": range(400), "temp": rng.normal(15, 5, 400), "wind": rng.normal(5, 1, 400)})
    empty.write("pyproject.toml", SETTINGS)
    empty.write("recomputed.csv", rows.to_csv(index=False))
    empty.write("serving.csv", rows.assign(temp=rows["temp"] * 1.8 + 32).to_csv(index=False))
    return empty


def pages(project):
    return sorted(file.name for file in (project.folder / "mltestscore-report").glob("drilldown-*"))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_a_flagged_feature_gets_a_page_that_the_scorecard_leads_to(skewed, workers):
    outcome = skewed.start("--mltestscore-drilldown", *MONITOR_3, *workers)

    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    (check,) = skewed.item("monitor.3")["checks"]
    (look,) = check["drilldowns"]
    assert (look["feature"], look["why"], pages(skewed)) == ("temp", "", [look["file"]])
    html = (skewed.folder / "mltestscore-report" / "scorecard.html").read_text()
    assert f'<a href="{look["file"]}">temp</a>' in html
    assert re.search(r"<(iframe|object|embed)", html) is None
    assert '<iframe sandbox="allow-scripts"' in (skewed.folder / "mltestscore-report" / look["file"]).read_text()


def test_without_the_option_no_page_is_written_and_older_ones_go(skewed):
    left = skewed.write("mltestscore-report/drilldown-0123456789abcdef.html", "of an earlier run")
    kept = skewed.write("mltestscore-report/drilldown-of-mine.html", "not ours")

    skewed.run(*MONITOR_3)

    (check,) = skewed.item("monitor.3")["checks"]
    assert (check["state"], check["drilldowns"]) == ("failed", [])
    assert (left.exists(), kept.exists()) == (False, True)


def test_the_configuration_may_ask_for_it_too(skewed, monkeypatch):
    asked = []
    monkeypatch.setattr("mltestscore.borrowed.drilldown.drilldowns", lambda *call: asked.append(call) or [])
    skewed.write("pyproject.toml", SETTINGS.replace("proof_cache = false", "proof_cache = false\ndrilldown = true"))

    skewed.run(*MONITOR_3)

    assert [(call[0].id, call[3].name) for call in asked] == [("monitor.3", "mltestscore-report")]
