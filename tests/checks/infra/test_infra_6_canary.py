"""``infra.6`` on real servers, logs and rules: sound ones pass, each fault fails by name, look-alikes do not fail."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.canary import Canary, open_canary
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from tests.canary.team import COLUMNS, candidate, labels, log, ramp, served, with_ramp

LOADED = "starts of the candidate in the serving environment that failed"
ERRORS, ALONE = (
    "errors of the candidate beyond the served model's",
    "share of the candidate in the errors that only one of the two makes",
)
TIMES = "time of an answer against the served model"
SCORES, QUALITY = "disagreement of scores on the same requests", "quality lost against the served model"
LIBRARIES = "libraries of another version than in training"
FIRST, SOAK = "roll-outs that begin with too much traffic", "steps up before the version was tried long enough"
WORSE, SLICES = "steps up in spite of more errors", "difference between the canary's traffic and the rest"
UNLOGGED = "served versions that the log of roll-outs does not know"
PASSED, STOPPED = "bad candidates that the rule lets pass", "sound candidates that the rule stops"
RULE = """
def judge(rows):
    lost = rows["candidate_failed"].mean() - rows["served_failed"].mean()
    mute = rows["candidate_score"].isna().mean() - rows["served_score"].isna().mean()
    apart = (rows["candidate_score"] - rows["served_score"]).abs().mean()
    return lost < 0.05 and mute < 0.05 and apart < 0.1
"""
SOUND = [(0, "v1", 5), (2, "v1", 50), (4, "v1", 100), (200, "v2", 5), (203, "v2", 50), (206, "v2", 100)]

BESIDE = [(0, "v1", 100, 9e4, 1_800), (9, "v1", 95, 57_000, 1_140)]  # errors of 2 %


@pytest.fixture(scope="module")
def current():
    with closing(served()) as endpoint:
        yield endpoint


def run(canary: Canary, prove: bool = False, **inputs: Any) -> CheckResult:
    with closing(canary):
        return run_check("infra.6", canary=canary, prove=prove, **inputs)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    assert result.state != "error", result.reason
    return {found.name: found for found in result.findings if found.verdict == "failed" and not found.advisory}


def test_a_sound_process_passes_and_every_fault_is_caught(tmp_path, current):
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "serving.lock").write_text("numpy==2.1.3\nscikit_learn==1.6.1+cpu  # rebuilt\n")
    (tmp_path / "training.lock").write_text("numpy==2.0.0\nscikit-learn==1.6.0 --hash=sha256:00\n")
    users = pd.DataFrame({"user": np.arange(4_000), "version": np.where(np.arange(4_000) % 10, "v1", "v2")})
    users["origin"] = np.random.default_rng(1).choice(["JFK", "LGA", "EWR"], 4_000)
    parts = {
        "ramp": {"source": ramp(*SOUND), **COLUMNS},
        "traffic": {"source": users, "version": "version", "slices": ["origin"], "unit": "user"},
        "environments": ("serving.lock", "training.lock", ()),
        "decide": "rule:judge",
    }
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    serving = log()
    canary = candidate(tmp_path, noise=0.02, more=parts)
    result = run(canary, prove=True, endpoint=current, serving=serving, outcomes=labels(serving))
    assert (result.state, result.reason) == ("passed", result.reason), result.findings
    assert (result.proof.state, len(result.proof.faults)) == ("proven", 7), result.proof
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rule.py", "serving.lock", "training.lock"]


def test_without_the_input_it_is_not_offered():
    assert run_check("infra.6").state == "not_offered"


@pytest.mark.parametrize(
    ("kind", "name", "cause"),
    [
        ({"library": "sklearn_of_tomorrow"}, LOADED, "No module named 'sklearn_of_tomorrow'"),
        ({"refuses": 1}, LOADED, "cannot read <b>this</b> row"),
        ({"errors": 0.06}, ALONE, "cannot read <b>this</b> row"),
        ({"refuses": 9}, ALONE, "500"),
        ({"nan": 0.08}, ALONE, "finite"),
        ({"shift": 1}, SCORES, ""),
    ],
    ids=["library", "every row", "errors", "some rows", "no numbers", "another row"],
)
def test_a_broken_candidate_is_named(tmp_path, current, kind, name, cause):
    found = failed(run(candidate(tmp_path, **kind), endpoint=current, serving=log()))
    assert name in found
    assert cause in found[name].cause


def test_a_slower_candidate_is_shown_and_left_to_the_item_that_judges_times(tmp_path, current):
    result = run(candidate(tmp_path, waits=0.03), endpoint=current, serving=log(200))
    (found,) = [one for one in result.findings if one.name == TIMES]
    assert (found.verdict, found.advisory, failed(result)) == ("failed", True, {})


@pytest.mark.slow
def test_three_times_the_errors_fail_and_as_many_do_not(tmp_path):
    with closing(served(errors=0.03)) as current:
        for errors, expected in ((0.09, {ALONE}), (0.03, set())):
            found = failed(run(candidate(tmp_path, errors=errors, seed=5), endpoint=current, serving=log(3_000)))
            assert set(found) >= expected
            assert bool(found) == bool(expected)


@pytest.mark.slow
def test_what_labels_show_to_be_better_may_differ_and_what_is_worse_fails(tmp_path):
    serving = log()
    outcomes = labels(serving)
    with closing(served(shift=1)) as stranger:
        better = run(candidate(tmp_path), endpoint=stranger, serving=serving, outcomes=outcomes)
    assert better.state == "passed", better.findings
    with closing(served()) as current:
        worse = run(candidate(tmp_path, noise=0.6), endpoint=current, serving=serving, outcomes=outcomes)
    assert QUALITY in failed(worse)


def test_the_log_stands_for_a_served_model_that_is_not_offered(tmp_path):
    assert run(candidate(tmp_path, noise=0.02), serving=log()).state == "passed"
    assert SCORES in failed(run(candidate(tmp_path, shift=1), serving=log()))
    assert run(candidate(tmp_path)).state == "inconclusive"


def test_a_candidate_may_take_a_column_that_the_served_model_does_not(tmp_path, current):
    frame = log().frame().assign(z=1.0)
    serving = open_dataset("serving", frame, Roles(score="score", key=("id",), features=("id", "x")))
    result = run(candidate(tmp_path, needs="z", more={"features": ["id", "x", "z"]}), endpoint=current, serving=serving)
    assert result.state == "passed", result.findings


def test_a_candidate_that_comes_up_at_the_second_try_is_sound(tmp_path, current):
    result = run(candidate(tmp_path, starts=str(tmp_path / "starts")), endpoint=current, serving=log())
    assert result.state == "passed", result.findings
    assert "second try" in next(found.note for found in result.findings if found.name == LOADED)


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([(0, "v1", 100), (9, "v2", 100)], FIRST),
        ([(0, "v2", "100 %")], FIRST),
        ([(0, "v2", 100), (0, "v1", 0)], FIRST),
        ([(0, "v1", 1.0), (9, "v2", 0.6), (19, "v2", 1.0)], FIRST),
        ([(0, "v1", 100), (9, "v2", 5), (9.01, "v2", 100)], SOAK),
        ([*BESIDE, (9, "v2", 5, 3_000, 120), (19, "v2", 100, 0, 0)], WORSE),
    ],
    ids=["at once", "alone", "in place of", "most of it", "no soak", "errors"],
)  # fmt: skip
def test_a_bad_ramp_is_named(tmp_path, steps, name):
    assert set(failed(run(with_ramp(tmp_path, *steps)))) == {name}


@pytest.mark.parametrize(
    "steps",
    [
        SOUND,
        [(0, "v1", 1.0), *((9 + i / 60, "v2", 0.05 + (i % 7 - 3) / 1_000) for i in range(60)), (19, "v2", 0.249),
         (19.01, "v2", 0.262), (29, "v2", 1.0)],
        [(0, "v1", 100), (9, "v2", 5), (9, "v1", 95), (19, "v2", 50), (19, "v1", 50), (29, "v2", 100), (29, "v1", 0)],
        [(0, "v1", 100), (9, "v2", 5), (12, "v2", 0), (12, "v1", 100), (30, "v2", 5), (40, "v2", 100), (50, "v2", 0),
         (50, "v1", 100)],
        [(0, "v1", 1), (9, "v2", 0.05), (9.02, "v2", 0.05), (9.04, "v2", 0.05), (19, "v2", 1)],
        [*BESIDE, (9, "v2", 5, 3_000, 63), (19, "v2", 100, 0, 0)],
        [(0, "v1", 100, 9e4, 0), (9, "v2", 5, 3_000, 0), (9, "v1", 95, 57_000, 0), (19, "v2", 100, 0, 0)],
        [(0, "v1", 100, 9e4, 900), *((9 + i / 8, "v2", 5, 300, 60 * (i == 3)) for i in range(8)),
         *((9 + i / 8, "v1", 95, 5_700, 600 * (i == 5)) for i in range(8)), (19, "v2", 100, 0, 0)],
    ],
    ids=["three", "measured", "both sides", "rolled back", "repeated", "5 % more by chance", "no errors", "bursts"],
)  # fmt: skip
def test_a_sound_ramp_is_not_accused(tmp_path, steps):
    result = run(with_ramp(tmp_path, *steps), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), result.findings


@pytest.mark.parametrize(
    ("version", "found"),
    [("v2", "passed"), ("2", "passed"), ("v9", "failed"), ("v3", "failed"), ("1700000000", "silent")],
)
def test_the_served_version_is_in_the_log_under_its_name_or_its_number(tmp_path, version, found):
    published = SimpleNamespace(versions=[SimpleNamespace(version=name) for name in ("v1", "v2", "v3")])
    with closing(served(version=version)) as endpoint:
        endpoint.predict(log(1).frame(columns=["id", "x"]))  # after which it is known which version answers
        result = run(with_ramp(tmp_path, *SOUND), endpoint=endpoint, registry=published)
    assert ([one.verdict for one in result.findings if one.name == UNLOGGED] or ["silent"]) == [found]


def test_a_log_without_a_roll_out_decides_nothing(tmp_path):
    assert run(with_ramp(tmp_path, (0, "v1", 60), (3, "v1", 100), (4, "v2", 0))).state == "inconclusive"


def traffic(folder: Path, easy: float, rows: int = 4_000) -> Canary:
    """Return a log of requests of which ``easy`` of the canary's come from one airport beyond its share."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"version": rng.choice(["v1", "v2"], rows, p=[0.9, 0.1])})
    frame["origin"] = rng.choice(["JFK", "LGA", "EWR"], rows)
    frame.loc[(frame["version"] == "v2") & (rng.random(rows) < easy), "origin"] = "LGA"
    return open_canary(folder, traffic={"source": frame, "version": "version", "slices": ["origin"]})


def test_a_canary_of_one_slice_fails_and_a_hash_does_not(tmp_path):
    assert SLICES in failed(run(traffic(tmp_path, 1.0), prove=False))
    sound = run(traffic(tmp_path, 0.02), prove=True)
    assert (sound.state, sound.proof.state) == ("passed", "proven"), sound.findings


@pytest.mark.parametrize(
    ("rule", "name", "cause"),
    [
        ("return True", PASSED, "errors, other scores, no numbers"),
        ("return 'block'", STOPPED, ""),
        ("return rows['candidate_failed'].mean() < 0.1", PASSED, "other scores, no numbers"),
    ],
    ids=["always", "never", "errors only"],
)
def test_a_rule_that_stops_too_little_or_too_much_is_found(tmp_path, rule, name, cause):
    (tmp_path / "rule.py").write_text(f"def judge(rows):\n    {rule}\n")
    found = failed(run(open_canary(tmp_path, decide="rule:judge"), serving=log()))
    assert set(found) == {name}
    assert found[name].cause == cause


@pytest.mark.slow
def test_a_rule_may_be_a_command_and_a_broken_one_is_an_error(tmp_path):
    (tmp_path / "rule.py").write_text(
        "import pandas, sys\n" + RULE + "\nsys.exit(0 if judge(pandas.read_csv(sys.argv[1])) else 1)\n"
    )
    canary = open_canary(tmp_path, decide=["{python}", "rule.py", "{results}"])
    assert run(canary, serving=log()).state == "passed"
    for text, said in (
        ("def judge(rows): return 3", "returned int 3"),
        ("def judge(rows): 1 / 0", "ZeroDivisionError"),
    ):
        (tmp_path / "rule.py").write_text(text)
        result = run(open_canary(tmp_path, decide="rule:judge"), serving=log())
        assert result.state == "error"
        assert said in result.reason


@pytest.mark.parametrize(
    ("serving", "libraries", "cause"),
    [
        ("numpy==1.26.4\nscikit-learn==1.6.1", (), "numpy 2.1.0 → 1.26.4"),
        ("numpy==2.1.0\nscikit-learn==1.5.2", (), "scikit-learn 1.6.1 → 1.5.2"),
        ("numpy==2.1.0", ("scikit-learn",), "scikit-learn 1.6.1 → none"),
    ],
    ids=["major", "minor", "missing"],
)
def test_other_libraries_in_service_are_named(tmp_path, serving, libraries, cause):
    (tmp_path / "serving.txt").write_text(serving)
    (tmp_path / "training.json").write_text('{"libraries": {"numpy": "2.1.0", "scikit-learn": "1.6.1"}}')
    canary = open_canary(tmp_path, environments=("serving.txt", "training.json", libraries))
    assert failed(run(canary))[LIBRARIES].cause == cause


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({}, ConfigError, "is empty"),
        ({"command": ["no-such-program-6", "{port}"]}, ConfigError, "no program"),
        ({"environments": ("a.lock", "", ())}, ConfigError, "training_environment"),
        ({"decide": ["rule"]}, ConfigError, "{results}"),
        ({"decide": "rule"}, ConfigError, "module:function"),
        ({"ramp": {"source": ramp((0, "v1", 5)), **COLUMNS, "share": "shares"}}, InputError, "'share'"),
        ({"ramp": {"source": ramp((0, "v1", 5)), **COLUMNS, "errors": "share"}}, ConfigError, "together"),
    ],
)
def test_what_cannot_be_opened_is_said(tmp_path, settings, error, said):
    with pytest.raises(error, match=said):
        open_canary(tmp_path, **settings)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([(0, "v1", 5), (1, "v1", "half")], "hold no share, such as 'half'"),
        ([(0, "v1", 5), (1, "v1", 140)], "hold no share"),
        ([(0, "v1", 5, 10, -1)], "counts below 0"),
    ],
)
def test_a_log_that_holds_nonsense_is_an_error(tmp_path, steps, said):
    result = run(with_ramp(tmp_path, *steps))
    assert result.state == "error"
    assert said in result.reason
