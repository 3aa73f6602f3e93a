"""A contest is fair: clusters and keys do not both choose and judge, labels match by value, too few rows are said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore import contest
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Roles, open_dataset


def holdout(roles: Roles, n: int = 600):
    frame = pd.DataFrame(
        {"user": np.arange(n) % 60, "id": np.arange(n), "x": np.linspace(0, 1, n), "y": [0, 1] * (n // 2)}
    )
    return open_dataset("holdout", frame, roles)


@pytest.mark.parametrize("roles", [Roles(label="y", cluster="user"), Roles(label="y", key=("user",))])
def test_rows_of_one_cluster_or_key_stay_together(roles):
    data = holdout(roles)
    frame = contest.labelled(data, ["x"], 600)
    judged = contest.judged_rows(frame, data, "here")
    assert 300 < judged.sum() < 580
    assert not set(frame["user"][judged]) & set(frame["user"][~judged])


def test_the_division_repeats_itself_and_depends_on_the_texts():
    data = holdout(Roles(label="y"))
    frame = contest.labelled(data, ["x"], 600)
    one, again, other = (contest.judged_rows(frame, data, text) for text in ("a", "a", "b"))
    assert (one == again).all()
    assert (one != other).any()


def test_the_side_of_a_key_does_not_depend_on_the_order_of_rows():
    data = holdout(Roles(label="y", key=("id", "user")))
    frame = contest.labelled(data, ["x"], 600)
    judged = contest.judged_rows(frame, data)
    assert (contest.judged_rows(frame[::-1], data) == judged[::-1]).all()


def test_rows_without_a_label_are_left_out():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1, None, 0]})
    data = open_dataset("holdout", frame, Roles(label="y"))
    assert contest.labelled(data, ["x"], 10)["x"].tolist() == [1, 3]


def test_a_dataset_without_a_label_role_is_not_offered():
    with pytest.raises(NotOffered, match=r"label = …"):
        contest.labelled(holdout(Roles()), ["x"], 10)


@pytest.mark.parametrize("labels", [[True, False], [1.0, 0.0], [1, 0]])
def test_labels_of_equal_value_are_the_same_class(labels):
    assert contest.encoded(pd.Series(labels), "binary", (0, 1), "holdout").tolist() == [1, 0]


def test_an_unknown_label_is_named():
    with pytest.raises(InputError, match="'maybe'"):
        contest.encoded(pd.Series(["yes", "maybe"]), "binary", ("no", "yes"), "holdout")


def test_a_regression_label_that_is_no_number_is_named():
    with pytest.raises(InputError, match="'many'"):
        contest.encoded(pd.Series(["1", "many"]), "regression", (), "holdout")


def test_classes_come_from_the_labels_where_the_model_has_none():
    assert contest.classes_of((), pd.Series(["b", "a", "b"])) == ("a", "b")
    assert contest.classes_of(("b", "a"), pd.Series(["a"])) == ("b", "a")


@pytest.mark.parametrize(
    ("truth", "learned", "said", "wanted"),
    [
        ([0, 1] * 100, [1, 1], "training labels", None),
        ([0, 1] * 100, [0, 1], "judged", 667),
        ([0] * 2000, [0, 1], "do not vary", None),
        ([1] * 20 + [0] * 1980, [0, 1], "rarer class has 10", 12_000),
    ],
)
def test_too_few_rows_are_said_with_the_number_that_would_do(truth, learned, said, wanted):
    judged = np.arange(len(truth)) % 2 == 0
    found = contest.too_few(np.array(truth), judged, np.array(learned), "binary", rows=500, per_class=50)
    assert said in found.reason
    assert found.rows_wanted == wanted


def test_enough_rows_are_enough():
    judged = np.arange(2000) % 4 < 2
    assert contest.too_few(np.array([0, 1] * 1000), judged, np.array([0, 1]), "binary", rows=500, per_class=50) is None


def test_the_rows_that_choose_do_not_judge():
    """A model that is right on the choosing rows only is chosen there and found out on the others."""
    truth = np.array([0, 1] * 200)
    judged = np.arange(400) < 200
    lucky, steady = np.where(judged, 1 - truth, truth) + 0.0, np.where(np.arange(400) % 10 < 8, truth, 1 - truth) + 0.0
    found = contest.Contest("accuracy", truth, {"lucky": lucky, "steady": steady}, judged, None)
    assert found.best(["steady", "lucky"]) == "lucky"
    assert found.quality("lucky") == 0
    assert found.advantage("steady", "lucky", 0.001).low > 0
