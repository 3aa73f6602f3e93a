"""Two trainings compared, as pure values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mltestscore.inputs.trainer import Trained
from mltestscore.inputs.training_difference import compare


def trained(predictions, artefact="", parameters="") -> Trained:
    return Trained(artefact, parameters, np.asarray(predictions), 1.0, 1)


@settings(deadline=None)
@given(arrays(np.float64, array_shapes(max_dims=2)))
def test_any_predictions_equal_themselves(predictions):
    found = compare(trained(predictions), trained(predictions.copy()))
    assert (found.differing, found.one_sided, found.largest) == (0, 0, 0.0)
    assert found.within(0.0)


@settings(deadline=None)
@given(st.data())
def test_the_comparison_does_not_depend_on_which_came_first(data):
    shape = data.draw(array_shapes(max_dims=2))
    left, right = (trained(data.draw(arrays(np.float64, shape))) for _ in range(2))
    assert compare(left, right) == compare(right, left)


@pytest.mark.parametrize(
    ("left", "right", "differing", "one_sided", "largest"),
    [
        ([0.0, 1.0], [0.0, 1.5], 1, 0, 0.5),
        ([np.nan, 1.0], [0.0, 1.0], 1, 1, 0.0),
        ([np.inf, 1.0], [np.inf, 1.0], 0, 0, 0.0),
        ([np.inf], [-np.inf], 1, 1, 0.0),
        ([-0.0], [0.0], 0, 0, 0.0),
        ([[0.1, 0.9], [0.5, 0.5]], [[0.1, 0.9], [0.4, 0.6]], 1, 0, 0.1),
        ([[0.1, 0.2, 0.7]], [[0.1, 0.9]], 1, 1, 0.0),
        (["a", "b"], ["a", "c"], 1, 0, 1.0),
        ([True, False], [True, True], 1, 0, 1.0),
        ([1, 2], ["a", "b"], 2, 2, 0.0),
    ],
)
def test_differences_are_counted_by_row(left, right, differing, one_sided, largest):
    found = compare(trained(left), trained(right))
    assert (found.differing, found.one_sided) == (differing, one_sided)
    assert found.largest == pytest.approx(largest)


def test_an_unknown_digest_is_never_equal():
    assert not compare(trained([1.0]), trained([2.0])).same_model


@pytest.mark.parametrize("digests", [{"artefact": "a"}, {"parameters": "p"}])
def test_one_equal_digest_shows_one_model_whatever_it_predicts(digests):
    found = compare(trained([1.0], **digests), trained([2.0], **digests))
    assert found.same_model
    assert found.within(0.0)


def test_the_tolerance_is_inclusive():
    found = compare(trained([1.0]), trained([1.25]))
    assert found.within(0.25)
    assert not found.within(0.249)


@pytest.mark.parametrize(("values", "constant"), [([2.0, 2.0], True), ([2.0, 3.0], False), ([], False)])
def test_constant_predictions_are_noticed(values, constant):
    assert compare(trained(values), trained(values)).constant is constant
