"""A loss of quality that lies in how sure the answers are is named as such."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.slices.compared import Pair, sureness

TRUTH = np.random.default_rng(0).integers(0, 2, 400)
SURE = np.where(TRUTH == 1, 0.95, 0.05)


def test_an_unsure_model_that_answers_alike_is_told_to_calibrate() -> None:
    said = sureness(Pair("binary", "d2_brier_score", TRUTH, 0.5 + 0.2 * (SURE - 0.5), SURE))
    assert "100.0% of all rows right, the model 100.0%" in said
    assert "calibrate" in said


@pytest.mark.parametrize(
    "pair",
    [
        Pair("binary", "d2_brier_score", TRUTH, SURE, 0.5 + 0.2 * (SURE - 0.5)),
        Pair("binary", "d2_brier_score", TRUTH, 1 - SURE, SURE),
        Pair("binary", "accuracy", TRUTH, 1 - SURE, SURE),
        Pair("regression", "d2_absolute_error", TRUTH * 1.0, 1 - SURE, SURE),
    ],
    ids=["better", "wrong answers", "by accuracy", "numbers"],
)
def test_nothing_is_said_of_other_losses(pair: Pair) -> None:
    assert sureness(pair) == ""
