"""``infra.3`` where a stage breaks, hangs, says too little or goes another way than a server."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from mltestscore.inputs.pipeline import RowRule
from tests.integration.judging import (
    BLIND,
    CHANGED,
    FAILED,
    LAST,
    LEAST,
    REFUSE,
    SCORES,
    SILENT,
    THROUGH,
    WRONG,
    failed,
    run,
)
from tests.integration.shop import BILLS, MODEL, TABLE, bend, shop, write_shop


@pytest.fixture
def home(tmp_path):
    return write_shop(tmp_path / "shop")


@pytest.mark.parametrize(
    ("stage", "before", "after", "name", "cause"),
    [
        ("train", "# trained", "raise ValueError('no convergence')", FAILED, "no convergence"),
        ("train", "# trained", "sys.exit(0)", WRONG, "train: out/model.json is missing"),
        ("train", "json.dumps(", "'' and (", WRONG, "out/model.json is empty"),
        ("train", "json.dumps({", "'{' + repr({", WRONG, "out/model.json cannot be read"),
        ("serve", "# asked", "raise ValueError", FAILED, "serve failed"),
        ("serve", "slope = json", "sys.exit('no model'); slope = json", FAILED, "no model"),
        ("features", '"per_head": float', '"perhead": float', FAILED, "KeyError: 'per_head'"),
    ],
    ids=["fails", "missing", "empty", "unreadable", "silent", "no server", "renamed"],
)
def test_a_broken_stage_is_named(home, stage, before, after, name, cause):
    bend(home, stage, before, after)
    found = failed(run(shop(home, {"send": (), "wire": (("ready_timeout", 4.0),)})))
    assert name in found
    assert cause in found[name].cause


def test_answers_without_a_number_are_counted(home):
    bend(
        home,
        "serve",
        'slope * row["per_head"] for row in rows',
        "None if row['id'] == 7 else slope * row['per_head'] for row in rows",
    )
    result = run(shop(home))
    assert result.state == "failed", result.reason


def test_a_stage_that_hangs_is_stopped_with_all_that_it_started(home):
    sleeper = "import subprocess; subprocess.Popen(['sleep', '987654']); import time; time.sleep(600)"
    bend(home, "train", "# trained", sleeper)
    began = time.monotonic()
    found = failed(run(shop(home, train={"timeout": 1.0})))
    assert time.monotonic() - began < 20
    assert "train was stopped after 1 s" in found[FAILED].cause
    assert "987654" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_tables_without_a_column_count_where_they_must_be_refused_and_change_the_answers(home):
    bend(home, "extract", "# extracted", "rows = [row | {'spare': 1} for row in rows]")
    harmless = run(shop(home), must_refuse=("unreadable", "column"))
    assert harmless.state == "passed", harmless.reason  # nobody needs the spare column
    lenient = 'float(row["total"]) / int(row.get("heads") or 1)'
    bend(home, "features", 'float(row["total"]) / int(row["heads"])', lenient)
    bend(home, "features", '"tip": row["tip"]', '"tip": row.get("tip") or float(row["total"]) * 0.04')
    bend(home, "extract", "| {'spare': 1}", "")
    found = failed(run(shop(home), must_refuse=("unreadable", "column")))
    assert "raw.csv without tip, read by extract" in found[THROUGH].cause


def test_where_training_is_drawn_at_random_the_trace_of_a_lost_column_cannot_be_told(home):
    bend(home, "train", "# trained", "import random; slope += random.random() / 1000")
    bend(home, "features", '"tip": row["tip"]', '"tip": row.get("tip") or float(row["total"]) * 0.04')
    result = run(shop(home), must_refuse=("column",))
    assert THROUGH not in failed(result)


def test_a_server_that_answers_without_its_model_is_found(home):
    load = 'slope = json.loads(Path("package/model.json").read_text())["slope"]'
    bend(home, "serve", load, f"try:\n    {load}\nexcept Exception:\n    slope = 0.15")
    found = failed(run(shop(home), **REFUSE))
    assert "serve ended well although package/model.json could not be read" in found[BLIND].cause


def test_a_pipeline_that_says_nothing_of_rows_or_answers_is_inconclusive(home):
    quiet = shop(home, features={"rows": ()}, extract={"rows": ()})
    assert run(quiet).state == "inconclusive"
    silent = run(shop(home, {"expected": ""}))
    assert silent.state == "inconclusive"
    assert "write model, or expected" in silent.reason


def test_a_pipeline_whose_stages_name_nothing_that_they_read_is_inconclusive(home):
    rule = RowRule(TABLE, BILLS, key=("id",))
    names = ("extract", "features", "train", "validate", "package", "serve")
    unread: dict[str, Any] = {name: {"reads": ()} for name in names}
    unread["features"]["rows"] = (rule,)
    result = run(shop(home, **unread), **REFUSE)
    assert (result.state, "no stage names what it reads" in result.reason) == ("inconclusive", True)


def test_too_few_rows_count_beside_a_share_too(home):
    rule = RowRule(TABLE, BILLS, keep=0.5, least=90)
    bend(home, "features", "# made", "rows = rows[:80]")
    assert list(failed(run(shop(home, features={"rows": (rule,)})))) == [LEAST]


def test_inputs_behind_a_link_and_empty_signals_are_left_alone(home):
    data = home.parent / "data"
    data.mkdir()
    (home / "raw.csv").rename(data / "raw.csv")
    (home / "data").symlink_to(data)
    before = (data / "raw.csv").read_bytes()
    bend(home, "extract", '"raw.csv"', '"data/raw.csv"')
    bend(home, "extract", "# extracted", "Path('out/done').touch()")
    changes: dict[str, Any] = {
        "extract": {"reads": ("data/raw.csv",), "writes": (BILLS, "out/done"), "may_be_empty": ("out/done",)},
        "features": {"reads": (BILLS, "out/done")},
    }
    result = run(shop(home, **changes), **REFUSE)
    assert result.state == "passed", result.reason
    assert "done" not in str(result.details[1].data["rows"])
    assert (data / "raw.csv").read_bytes() == before


def test_the_last_full_run_counts(home):
    (home / "runs.json").write_text('{"runs": [{"ended": "2024-02-01"}, {"ended": "2024-05-01T12:00:00Z"}]}')
    pipeline = shop(home).replace(last_full_run="runs.json", last_full_run_field="runs.-1.ended")
    at = datetime(2024, 5, 11, 12, tzinfo=UTC)
    assert run(pipeline.replace(now=at)).state == "passed"
    assert failed(run(pipeline.replace(now=at), max_full_run_days=9))[LAST].value == 10
    first = run(pipeline.replace(now=at, last_full_run_field=""), max_full_run_days=99)
    assert failed(first)[LAST].value == 100.5
    ahead = run(pipeline.replace(now=at.replace(year=2023)))
    assert (ahead.state, "ahead of the clock" in ahead.reason) == ("error", True)


def test_a_batch_prediction_instead_of_a_server(home):
    code = (home / "serve.py").read_text().partition("class Handler")[0].replace("from http.server import", "# ")
    answers = "[{'id': row['id'], 'score': slope * float(row['per_head'])} for row in read('out/features.csv')]"
    write = f"write('out/scores.csv', {answers})"
    (home / "serve.py").write_text(code + write)
    change = {"command": ("{python}", "serve.py"), "reads": ("package", TABLE), "writes": ("out/scores.csv",)}
    pipeline = shop(home, {"file": "out/scores.csv"}, serve=change)
    assert run(pipeline, prove=True).state == "passed"
    bend(home, "serve", "read('out/features.csv')]", "read('out/features.csv')[:90]]")
    assert failed(run(pipeline))[SILENT].value == 10


@pytest.mark.slow
def test_a_model_of_scikit_learn_is_loaded_and_compared(home):
    fitted = """
import pandas as pd
from sklearn.linear_model import LinearRegression
from skops import io
table = pd.read_csv("out/features.csv")
io.dump(LinearRegression().fit(table[["per_head"]], table["tip"]), "out/model.skops")
line = io.load("out/model.skops")
Path("out/model.json").write_text(json.dumps({"slope": line.coef_[0], "intercept": line.intercept_}))
"""
    bend(home, "train", 'Path("out/model.json").write_text(json.dumps({"slope": slope}))', fitted)
    bend(
        home,
        "serve",
        'slope = json.loads(Path("package/model.json").read_text())["slope"]',
        "line = json.loads(Path('package/model.json').read_text())",
    )
    bend(home, "serve", 'slope * row["per_head"]', "line['slope'] * row['per_head'] + line['intercept']")
    changes = {"writes": (MODEL, "out/model.skops")}
    pipeline = shop(home, {"expected": "", "model": "out/model.skops", "send": ()}, train=changes)
    result = run(pipeline, prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven"
    other = (
        "; import pandas as pd; from skops import io; again = io.load('out/model.skops')"
        "; io.dump(again.fit(pd.DataFrame({'per_head': [1.0, 2.0]}), [1, 2]), 'out/model.skops')"
    )
    bend(home, "validate", "# validated", "ok = True" + other)
    found = failed(run(pipeline))
    assert found[CHANGED].cause == "validate: out/model.skops"
    assert SCORES in found  # package and server have the model as it was trained
