"""``data.3``: what features cost, held to budgets, to what they gain and to how often they may be missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.catalogue import Catalogue, Cost, read_catalogue
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.result import CheckResult
from mltestscore.testing import run_check
from tests.codetests.shop import features, untested, write

FEATURES = ("speed", "load", "heat", "noise", "kind")
BUDGET = {"budget_ms": 10.0, "budget_calls": 100.0}
COST, GAIN, MISSING = "cost of all features", "gain of costly features", "rows without a value"


def catalogue() -> Catalogue:
    return read_catalogue(
        {
            "features": {
                "speed": {"cost": {"compute_ms": 3, "store_calls": 1}},
                "load": {"cost": "query", "source": "sensors"},
                "heat": {"cost": "query", "source": "sensors", "null_share": 0.1},
                "noise": {"cost": {"compute_ms": 0.01, "store_calls": 1}},
                "kind": {"cost": {"compute_ms": 0, "store_calls": 0}},
            },
            "costs": {"query": {"compute_ms": 2, "store_calls": 1}},
            "sources": {"sensors": {"late_share": 0.02}},
        }
    )


def rows(n: int = 4000, seed: int = 0, *, missing: float = 0.05) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=FEATURES[:4]).assign(kind=rng.choice(["a", "b"], n))
    signal = frame["speed"] + frame["load"] - frame["heat"]
    frame["late"] = (signal + rng.logistic(size=n) > 0).astype(int)
    frame["value"] = signal + rng.normal(size=n)
    frame["grade"] = np.array(["a", "b", "c"])[np.digitize(frame["value"], [-1, 1])]
    frame["heat"] = frame["heat"].where(rng.random(n) >= missing)
    return frame.assign(id=np.arange(n), hour=np.arange(n) // 20)


def data(frame: pd.DataFrame, name: str = "holdout", label: str = "late", cluster: str = "") -> Dataset:
    return open_dataset(name, frame, Roles(label=label, key=("id",), cluster=cluster, features=FEATURES))


def signal(frame: pd.DataFrame) -> np.ndarray:
    return (frame["speed"] + frame["load"] - frame["heat"].fillna(0)).to_numpy(dtype=float)


def model() -> Model:
    return as_model(lambda frame: 1 / (1 + np.exp(-signal(frame))), task="binary", features=FEATURES)


def run(**changes: Any) -> CheckResult:
    options = {**BUDGET, **changes.pop("options", {})}
    given = {"catalogue": catalogue(), "model": model(), "holdout": data(rows())}
    return run_check("data.3", options=options, **{"prove": False, **given, **changes})


def failed(result: CheckResult) -> set[tuple[str, str]]:
    return {(one.name, one.where) for one in result.findings if one.verdict == "failed"}


def dear(feature: str, **cost: float) -> Catalogue:
    return catalogue().declare("features", feature, cost=Cost(**cost))


def test_a_sound_system_passes_and_every_planted_fault_is_caught():
    result = run(prove=True, serving=data(rows(500, 1).drop(columns="late"), "serving", ""))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 3


def test_the_serving_path_is_measured_where_it_is_offered(tmp_path):
    offered = features(write(tmp_path))
    result = run(features=offered, prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4
    found = {one.where: one.value for one in result.findings if one.name == "measured cost of the serving path"}
    assert found["store calls"] == 0
    assert 0 < found["compute time"] < 10


def test_a_serving_path_that_asks_more_often_than_declared_fails(tmp_path):
    again = features(write(tmp_path)).wrapped("online", "mltestscore.codetests.path_faults:asking_again")
    assert failed(run(features=again)) == {("measured cost of the serving path", "store calls")}


def test_feature_code_without_a_serving_path_is_not_measured(tmp_path):
    result = run(features=untested(write(tmp_path)), prove=True)
    assert (result.state, len(result.proof.faults)) == ("passed", 3)


@pytest.mark.parametrize("missing", ["catalogue", "model", "holdout"])
def test_without_a_required_input_it_is_not_offered(missing):
    result = run(**{missing: None})
    assert (result.state, missing in result.reason) == ("not_offered", True)


@pytest.mark.parametrize("budget", ["budget_ms", "budget_calls", "budget_mb"])
def test_one_budget_is_enough_to_prove_it(budget):
    said = catalogue()
    for name in FEATURES:
        said = said.declare("features", name, cost=Cost(compute_ms=1, store_calls=1, memory_mb=1))
    only = dict.fromkeys(("budget_ms", "budget_calls", "budget_mb")) | {budget: 200.0}
    result = run(prove=True, catalogue=said, options=only)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (dear("speed", compute_ms=40, store_calls=1), {(COST, "compute time")}),
        (dear("kind", compute_ms=0, store_calls=4000), {(COST, "store calls"), (GAIN, "kind")}),
        (dear("noise", compute_ms=4, store_calls=1), {(GAIN, "noise")}),
        (catalogue().declare("costs", "query", compute_ms=8, store_calls=1), {(COST, "compute time")}),
        (catalogue().declare("features", "heat", null_share=0.01), {(MISSING, "holdout: heat")}),
    ],
    ids=["slow but useful", "a call a row", "useless and slow", "shared query too slow", "missing too often"],
)
def test_what_costs_too_much_fails_by_name(said, expected):
    assert failed(run(catalogue=said)) == expected


@pytest.mark.parametrize(
    ("said", "options"),
    [
        (dear("speed", compute_ms=40, store_calls=1), {"budget_ms": 100.0}),
        (dear("noise", compute_ms=0.4, store_calls=1), {}),
        (catalogue(), {"budget_ms": None}),
        (catalogue().declare("features", "noise", null_share=0.0), {}),
        (catalogue(), {"max_late_share": 0.02, "max_sources": 1.0}),
    ],
    ids=["40 ms, useful and within budget", "useless and cheap", "one budget", "nothing missing", "upstream in limits"],
)
def test_healthy_look_alikes_pass(said, options):
    result = run(catalogue=said, options=options)
    assert result.state == "passed", result.reason


def test_upstream_limits_are_held_where_declared():
    result = run(options={"max_late_share": 0.01, "max_sources": 0.0})
    assert failed(result) == {("requests with a late source", "query"), ("upstream sources", "query")}


def test_what_was_served_may_not_miss_more_than_declared_either():
    result = run(serving=data(rows(3000, 1, missing=0.4).drop(columns="late"), "serving", ""))
    assert failed(result) == {(MISSING, "serving: heat")}


def test_twins_that_are_paid_together_are_not_called_useless():
    frame = rows()
    frame["heat"] = frame["load"]
    blind = as_model(
        lambda some: 1 / (1 + np.exp(-(some["speed"] + (some["load"] + some["heat"]) / 2).to_numpy(dtype=float))),
        task="binary",
        features=FEATURES,
    )
    result = run(model=blind, holdout=data(frame))
    assert result.state == "passed", result.reason


@pytest.mark.parametrize("seed", range(5))
def test_a_weak_but_costly_feature_is_not_accused_by_chance(seed):
    frame = rows(3000, seed)
    weak = as_model(
        lambda some: 1 / (1 + np.exp(-(signal(some) + 0.15 * some["noise"]).to_numpy(dtype=float))),
        task="binary",
        features=FEATURES,
    )
    rng = np.random.default_rng(seed)
    frame["late"] = (signal(frame) + 0.15 * frame["noise"] + rng.logistic(size=len(frame)) > 0).astype(int)
    found = run(model=weak, holdout=data(frame, cluster="hour"), catalogue=dear("noise", compute_ms=1, store_calls=1))
    assert found.state != "failed", found.reason


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"options": {"budget_ms": None, "budget_calls": None}}, "set budget_ms, budget_calls or budget_mb"),
        ({"options": {"budget_mb": 100.0}}, "write memory_mb into the catalogue"),
        ({"holdout": data(rows(300))}, "at least 500 are needed"),
        ({"holdout": data(rows().assign(late=1))}, "all labels of the holdout are the same"),
    ],
)
def test_what_is_not_known_is_not_decided(changes, says):
    result = run(**changes)
    assert result.state == "inconclusive"
    assert any(says in one.note for one in result.findings), result.findings


def test_an_unknown_cost_does_not_excuse_a_known_excess():
    said = dear("kind").declare("features", "speed", cost=Cost(compute_ms=11, store_calls=1))
    assert (COST, "compute time") in failed(run(catalogue=said))


def test_a_feature_outside_the_catalogue_has_an_unknown_cost():
    result = run(
        model=as_model(lambda frame: np.full(len(frame), 0.5), task="binary", features=(*FEATURES, "hour")),
    )
    assert any("first 'hour'" in one.note for one in result.findings)


@pytest.mark.parametrize(("label", "task"), [("value", "regression"), ("grade", "multiclass")])
def test_numbers_and_more_classes_are_judged_too(label, task):
    def scores(frame: pd.DataFrame) -> np.ndarray:
        if task == "regression":
            return signal(frame)
        mass = np.exp(np.column_stack([-signal(frame), np.full(len(frame), 0.5), signal(frame)]))
        return mass / mass.sum(axis=1, keepdims=True)

    given = as_model(scores, task=task, features=FEATURES)
    result = run(model=given, holdout=data(rows(), label=label), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_no_label_column_is_not_offered():
    result = run(holdout=data(rows(), label=""))
    assert (result.state, "label" in result.reason) == ("not_offered", True)


def test_the_table_shows_costs_beside_gains_with_the_worst_bargain_on_top():
    (table,) = run(catalogue=dear("noise", compute_ms=4, store_calls=1)).details
    first = dict(zip(table.data["columns"], table.data["rows"][0], strict=True))
    assert (first["paid together"], first["compute time, ms"], first["share of a budget"]) == ("noise", 4.0, 0.4)
    assert first["gain in roc_auc"] == 0.0
    assert [row[0] for row in table.data["rows"]] == ["noise", "speed", "query", "kind"]


def test_the_verdict_repeats_itself():
    assert run().findings == run().findings
