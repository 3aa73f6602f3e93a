"""Systems of texts and of images: told from categories and numbers, and scored by the items that mean something."""

import inspect

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mltestscore import unstructured
from mltestscore.baselines import fit_baselines
from mltestscore.catalogue import our_check
from mltestscore.corruptions import unseen_category
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.inference import inferred
from mltestscore.inputs.model import as_model
from mltestscore.testing import run_check

PLAIN = [f"word{number}" for number in range(200)]
PRAISE, BLAME = ["great", "fine", "lovely", "best"], ["awful", "poor", "broken", "worst"]


def reviews(rows: int, seed: int, plain: list[str] = PLAIN) -> pd.DataFrame:
    """Texts of nine words, of which one tells the label in seventeen of twenty."""
    rng = np.random.default_rng(seed)
    good = rng.integers(2, size=rows)
    told = np.where(rng.random(rows) < 0.15, 1 - good, good)
    texts = [" ".join([*rng.choice(plain, 8), rng.choice(PRAISE if one else BLAME)]) for one in told]
    return pd.DataFrame({"id": np.arange(rows) + 10**6 * seed, "text": texts, "good": good})


def digits() -> pd.DataFrame:
    """Images of 8 x 8 numbers as nested lists."""
    found = load_digits()
    images = [image.tolist() for image in found.images]
    return pd.DataFrame({"id": range(len(images)), "image": images, "high": (found.target > 4).astype(int)})


def score(item: str, **offered):
    taken = inspect.signature(our_check(item).function).parameters
    return run_check(item, **{name: value for name, value in offered.items() if name in taken})


@pytest.fixture(scope="module")
def texts() -> dict:
    roles = Roles(key=("id",), label="good", features=("text",))
    known, later, served = reviews(3000, 1), reviews(3000, 2), reviews(3000, 3)
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(known["text"], known["good"])
    model = as_model(lambda rows: fitted.predict_proba(rows["text"])[:, 1], task="binary", features=["text"])
    training = open_dataset("training", known, roles)
    return {
        "model": model,
        "training": training,
        "holdout": open_dataset("holdout", later, roles),
        "serving": open_dataset("serving", served.drop(columns="good"), Roles(key=("id",), features=("text",))),
        "schema": inferred(training),
    }


@pytest.fixture(scope="module")
def images() -> dict:
    frame = digits()
    roles = Roles(key=("id",), label="high", features=("image",))
    flat = np.array(frame["image"].tolist()).reshape(len(frame), -1)
    fitted = LogisticRegression(max_iter=3000).fit(flat[:900], frame["high"][:900])

    def ask(rows: pd.DataFrame) -> np.ndarray:
        return fitted.predict_proba(unstructured.cells(rows["image"], 64))[:, 1]

    training = open_dataset("training", frame[:900], roles)
    return {
        "model": as_model(ask, task="binary", features=["image"]),
        "training": training,
        "holdout": open_dataset("holdout", frame[900:], roles),
        "serving": open_dataset("serving", frame[900:], roles),
        "schema": inferred(training),
    }


def test_texts_obey_a_suite_and_one_that_never_occurred_is_no_corruption(texts):
    result = score("data.1", **texts)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    empty = pa.array([], pa.string())
    assert unseen_category(pa.array(reviews(500, 4)["text"].tolist()), empty) is None
    assert unseen_category(pa.array(["on time", "very late"] * 50), empty) is not None


def test_texts_that_are_as_in_training_pass_and_planted_faults_are_caught(texts):
    result = score("monitor.2", **texts)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_one_text_in_place_of_every_tenth_is_found_and_named(texts):
    frame = texts["serving"].frame()
    frame.loc[::10, "text"] = "not available"
    result = score("monitor.2", **texts | {"serving": texts["serving"].replace(frame)})
    assert result.state == "failed"
    assert "default-filled: 'not available' holds 10.00% of the rows, 0.00% in the past" in result.model_dump_json()


def test_one_large_customer_among_many_names_is_no_fault(texts):
    """A served day is not like the whole past: of names and codes, a frequent one is shown and never accuses."""
    rng = np.random.default_rng(5)
    training, serving = texts["training"].frame(), texts["serving"].frame()
    training["customer"] = [f"C{number}" for number in rng.integers(2500, size=len(training))]
    serving["customer"] = np.where(rng.random(len(serving)) < 0.3, "C7", training["customer"])
    known = open_dataset("training", training, Roles(key=("id",), label="good", features=("text", "customer")))
    served = open_dataset("serving", serving, Roles(key=("id",), features=("text", "customer")))
    result = run_check("monitor.2", schema=inferred(known), training=known, serving=served, prove=False)
    often = {one.where: one for one in result.findings if one.name == "one text too often"}
    assert result.state == "passed", result.reason
    assert (often["customer"].verdict, often["customer"].advisory) == ("failed", True)


def test_a_baseline_reads_the_words_of_texts(texts):
    """A baseline that cannot read texts made any model of texts look needed; this one is as good as the model."""
    rows = texts["training"].frame()
    constant, linear, _ = fit_baselines(rows, ["text"], rows["good"].to_numpy(), task="binary", classes=2)
    later = texts["holdout"].frame()
    right = {one.name: ((one.predict(later) > 0.5) == later["good"]).mean() for one in (constant, linear)}
    assert right["logistic regression"] > 0.8 > 0.6 > right["constant"]
    assert score("model.5", **texts).state == "inconclusive"


def test_a_baseline_reads_the_cells_of_images(images):
    rows, later = images["training"].frame(), images["holdout"].frame()
    _, linear, _ = fit_baselines(rows, ["image"], rows["high"].to_numpy(), task="binary", classes=2)
    assert ((linear.predict(later) > 0.5) == later["high"]).mean() > 0.75


def test_images_obey_a_suite(images):
    result = score("data.1", **images)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


@pytest.mark.parametrize("item", ["data.2", "monitor.5"])
def test_what_cannot_be_said_of_images_is_not_offered(images, item):
    result = score(item, **images)
    assert (result.state, "'image' holds arrays" in result.reason) == ("not_offered", True)


@pytest.mark.parametrize("item", ["model.5", "model.6", "monitor.2"])
def test_images_never_cost_an_error_or_a_false_alarm(images, item):
    assert score(item, **images).state in ("passed", "inconclusive")


def test_codes_and_categories_are_no_free_text():
    codes = pd.Series([f"N{number}" for number in range(500)])
    cities = pd.Series(["New York", "San Francisco", "Los Angeles"] * 100)
    assert not unstructured.is_free_text(codes)
    assert not unstructured.is_free_text(cities)
    assert not unstructured.is_free_text(pd.Series([1, "two words", None], dtype=object))
    assert not unstructured.is_free_text(pd.Series([None, None], dtype=object))


def test_arrays_of_another_size_texts_and_gaps_are_missing():
    column = pd.Series([[[1, 2], [3, 4]], np.array([5, 6, 7, 8]), None, [1], [["a", "b"], ["c", "d"]], [[1], [2, 3]]])
    assert unstructured.is_array(column)
    assert unstructured.size_of(column) == 4
    laid = unstructured.cells(column, 4)
    assert laid[:2].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert np.isnan(laid[2:]).all()


def test_a_large_array_is_seen_at_evenly_spaced_cells():
    laid = unstructured.cells(pd.Series([list(range(10_000))]), 10_000)
    assert laid.shape == (1, unstructured.MOST_CELLS)
    assert (laid[0, 0], laid[0, -1]) == (0, 9_999)
    assert np.diff(laid[0]).min() > 30
