"""``infra.3`` on a small pipeline in plain Python whose stages are bent one at a time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mltestscore.inputs.pipeline import RowRule
from mltestscore.testing import run_check
from tests.integration.judging import (
    BLIND,
    CACHED_BY_CONTENT,
    CACHED_ON_ERROR,
    KEPT,
    LEAST,
    REFUSE,
    SCORES,
    STALE,
    STRANGE,
    built,
    failed,
    run,
)
from tests.integration.shop import BILLS, MODEL, TABLE, bend, shop, write_shop


@pytest.fixture
def home(tmp_path):
    return write_shop(tmp_path / "shop")


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
