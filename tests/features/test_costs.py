"""Units of features, their share of a budget, what is missing, what they gain, and the table that is made of it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mltestscore.features.costs import Unit, gains, judged_rows, missing_shares, most_varied, overview, unfit, units
from mltestscore.inputs.catalogue import Catalogue, Cost, read_catalogue
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.stats.interval import exactly

FEATURES = ("speed", "load", "noise")


@pytest.fixture
def catalogue() -> Catalogue:
    return read_catalogue(
        {
            "features": {
                "temp": {"source": "weather", "cost": "query", "null_share": 0.1},
                "wind": {"source": "weather", "cost": "query"},
                "score_*": {"derived_from": ["raw"], "cost": {"compute_ms": 2}},
                "plain": {},
            },
            "columns": {"raw": {"source": ["crm", "weather"]}},
            "sources": {"weather": {"late_share": 0.02}, "crm": {"late_share": 0.01}},
            "costs": {"query": {"compute_ms": 5, "store_calls": 1}},
        }
    )


def test_what_is_paid_together_is_one_unit_and_the_rest_stand_alone(catalogue):
    found = units(catalogue, ("temp", "score_1", "wind", "score_2", "plain", "unlisted"))
    assert [(unit.name, unit.features) for unit in found] == [
        ("query", ("temp", "wind")),
        ("score_1", ("score_1",)),
        ("score_2", ("score_2",)),
        ("plain", ("plain",)),
        ("unlisted", ("unlisted",)),
    ]
    assert [unit.amount("compute_ms") for unit in found] == [5, 2, 2, None, None]


def test_sources_are_counted_through_what_a_feature_is_made_from(catalogue):
    (unit,) = units(catalogue, ("score_1",))
    assert (unit.sources, unit.late_share) == (("crm", "weather"), 0.02)
    assert units(catalogue, ("plain",))[0].late_share is None


def test_a_feature_named_like_a_shared_cost_is_a_unit_of_its_own(catalogue):
    found = units(catalogue.declare("features", "query", cost=Cost(compute_ms=1)), ("temp", "query"))
    assert [(unit.name, unit.amount("compute_ms")) for unit in found] == [("query", 5), ("query itself", 1)]


@pytest.mark.parametrize(
    ("budgets", "share"),
    [
        ({"compute_ms": 20}, 0.25),
        ({"compute_ms": 20, "store_calls": 2}, 0.5),
        ({"memory_mb": 1}, 0),
        ({}, 0),
        ({"store_calls": 0}, math.inf),
    ],
)
def test_the_largest_share_of_any_budget_counts(catalogue, budgets, share):
    assert units(catalogue, ("temp",))[0].share(budgets) == share


def test_missing_values_are_counted_where_the_data_is_and_clusters_widen_the_bounds(catalogue):
    frame = pd.DataFrame({"temp": [None if n % 20 < 2 else 1.0 for n in range(2000)], "hour": np.arange(2000) // 20})
    frame["day"] = (np.arange(2000) % 20 < 2) * 1 + np.arange(2000) // 500 * 2
    plain, clustered = (
        next(missing_shares(catalogue, ("temp", "absent"), open_dataset("holdout", frame, Roles(cluster=name)), 0.01))
        for name in ("", "day")
    )
    assert (plain[0], plain[1].value, plain[2]) == ("temp", 0.1, 0.1)
    assert clustered[1].low < plain[1].low < 0.1 < plain[1].high < clustered[1].high


def test_a_promise_of_no_gaps_is_held_to_the_rows_as_they_are(catalogue):
    strict = catalogue.declare("features", "temp", null_share=0.0)
    for gaps in (0, 1):
        frame = pd.DataFrame({"temp": [None] * gaps + [1.0] * (100 - gaps)})
        ((_, share, allowed),) = missing_shares(strict, ("temp",), open_dataset("holdout", frame), 0.05)
        assert (share.low, share.high, allowed) == (gaps / 100, gaps / 100, 0)


def test_a_share_that_nobody_declared_is_still_counted(catalogue):
    frame = pd.DataFrame({"wind": [1.0, None, 2.0, 3.0], "unlisted": [None] * 4})
    found = list(missing_shares(catalogue, ("wind", "unlisted"), open_dataset("holdout", frame), 0.05))
    assert [(name, share.value, allowed) for name, share, allowed in found] == [
        ("wind", 0.25, None),
        ("unlisted", 1.0, None),
    ]


def rows(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=FEATURES)
    frame["late"] = (frame["speed"] + frame["load"] + rng.logistic(size=n) > 0).astype(int)
    return frame.assign(id=np.arange(n))


def holdout(frame: pd.DataFrame) -> Dataset:
    return open_dataset("holdout", frame, Roles(label="late", key=("id",), features=FEATURES))


def model(calls: list[int] | None = None) -> Model:
    def scores(frame: pd.DataFrame) -> np.ndarray:
        if calls is not None:
            calls.append(len(frame))
        return 1 / (1 + np.exp(-(frame["speed"] + frame["load"]).to_numpy()))

    return as_model(scores, task="binary", features=FEATURES)


def unit(*features: str) -> Unit:
    return Unit(features[0], features, Cost(), (), None)


def test_gains_are_measured_and_what_is_ignored_gains_exactly_nothing():
    data = holdout(rows())
    some = judged_rows(model(), data, "", 10_000)
    assert unfit(some, data, 500, 50) == ""
    found = gains([unit("speed"), unit("noise")], some, data, ["speed", "noise"], 0.0002, 0)
    useful, useless = found["speed"], found["noise"]
    assert 0 < useful.low < useful.value < useful.high
    assert (useless.low, useless.value, useless.high) == (0, 0, 0)
    both = gains([unit("speed", "load")], some, data, ["speed"], 0.0002, 0)
    assert both["speed"].value > useful.value


def test_needed_units_are_measured_and_of_the_others_the_first_ones():
    data = holdout(rows())
    some = judged_rows(model(), data, "", 10_000)
    every = [unit("speed"), unit("load"), unit("noise")]
    assert list(gains(every, some, data, ["noise"], 0.0002, 1)) == ["speed", "noise"]
    assert gains(every, some, data, [], 0.0002, 0) == {}


def test_the_same_question_is_asked_once():
    calls: list[int] = []
    data, asked = holdout(rows()), model(calls)
    named = asked.__class__(**{**vars(asked), "digest": "d"})
    first = gains([unit("speed")], judged_rows(named, data, "", 10_000), data, ["speed"], 0.0002, 0)
    counted = len(calls)
    assert gains([unit("speed")], judged_rows(named, data, "", 10_000), data, ["speed"], 0.0002, 0) == first
    assert len(calls) == counted > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda frame: frame.head(300), "300 labelled holdout rows; at least 500"),
        (lambda frame: frame.assign(late=0), "all labels"),
        (lambda frame: frame.assign(late=frame["id"] < 20), "the rarer class has 20"),
        (lambda frame: frame.assign(speed=np.nan), "not finite"),
        (lambda frame: frame.assign(late=1 - frame["late"]), "first see to the model"),
        (lambda frame: frame.assign(late=frame["id"] % 2), "first see to the model"),
    ],
)
def test_rows_that_cannot_judge_say_why(change, says):
    data = holdout(change(rows()))
    assert says in unfit(judged_rows(model(), data, "", 10_000), data, 500, 50)


def test_the_most_varied_feature_is_found():
    frame = rows(50).assign(speed=1, load=lambda frame: frame["id"] % 3)
    assert most_varied(holdout(frame), FEATURES) == "noise"


def test_the_table_is_sorted_by_cost_per_gain_with_what_gains_nothing_on_top():
    every = [
        Unit(name, (name,), Cost(compute_ms=ms), (), None) for name, ms in [("a", 1), ("b", 4), ("c", 0.5), ("d", 0)]
    ]
    gains = {"a": exactly(0.1, 9), "b": exactly(0.1, 9), "c": exactly(-0.01, 9)}
    shown = overview(every, {"compute_ms": 10}, gains, {"a": 0.25}, "roc_auc")
    named = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
    assert [row["paid together"] for row in named] == ["c", "b", "a", "d"]
    assert [row["share of a budget for 0.01 of gain"] for row in named] == pytest.approx([None, 0.04, 0.01, None])
    assert [row["missing"] for row in named] == [None, None, 0.25, None]
