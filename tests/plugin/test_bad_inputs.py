"""Inputs that are missing, damaged or something else: one message each, in pytest's output and on the scorecard."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable

import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from .refusals import Reasons, told, uses

SOUND_ROWS = "a,label\n" + "1,0\n2,1\n" * 20
DATASETS = ("training", "holdout", "serving", "recomputed", "outcomes")
FITTED = ("model", "previous_model")
OTHERS = (
    *(
        "endpoint",
        "schema",
        "registry",
        "catalogue",
        "trainer",
        "repository",
        "forge",
        "experiments",
        "tuning",
        "max_age",
        "history",
    ),
    "clock",
)


@pytest.fixture
def reasons(project) -> Reasons:
    """Return a function that writes settings and files, runs one check an input, and returns what each said."""

    def run(names: Iterable[str], settings: str = "", conftest: str = "", **files: str | bytes) -> dict[str, str]:
        project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text() + settings)
        project.write("conftest.py", f"import pytest\n{conftest}")
        project.write("quality/lengths.py", uses(names))
        for name, content in files.items():
            project.write(name, content if isinstance(content, str) else "")
            if isinstance(content, bytes):
                (project.folder / name).write_bytes(content)
        return told(project, project.run("-k", "check_uses or check_sound"))

    return run


def test_data_that_cannot_be_used_are_named_with_key_and_remedy(reasons):
    sources = {
        "training": 'source = "data/trainng.csv"',
        "holdout": 'source = "data/header.csv"',
        "serving": 'source = "data/empty.csv"',
        "recomputed": 'source = "data/damaged.parquet"',
        "outcomes": 'source = "data/training.csv"\nlabel = "lable"',
    }
    settings = "".join(f"[tool.mltestscore.data.{name}]\n{source}\n" for name, source in sources.items())

    said = reasons(
        sources,
        settings,
        **{
            "data/training.csv": SOUND_ROWS,
            "data/damaged.parquet": b"PAR1 is not all that it takes",
            "data/empty.csv": "",
            "data/header.csv": "a,label\n",
        },
    )

    for name in sources:
        assert f"[tool.mltestscore.data.{name}] of" in said[name]
        assert "pyproject.toml" in said[name]
    assert "no file 'data/trainng.csv'" in said["training"]
    assert "Did you mean 'training.csv'?" in said["training"]
    assert "data/damaged.parquet as parquet" in said["recomputed"]
    assert "Is it complete" in said["recomputed"]
    assert "SELECT" not in said["recomputed"]
    assert "data/empty.csv is empty (0 bytes); write it again" in said["serving"]
    assert "(data/header.csv) has no rows; its columns are a, label." in said["holdout"]
    assert "the role 'label' names the column 'lable'" in said["outcomes"]
    assert "Did you mean 'label'?" in said["outcomes"]


def test_a_fixture_that_returns_the_wrong_thing_is_named_with_its_file_and_what_was_expected(reasons):
    names = (*DATASETS, *FITTED, *OTHERS)
    fixture = "@pytest.fixture(scope='session')\ndef {}():\n    return 5\n"

    said = reasons(names, conftest="".join(map(fixture.format, names)))

    for name in names:
        assert f"The fixture {name!r} in " in said[name]
        assert "conftest.py returned" in said[name]
    for name in DATASETS:
        assert "an int is not data; expected a path, glob" in said[name]
    for name in FITTED:
        assert "expected a fitted estimator or a function that scores a frame" in said[name]
    for name in OTHERS:
        assert "Return one, or give your own fixture another name." in said[name]


def test_a_fixture_that_ends_the_process_or_fails_is_named_and_ends_nothing(reasons):
    conftest = """
import sys
@pytest.fixture
def training():
    sys.exit("no licence")
@pytest.fixture
def holdout():
    pytest.fail("the warehouse is down")
"""
    said = reasons(["training", "holdout"], conftest=conftest)

    assert "The fixture 'training' raised SystemExit: no licence" in said["training"]
    assert "The fixture 'holdout' raised Failed: the warehouse is down" in said["holdout"]


def test_a_batch_without_rows_is_not_offered_and_no_error(project):
    table = '[tool.mltestscore.data.serving]\nsource = "data/header.csv"\n'
    project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text() + table)
    project.write("data/header.csv", "a,label\n")
    project.write("quality/lengths.py", uses(["serving"]))

    assert told(project, project.run("-k", "check_uses or check_sound")) == {}

    checks = {check["id"]: check for item in project.scorecard()["items"] for check in item["checks"]}
    (asked,) = [check for id, check in checks.items() if id != "sound"]
    assert asked["state"] == "not_offered"
    assert "header.csv has no rows, but columns (a, label); offer a batch with rows" in asked["reason"]


def test_a_time_without_zone_counts_as_utc(reasons):
    conftest = "import datetime\n@pytest.fixture\ndef clock():\n    return datetime.datetime(2026, 11, 1)\n"

    assert reasons(["clock", "past"], conftest=conftest) == {}


def _fitted(**columns: list[float]) -> LogisticRegression:
    return LogisticRegression().fit(pd.DataFrame(columns), [0, 0, 1, 1])


MODEL = _fitted(b=[0.0, 1.0, 2.0, 3.0])
MODELS = {
    "missing": ('path = "modl.skops"', skops.io.dumps(MODEL), ["modl.skops", "Did you mean 'model.skops'?"]),
    "empty": ('path = "model.skops"', b"", ["model.skops is empty; write the model again"]),
    "damaged": ('path = "model.skops"', b"PK and nonsense", ["does not load as skops", "Is it complete"]),
    "unfitted": ('path = "model.skops"', skops.io.dumps(LogisticRegression()), ["model.skops", "is not fitted"]),
    "unsafe": ('path = "model.skops"', pickle.dumps(MODEL), ["does not load as skops"]),
    "pickle": ('path = "model.joblib"', pickle.dumps(MODEL), ["skops.io.dump", "allow_pickle = true"]),
    "no model": (
        'path = "model.joblib"\nallow_pickle = true',
        pickle.dumps([1]),
        ["model.joblib", "is a list; expected"],
    ),
    "code": ('path = "model.joblib"\nallow_pickle = true', b"cos\nno_such\n(", ["does not load as joblib or pickle"]),
    "ends": ('path = "model.joblib"\nloader = "sys:exit"', b"x", ["loader 'sys:exit' raised SystemExit"]),
    "features": ('path = "model.skops"', skops.io.dumps(MODEL), ["asks for 1 feature(s)", "first 'b'", "Known: 'a'"]),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_used_is_named_with_key_and_remedy(reasons, case):
    table, content, expected = MODELS[case]
    file = "model.joblib" if "joblib" in table else "model.skops"
    settings = f'[tool.mltestscore.data.training]\nsource = "training.csv"\n[tool.mltestscore.model]\n{table}\n'

    said = reasons(["prediction"], settings, **{"training.csv": SOUND_ROWS, file: content})

    for part in expected:
        assert part in said["prediction"]
    if case != "features":  # there the model is sound, and the message names it and the data
        assert "[tool.mltestscore.model]" in said["prediction"]


SUITE = {"name": "sample", "expectations": [{"type": "expect_column_value_to_be_between", "kwargs": {"column": "a"}}]}
RECORDS = {
    "cut": (
        {"suite.json": '{"expectations": [', "versions/7/lineage.json": '{"trained_at":', "versions/current": "7"},
        ["suite.json: line 1 is not JSON", "Correct that line."],
        ["versions/7/lineage.json is not valid JSON", "Correct that line."],
    ),
    "no pointer": (
        {"suite.json": "[]", "versions/7/lineage.json": '{"trained_at": "2026-11-01T00:00:00Z"}'},
        ["suite.json: found a list", "expected a Great Expectations 1.x suite"],
        ["versions/current is missing; write the version in service into it, such as '7'"],
    ),
    "near names": (
        {"suite.json": json.dumps(SUITE), "versions/7/lineage.json": '{"trainedat": ""}', "versions/current": "7"},
        ["there is no such type", "Did you mean 'expect_column_values_to_be_between'"],
        ["'trainedat' is not a known key", "Did you mean 'trained_at'?"],
    ),
    "bytes": (
        {"suite.json": b"\xff\xfe", "versions/7/lineage.json": b"\xff\xfe", "versions/current": "7"},
        ["suite.json: cannot be read", "Make it a readable UTF-8 file."],
        ["versions/7/lineage.json cannot be read", "Make it a readable UTF-8 file."],
    ),
    "endless": (
        {"suite.json": "[" * 100_000, "versions/7/lineage.json": "[" * 100_000, "versions/current": "7"},
        ["suite.json: it is nested far too deep"],
        ["versions/7/lineage.json is not valid JSON"],
    ),
    "gone": (
        {"suites.json": "{}", "version/current": "7"},
        ["there is no file", "Did you mean 'suites.json'?"],
        ["there is no folder", "Did you mean 'version'?"],
    ),
}


@pytest.mark.parametrize("case", RECORDS)
def test_a_malformed_schema_or_registry_is_named_with_the_place_and_the_remedy(reasons, case):
    files, of_schema, of_registry = RECORDS[case]
    settings = '[tool.mltestscore.schema]\npath = "suite.json"\n[tool.mltestscore.registry]\npath = "versions"\n'

    said = reasons(["schema", "registry"], settings, **files)

    for part in (*of_schema, "[tool.mltestscore.schema]"):
        assert part in said["schema"]
    for part in (*of_registry, "[tool.mltestscore.registry]"):
        assert part in said["registry"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"features.toml": "[features.a]\nownr = 1"}, "features.a.ownr is not a known key. Did you mean 'owner'?"),
        ({"features.toml": "[features"}, "features.toml is not valid TOML"),
        ({"feature.toml": ""}, "Did you mean 'feature.toml'?"),
    ],
)
def test_a_malformed_catalogue_is_named_with_the_place_and_the_remedy(reasons, files, says):
    said = reasons(["catalogue"], '[tool.mltestscore.catalogue]\npath = "features.toml"\n', **files)

    assert says in said["catalogue"]
    assert "[tool.mltestscore.catalogue]" in said["catalogue"]


TRAINING = """
import time, sys
def train(frame, seed): ...
def raises(frame, seed): raise ValueError("no label")
def hangs(frame, seed): time.sleep(600)
def ends(frame, seed): sys.exit(3)
"""
TRAINERS = ["training:trian", "trainig:train", "training:train", "training:raises", "training:hangs", "training:ends"]


def test_a_trainer_that_is_not_found_raises_hangs_or_ends_is_told_without_a_traceback(reasons):
    settings = '[tool.mltestscore.data.training]\nsource = "training.csv"\n[tool.mltestscore.trainer]\ncall = "x:y"\n'

    said = reasons(["all_trainings"], settings, **{"training.csv": SOUND_ROWS, "training.py": TRAINING})

    for name in TRAINERS:
        assert name in said["all_trainings"]
    for part in (
        "has no function 'trian'. Did you mean 'train'?",
        "there is no module 'trainig'",
        "training:train returned NoneType; it must return the fitted estimator",
        "ValueError: no label\n  at ",
        "training.py, line 4, in raises",
        "was still training after 6 s and was stopped. Give it more time (option timeout)",
        "exit status 3",
    ):
        assert part in said["all_trainings"]
