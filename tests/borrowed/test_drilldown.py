"""Flagged features get a page each, of harmless names and values; what goes wrong there changes no verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.borrowed import drilldown
from mltestscore.borrowed.drilldown import drilldowns, harmless, picture
from mltestscore.catalogue import our_check
from mltestscore.declare import Check
from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.result import CheckResult, DetailRecord, FindingRecord

SCRIPT = "</script><script>window.pwned=1</script>"
N = 300


def frame(shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "temp": rng.normal(shift, 1, N),
            "dest": rng.choice(["x", "y", SCRIPT], N),
            SCRIPT: rng.choice(["a", "b"], N),
            "at": pd.date_range("2026-01-01", periods=N, freq="h"),
        }
    )


def data(name: str, rows: pd.DataFrame) -> Dataset:
    return open_dataset(name, rows)


def result(*features: str, state: str = "failed", **changes: Any) -> CheckResult:
    findings = [FindingRecord(name="rows that differ", where=name, verdict="failed") for name in features]
    return CheckResult(id="monitor.3", item="monitor.3", state=state, findings=findings, **changes)


def written(of: CheckResult, folder: Path, check: Check | None = None, **inputs: Any) -> tuple[Any, list[str]]:
    pair = {"serving": data("serving", frame(2.0)), "recomputed": data("recomputed", frame())} | inputs
    said: list[str] = []
    return drilldowns(check or our_check("monitor.3"), pair, of, folder, said.append), said


def test_a_flagged_feature_gets_a_page_and_the_rest_none(tmp_path: Path):
    looks, said = written(result("temp", "no such column"), tmp_path)

    (look,) = looks
    assert (look.feature, look.why, said) == ("temp", "", ["drill-down of temp"])
    assert look.about == "serving, 300 of 300 rows, against recomputed, 300 of 300"
    assert [file.name for file in tmp_path.iterdir()] == [look.file]
    page = (tmp_path / look.file).read_text()
    assert page.count("<script") == 0  # all scripts stand escaped in srcdoc
    assert '<iframe sandbox="allow-scripts"' in page


def test_two_checks_of_the_same_data_share_a_page(tmp_path: Path):
    inputs = {"serving": data("serving", frame(2.0)), "recomputed": data("recomputed", frame())}
    report = Check("monitor.2/report", "monitor.2", iter, ("serving", "recomputed"), (), {}, {}, existing=True)

    first, _ = written(result("temp"), tmp_path, **inputs)
    (tmp_path / first[0].file).write_text("drawn before")
    second, _ = written(result("temp"), tmp_path, report, **inputs)

    assert first == second
    assert (tmp_path / first[0].file).read_text() == "drawn before"


def test_hostile_names_and_values_are_harmless_before_evidently_writes_them(tmp_path: Path):
    looks, _ = written(result("dest", SCRIPT), tmp_path)

    assert [look.why for look in looks] == ["", ""]
    for look in looks:
        page = (tmp_path / look.file).read_text()
        assert "window.pwned=1" in page
        assert "&lt;script&gt;window.pwned" not in page.partition("srcdoc=")[2]
        assert "<script>window.pwned" not in page


def test_only_a_failed_check_of_two_datasets_is_drawn(tmp_path: Path):
    assert written(result("temp", state="passed"), tmp_path)[0] == []
    assert written(result("temp"), tmp_path, recomputed=None)[0] == []
    assert written(result("temp"), tmp_path, our_check("data.1"))[0] == []
    assert list(tmp_path.iterdir()) == []


def test_a_feature_that_cannot_be_drawn_says_why_and_leaves_no_file(tmp_path: Path):
    looks, _ = written(result("at"), tmp_path)

    assert [(look.feature, look.file, look.why) for look in looks] == [
        ("at", "", "no page: ValueError: Evidently does not compare times")
    ]
    assert list(tmp_path.iterdir()) == []


def test_of_many_features_eight_are_drawn_and_the_rest_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drilldown, "MOST", 1)

    looks, _ = written(result("at", "temp", "dest"), tmp_path)

    assert looks[-1].why == "2 more flagged features without a page; at most 1 are drawn"


def test_a_failing_test_of_a_report_flags_its_column(tmp_path: Path):
    rows = [["Drift", "at", "failed", ""], ["Drift", "temp", "passed", ""], ["Drift", "dest", "warned", ""]]
    table = DetailRecord(
        kind="table", title="t", data={"columns": ["test", "column", "outcome", "found"], "rows": rows}
    )
    report = Check("monitor.2/report", "monitor.2", iter, ("serving", "recomputed"), (), {}, {}, existing=True)

    looks, _ = written(result(details=[table]), tmp_path, report)

    assert [look.feature for look in looks] == ["at"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (SCRIPT, "‹/script›‹script›window.pwned=1‹/script›"),
        ("\"'`\\&", "″′ˋ⧵＆"),
        ("a\u2028b\x00", "a⟨U+2028⟩b␀"),
        ("x" * 100, "x" * 60 + "… (40 more characters)"),
        ("a\n\tb", "a␊␉b"),
    ],
)
def test_text_that_could_act_is_shown_by_look_alikes(text: str, shown: str):
    assert harmless(text) == shown


def test_values_that_look_alike_stay_apart_and_rare_ones_come_together():
    sides = [pd.Series(["<", "‹", "‹", None, *map(str, range(60))]) for _ in "ab"]

    current, reference = drilldown._categories(*sides)

    assert current.iloc[0] != current.iloc[1]
    assert current.iloc[1] == current.iloc[2]
    assert (current == drilldown.OTHER).sum() == 60 + 2 - drilldown.CATEGORIES
    assert current.isna().sum() == 1
    pd.testing.assert_series_equal(current, reference)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([True, False] * 50),
        pd.Series([1, 2, None] * 40, dtype="Int64"),
        pd.Series([1.0, None] * 50),
        pd.Series(["a", None] * 50),
        pd.Series(pd.Categorical(["a", "b"] * 50)),
        pd.Series([5.0] * 50),
    ],
)
@pytest.mark.slow
def test_every_kind_of_values_is_drawn(values: Any):
    assert picture("x", values, values).count("<script") >= 3


def test_numbers_against_text_are_drawn_as_categories():
    assert r"\u2039b\u203a" in picture("x", pd.Series([1.0, 2.0] * 50), pd.Series(["1.0", "<b>"] * 50))
