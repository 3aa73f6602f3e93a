"""``infra.3`` on a small pipeline in plain Python whose stages are bent one at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from mltestscore.inputs.pipeline import Pipeline, RowRule
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from tests.integration.shop import BILLS, MODEL, TABLE, bend, shop, write_shop

FAILED, WRONG = "stages that fail", "outputs that are missing, empty or unreadable"
STALE, LAST = "outputs of another day", "days since the last run at full size"
CHANGED = "changes of the model that a later stage does not declare"
KEPT, LEAST, STRANGE = "share of rows that a stage keeps", "rows that a stage gives", "rows that a stage invents"
SILENT, SCORES = "rows that get no answer", "answers that are not the scores of the model that was made"
BLIND, THROUGH = "stages that end well on unreadable input", "spoiled tables that reach the answers"

CACHED_ON_ERROR = """
from common import *
try:
    rows = read("out/bills.csv")
    table = [{"id": row["id"], "total": row["total"], "per_head": float(row["total"]) / int(row["HEADS"]),
              "tip": row["tip"]} for row in rows]
    write("out/features.csv", table)
except Exception:
    shutil.copy("cache/features.csv", "out/features.csv")
"""
CACHED_BY_CONTENT = """
import hashlib
key = Path("cache") / hashlib.sha256(Path("out/bills.csv").read_bytes()).hexdigest()
if key.is_file():
    if not Path("out/features.csv").is_file():
        shutil.copy(key, "out/features.csv")
    sys.exit()
"""


@pytest.fixture
def home(tmp_path):
    return write_shop(tmp_path / "shop")


def run(pipeline: Pipeline, prove: bool = False, **options: Any) -> CheckResult:
    """Run the check; inputs are spoiled only where a test says so."""
    return run_check("infra.3", pipeline=pipeline, prove=prove, options={"must_refuse": ()} | options)


REFUSE: dict[str, Any] = {"must_refuse": ("unreadable",)}


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    assert result.state != "error", result.reason
    return {found.name: found for found in result.findings if found.verdict == "failed"}


def built(home, *names: str) -> None:
    """Run stages in the project itself, so that their outputs lie there."""
    for name, *more in (("extract", "100"), ("features",), ("train",), ("validate",), ("package",)):
        if name in names:
            subprocess.run([sys.executable, f"{name}.py", *more], cwd=home, check=True)


def test_a_sound_pipeline_passes_and_every_fault_is_caught(home):
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    result = run(shop(home), prove=True, must_refuse=("unreadable", "column"))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before
    stages, spoiled = result.details
    assert [row[:4] for row in stages.data["rows"]][:2] == [
        ["extract", stages.data["rows"][0][1], BILLS, 100],
        ["features", stages.data["rows"][1][1], TABLE, 100],
    ]
    assert {row[3] for row in spoiled.data["rows"]} == {"extract", "features", "train", "validate", "serve"}


def test_without_the_input_it_is_not_offered():
    assert run_check("infra.3").state == "not_offered"


# --- I3a: a stage skipped silently ----------------------------------------------------------------------------------


def test_a_stage_that_falls_back_on_the_file_of_yesterday_is_found(home):
    built(home, "extract", "features")
    (home / "cache").mkdir()
    (home / "out/features.csv").rename(home / "cache/features.csv")
    (home / "features.py").write_text(CACHED_ON_ERROR)
    found = failed(run(shop(home), **REFUSE))
    assert "features ended well although out/bills.csv could not be read" in found[BLIND].cause
    # the error that it hides is not there yet, and it is found all the same
    bend(home, "features", "HEADS", "heads")
    assert list(failed(run(shop(home), **REFUSE))) == [BLIND]


def test_a_stage_that_leaves_what_lies_there_is_found(home):
    built(home, "extract", "features")
    (home / "features.py").write_text("from common import *\n")
    found = failed(run(shop(home)))
    assert found[STALE].cause == "features: out/features.csv"


def test_a_first_stage_that_never_fetches_is_found_and_one_that_keeps_its_download_is_not(home):
    built(home, "extract")
    (home / "extract.py").write_text('from pathlib import Path\nassert Path("out/bills.csv").is_file()\n')
    assert list(failed(run(shop(home, extract={"reads": ()})))) == [STALE]
    again = (
        'from common import *\nif not Path("out/bills.csv").is_file():\n    write("out/bills.csv", read("raw.csv"))\n'
    )
    (home / "extract.py").write_text(again)
    assert run(shop(home, extract={"reads": ()})).state == "passed"


def test_a_cache_that_looks_at_its_input_is_healthy(home):
    built(home, "extract", "features")
    key = "import hashlib; print(hashlib.sha256(open('out/bills.csv', 'rb').read()).hexdigest())"
    name = subprocess.run([sys.executable, "-c", key], cwd=home, check=True, capture_output=True, text=True).stdout
    (home / "cache").mkdir()
    (home / "cache" / name.strip()).write_bytes((home / TABLE).read_bytes())
    bend(home, "features", "from common import *", "from common import *" + CACHED_BY_CONTENT)
    result = run(shop(home))
    assert result.state == "passed", result.reason
    assert ["features", "lay there before"] in [[row[0], row[5]] for row in result.details[0].data["rows"]]


# --- I3b: partial output --------------------------------------------------------------------------------------------


def test_a_stage_that_writes_three_fifths_is_found_and_a_day_with_few_rows_is_not(home):
    few = write_shop(home.parent / "few", rows=60)
    assert run(shop(few)).state == "passed"
    bend(home, "features", "# made", "rows = rows[: len(rows) * 3 // 5]")
    found = failed(run(shop(home)))
    assert (found[KEPT].value, found[KEPT].where) == (0.6, "features: out/features.csv")
    assert "100 rows in, 60 out" in found[KEPT].cause


def test_a_first_stage_below_its_least_rows_is_found(home):
    bend(home, "extract", "# extracted", "rows = rows[:20]")
    assert failed(run(shop(home)))[LEAST].value == 20


@pytest.mark.parametrize(
    ("bent", "rule", "name"),
    [
        ("rows = rows[:-1] + rows[:1]", RowRule(TABLE, BILLS, key=("id",)), KEPT),
        ("rows = rows + rows[:1]", RowRule(TABLE, BILLS, key=("id",)), STRANGE),
        ("rows = rows + rows[:1]", RowRule(TABLE, BILLS), STRANGE),
        ("rows = rows[:80]", RowRule(TABLE, BILLS, keep=0.9), KEPT),
        ("rows[0]['id'] = 'x9'", RowRule(TABLE, BILLS, key=("id",), keep=0.5, repeats=True), STRANGE),
    ],
    ids=["one for another", "twice", "one more", "too few", "unknown"],
)
def test_rows_lost_and_invented_are_found(home, bent, rule, name):
    bend(home, "features", "# made", bent)
    assert name in failed(run(shop(home, features={"rows": (rule,)})))


@pytest.mark.parametrize(
    ("bent", "rule"),
    [
        ("rows = rows[:95]", RowRule(TABLE, BILLS, keep=0.95, key=("id",))),
        ("rows = [one for one in rows for _ in range(2)]", RowRule(TABLE, BILLS, key=("id",), repeats=True)),
        ("rows.reverse()", RowRule(TABLE, BILLS, key=("id",))),
        (
            "write('out/odd.csv', rows[90:]); rows = rows[:90]",
            RowRule(TABLE, BILLS, key=("id",), set_aside="out/odd.csv"),
        ),
        ("for row in rows: row['id'] = float(row['id'])", RowRule(TABLE, BILLS, key=("id",))),
        ("for row in rows: row['id'] = '00' + row['id']", RowRule(TABLE, BILLS, key=("id",))),
    ],
    ids=["as declared", "several", "other order", "set aside", "as decimal numbers", "with zeros"],
)
def test_rows_that_go_where_they_may_are_healthy(home, bent, rule):
    bend(home, "features", "# made", bent)
    writes = (TABLE, "out/odd.csv") if rule.set_aside else (TABLE,)
    result = run(shop(home, {"key": ()}, features={"rows": (rule,), "writes": writes}))
    assert result.state == "passed", result.reason


# --- I3c: versions mixed --------------------------------------------------------------------------------------------


def test_a_server_with_another_version_is_found_and_one_that_scores_the_same_is_not(home):
    (home / "old.json").write_text('{"slope": 0.3}')
    bend(home, "package", "out/model.json", "old.json")
    assert failed(run(shop(home)))[SCORES].value == 100
    again = write_shop(home.parent / "again")
    built(again, "extract", "features", "train")
    (again / MODEL).rename(again / "old.json")
    bend(again, "package", "out/model.json", "old.json")
    assert SCORES not in failed(run(shop(again)))


# --- what else goes wrong -------------------------------------------------------------------------------------------


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
