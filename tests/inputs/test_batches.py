"""Models that take no table: arrays of numbers, lists of texts, stacked images."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skops.io import dump

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.model import as_model, load_model

TEXTS = pd.DataFrame({"said": ["late again today", "on time", "late by hours", "all fine here"], "gate": [1, 2, 3, 4]})
LATE = [1, 0, 1, 0]


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer(), HashingVectorizer(n_features=64)])
def test_a_pipeline_of_texts_gets_its_texts_from_a_file_too(tmp_path, vectorizer):
    pipeline = make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS["said"], LATE)
    dump(pipeline, tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", features=["said"], rows_as="text")
    np.testing.assert_allclose(model.predict(TEXTS), pipeline.predict_proba(TEXTS["said"])[:, 1])


def test_a_missing_text_is_an_empty_one():
    seen = []
    model = as_model(
        lambda texts: seen.extend(texts) or np.zeros(len(texts)), task="regression", features=["said"], rows_as="text"
    )
    model.predict(pd.DataFrame({"said": ["a", None, np.nan, pd.NA]}))
    assert seen == ["a", "", "", ""]


def test_numbers_are_an_array_without_names():
    model = as_model(lambda rows: rows.sum(axis=1), task="regression", features=["a", "b"], rows_as="array")
    assert model.predict(pd.DataFrame({"b": [1, 2], "a": [10.5, None]})).tolist()[:1] == [11.5]


@pytest.mark.parametrize("source", ["parquet", "pandas", "jsonl"])
def test_images_are_stacked_whatever_they_are_read_from(tmp_path, source):
    images = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    frame = pd.DataFrame({"image": images})
    if source == "parquet":
        frame.to_parquet(tmp_path / "t.parquet")
    elif source == "jsonl":
        (tmp_path / "t.jsonl").write_text("".join(json.dumps({"image": one}) + "\n" for one in images))
    offered = frame if source == "pandas" else f"t.{source}"
    rows = open_dataset("training", offered, base=tmp_path).frame()
    shapes = []

    def mean(batch: np.ndarray) -> np.ndarray:
        shapes.append(batch.shape)
        return batch.mean(axis=(1, 2))

    model = as_model(mean, task="regression", features=["image"], rows_as="batch")
    assert model.predict(rows).tolist() == [3.5, 9.5]
    assert shapes == [(2, 2, 3)]


def doubt(form: str, features: list[str]):
    return as_model(len, task="regression", features=features, rows_as=form)


def test_more_than_one_feature_is_named():
    with pytest.raises(InputError, match=r'rows_as = "text" needs a model of one feature, not of 2: said, gate'):
        doubt("text", ["said", "gate"]).predict(TEXTS)


def test_numbers_among_texts_are_named():
    with pytest.raises(InputError, match=r"'gate' holds int64 values"):
        doubt("text", ["gate"]).predict(TEXTS)


@pytest.mark.parametrize("odd", [[[1, 2], [1, 2, 3]], [[1, 2], None], [["a"], ["b"]]])
def test_images_of_different_shapes_are_named(odd):
    with pytest.raises(InputError, match=r"'image' are no arrays of numbers of one shape: .* Resize and fill"):
        doubt("batch", ["image"]).predict(pd.DataFrame({"image": pd.Series(odd, dtype=object)}))


def test_texts_are_no_array():
    with pytest.raises(InputError, match="takes numbers only"):
        doubt("array", ["said"]).predict(TEXTS)


def test_a_model_of_a_library_that_takes_tables_refuses_it():
    import lightgbm

    rows = pd.DataFrame({"gate": np.arange(40.0)})
    booster = lightgbm.train({"verbose": -1, "objective": "regression"}, lightgbm.Dataset(rows, rows["gate"]), 2)
    with pytest.raises(InputError, match='remove rows_as = "text"'):
        as_model(booster, rows_as="text")
