"""The pipeline that training fits: its settings, its encoder, its seed."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from flights import spec
from flights.train import specified, train, tree_settings

FEW = {"max_iter": 4, "min_samples_leaf": 40}


def test_the_settings_are_those_that_the_search_chose():
    assert tree_settings() == {
        "learning_rate": 0.15,
        "max_iter": 60,
        "max_leaf_nodes": 63,
        "min_samples_leaf": 300,
        "l2_regularization": 1.0,
        "max_features": 0.5,
        "early_stopping": False,
    }


def test_given_settings_take_the_place_of_our_own():
    assert tree_settings({"max_iter": 3}) == tree_settings() | {"max_iter": 3}
    assert specified(5, {"max_iter": 3}).named_steps["trees"].max_iter == 3


def test_the_trees_get_seed_and_settings():
    trees = specified(5).named_steps["trees"].get_params()
    assert trees["random_state"] == 5
    assert {name: trees[name] for name in tree_settings()} == tree_settings()


def test_codes_that_were_never_seen_are_encoded_as_such(frame):
    encode = specified(1).named_steps["encode"].fit(frame[list(spec.FEATURES)])
    rows = frame[list(spec.FEATURES)].head(2).assign(carrier=["B6", "XX"])
    assert encode.transform(rows)[:, 0].tolist() == [0.0, -1.0]
    assert encode.get_feature_names_out().tolist() == list(spec.FEATURES)


def test_rain_and_the_airport_are_learned(frame):
    scores = train(frame, 1, FEW).predict_proba(frame[list(spec.FEATURES)])[:, 1]
    assert scores[frame[spec.LABEL] == 1].mean() > scores[frame[spec.LABEL] == 0].mean() + 0.2


def test_training_keeps_to_one_thread(frame, monkeypatch):
    seen = []
    monkeypatch.setattr("flights.train.threadpool_limits", lambda limits: nullcontext(seen.append(limits)))
    train(frame, 1, FEW)
    assert seen == [1]


def test_the_same_seed_gives_the_same_model_and_another_seed_another(frame):
    one, again, other = (train(frame, seed, FEW).predict_proba(frame[list(spec.FEATURES)])[:, 1] for seed in (1, 1, 2))
    assert one.tolist() == again.tolist() != other.tolist()
    assert one == pytest.approx(other, abs=0.5)
