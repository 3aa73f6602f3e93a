"""The same run twice gives the same bytes, but for times and ids."""

from __future__ import annotations

import json
import re
import shutil

import pytest


def without_times_and_ids(text: str) -> str:
    """Return a scorecard's JSON with every time, duration and id replaced."""
    scorecard = json.loads(text)
    scorecard["run"].update(id="", started="", phases={})
    for item in scorecard["items"]:
        for check in item["checks"]:
            check["seconds"] = {}
            for fault in check["proof"]["faults"]:
                fault["seconds"] = 0
    return json.dumps(scorecard, ensure_ascii=False)


def test_two_runs_of_the_same_system_write_the_same_scorecard(project):
    texts, pages = [], []
    for _ in range(2):
        project.run()
        report = project.folder / "mltestscore-report"
        texts.append(without_times_and_ids((report / "scorecard.json").read_text()))
        pages.append((report / "scorecard.html").read_text())
        shutil.rmtree(project.folder / ".mltestscore")

    assert texts[0] == texts[1]
    # In the page times and durations stand in words; what is left must be equal.
    times = re.compile(
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\+00:00)?|(&lt;\W)?\d+(\.\d+)?\W?(s|min)\b|\b[0-9a-f]{12}\b"
    )
    assert times.sub("", pages[0]) == times.sub("", pages[1])


def test_the_stored_json_is_sorted_and_strict(project):
    project.run()

    text = (project.folder / "mltestscore-report" / "scorecard.json").read_text()
    strict = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert text == json.dumps(strict, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
