"""Why two trainings differ, told from trainings that depend on one thing each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mltestscore.inputs.surroundings import ONE, OTHER, Surroundings
from mltestscore.inputs.trainer import Trained
from mltestscore.reproduction.cause import BOTH, LOST, ORDER, THREADS, cause_of, rounding

COUNT = itertools.count()


def told(number: float) -> Trained:
    return Trained("", "", np.array([number, 1.0, -200.0]), 0.0, 0)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (lambda where: next(COUNT), LOST),
        (lambda where: where.hash_seed, ORDER),
        (lambda where: float(where.backwards), ORDER),
        (lambda where: where.threads, THREADS),
        (lambda where: where.threads + 10 * where.hash_seed, BOTH),
    ],
    ids=["seed", "sets", "folders", "threads", "both"],
)
def test_what_is_put_back_tells_the_cause(train, expected, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def trained(where: Surroundings) -> Trained:
        return told(float(train(where)))

    found = cause_of(trained, (ONE, trained(ONE)), OTHER, lambda one: one.within(0.0))
    assert found.text == expected
    assert found.threads_alone == (expected == THREADS)


def test_threads_that_the_environment_fixes_are_no_cause(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert ONE.variables["OMP_NUM_THREADS"] == OTHER.variables["OMP_NUM_THREADS"] == "4"
    assert ONE.said == OTHER.said == "OMP_NUM_THREADS=4"


def test_rounding_is_relative_to_the_largest_prediction():
    assert rounding(told(3.0)) == pytest.approx(2e-7)
    assert rounding(Trained("", "", np.array(["late"]), 0.0, 0)) == 0.0
