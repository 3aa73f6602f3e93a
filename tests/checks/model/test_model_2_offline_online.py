"""``model.2``: experiments whose offline and online changes agree, disagree, are few, old or of another metric."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from mltestscore.inputs.experiments import Experiments
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.offline_online import AGE, AGREEMENT, DEGRADED, ON_METRIC, TAU, agreement, correlation
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ALPHA = 0.0005


def experiments(n: int = 16, relation: float = 0.9, seed: int = 1, **changes: Any) -> Experiments:
    """Experiments a fortnight apart; every fifth tried a degraded model."""
    rng = np.random.default_rng(seed)
    offline = rng.normal(0.2, 1, n)
    online = relation * offline + (1 - relation**2) ** 0.5 * rng.normal(size=n)
    weeks = np.datetime64("2026-10-20", "s") - np.timedelta64(14, "D") * np.arange(n)[::-1]
    given = {"degraded": np.arange(n) % 5 == 0, "metrics": ("roc_auc",) * n, "digest": "experiments"}
    names = tuple(f"test {number}" for number in range(n))
    return Experiments("experiments.csv", offline, online, weeks, names, **{**given, **changes})


def registry(*metrics: str) -> Registry:
    lineage = Lineage("v1", NOW, metrics=dict.fromkeys(metrics or ("roc_auc", "log_loss"), 0.7))
    return Registry("registry", lineage, (lineage,), "registry")


def run(**changes: Any) -> CheckResult:
    given = {"experiments": experiments(), "clock": NOW, "registry": registry()}
    return run_check("model.2", options=changes.pop("options", {}), **{"prove": False, **given, **changes})


def verdicts(result: CheckResult) -> dict[str, str]:
    return {one.name: one.verdict for one in result.findings}


def test_a_sound_history_passes_and_every_planted_fault_is_caught():
    result = run(prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4


def test_ten_good_experiments_are_enough_to_pass_and_to_prove():
    result = run(experiments=experiments(10, 0.98, seed=2), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_without_registry_or_metric_three_faults_remain():
    result = run(registry=None, experiments=experiments(metrics=()), prove=True)
    assert (result.state, result.proof.state, len(result.proof.faults)) == ("passed", "proven", 3)


@pytest.mark.parametrize("missing", ["experiments", "clock"])
def test_without_a_required_input_it_is_not_offered(missing):
    assert run(**{missing: None}).state == "not_offered"


def test_an_offline_metric_that_points_the_other_way_fails():
    assert run(experiments=experiments(15, -0.95)).state == "failed"
    assert verdicts(run(experiments=experiments(15, -0.999)))[TAU] == "failed"


def test_gains_from_a_leak_that_nobody_feels_fail_once_there_are_enough_of_them():
    rng = np.random.default_rng(1)
    found = {}
    for n in (15, 150):
        leaked = experiments(n).replace(offline=0.05 + 0.01 * rng.random(n), online=rng.normal(size=n))
        found[n] = run(experiments=leaked).state
    assert found == {15: "inconclusive", 150: "failed"}


def test_two_reversals_in_fifteen_pass():
    good = experiments(15, 0.95, seed=4)
    online = good.online.copy()
    least = np.argsort(np.abs(good.offline))[:2]
    online[least] = -np.sign(good.offline[least]) * 0.05
    assert run(experiments=good.replace(online=online)).state == "passed"


def test_a_monotone_transform_of_the_metric_changes_nothing():
    plain = run(experiments=experiments(30))
    bent = run(experiments=experiments(30).replace(offline=np.sinh(2 * experiments(30).offline)))
    assert [one.value for one in plain.findings] == [one.value for one in bent.findings]


def test_nine_experiments_decide_nothing_and_say_how_many_would():
    result = run(experiments=experiments(9, 0.99))
    (tau,) = [one for one in result.findings if one.name == TAU]
    assert (result.state, tau.n_to_settle, "9 experiments" in tau.note) == ("inconclusive", 10, True)


def test_experiments_on_another_metric_than_the_releases_fail_and_are_named():
    result = run(registry=registry("precision_at_10"))
    (found,) = [one for one in result.findings if one.name == ON_METRIC]
    assert (found.verdict, found.where) == ("failed", "precision_at_10")
    assert "experiments have roc_auc" in found.cause


def test_older_experiments_on_a_former_metric_are_left_out_and_do_no_harm():
    half = experiments(32)
    mixed = half.replace(
        metrics=("accuracy",) * 16 + ("ROC AUC",) * 16, offline=np.r_[-half.offline[:16], half.offline[16:]]
    )
    result = run(experiments=mixed)
    assert result.state == "passed", result.reason
    assert {one.n for one in result.findings if one.name == TAU} == {16}


@pytest.mark.parametrize(("day", "expected"), [("2026-10-31", "passed"), ("2025-10-30", "failed")])
def test_the_newest_experiment_may_be_a_year_old(day, expected):
    old = experiments()
    result = run(experiments=old.replace(ended=old.ended - old.ended.max() + np.datetime64(day, "s")))
    assert verdicts(result)[AGE] == expected


def test_an_experiment_of_the_future_is_no_young_one():
    future = experiments()
    result = run(experiments=future.replace(ended=future.ended + np.timedelta64(60, "D")))
    assert verdicts(result)[AGE] == "inconclusive"


@pytest.mark.parametrize("degraded", [None, np.zeros(16, dtype=bool)])
def test_without_a_degraded_arm_nothing_is_earned_but_no_harm_is_shown(degraded):
    result = run(experiments=experiments(degraded=degraded))
    assert (result.state, verdicts(result)[DEGRADED]) == ("inconclusive", "inconclusive")
    assert "try one with a little of the traffic" in result.reason


def test_changes_of_nothing_agree_with_nothing_and_a_constant_side_has_no_order():
    still = experiments(16).replace(online=np.zeros(16))
    assert {TAU: "inconclusive", AGREEMENT: "failed"}.items() <= verdicts(run(experiments=still)).items()
    nothing = still.replace(offline=np.zeros(16))
    assert verdicts(run(experiments=nothing))[AGREEMENT] == "inconclusive"


def test_no_experiment_at_all_is_inconclusive():
    empty = experiments(16)
    kept = {"offline": empty.offline[:0], "online": empty.online[:0], "ended": empty.ended[:0], "names": ()}
    result = run(experiments=empty.replace(**kept, degraded=None, metrics=()))
    assert result.state == "inconclusive", result.reason


def test_the_picture_is_sorted_and_the_table_shows_the_newest_first():
    series, table = run().details
    assert series.data["x"] == sorted(series.data["x"])
    assert table.data["rows"][0][:2] == ["test 15", "2026-10-20"]


@pytest.mark.parametrize("n", [10, 15, 40])
def test_healthy_and_hardly_related_systems_raise_no_alarm(n):
    """A true tau of 0.3, 400 clean systems: at one alarm in 2,000, more than two have a chance of 0.001."""
    rng = np.random.default_rng(n)
    r = np.sin(np.pi * 0.3 / 2)
    alarms = 0
    for _ in range(400):
        offline = rng.normal(size=n)
        online = r * offline + (1 - r * r) ** 0.5 * rng.normal(size=n)
        findings = (correlation(offline, online, 0.2, ALPHA / 2), agreement(offline, online, 0.6, ALPHA / 2))
        alarms += any(one.verdict == "failed" for one in findings)
    assert alarms <= 2


def test_unrelated_changes_hardly_ever_pass():
    rng = np.random.default_rng(5)
    passed = 0
    for _ in range(300):
        offline, online = rng.normal(size=(2, 15))
        findings = (correlation(offline, online, 0.2, ALPHA / 2), agreement(offline, online, 0.6, ALPHA / 2))
        passed += all(one.verdict == "passed" for one in findings)
    assert passed / 300 <= 0.05 + 3 * (0.05 / 300) ** 0.5
