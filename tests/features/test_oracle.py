"""One feature that knows the answer is found in any type and task; means of labels are told from other rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.features.oracle import Sides, alone, encoded, encodings, is_encoding


def sides(task: str, whole: bool = True, clusters=None, **features) -> Sides:
    """3,000 rows of each side; ``features`` make columns from labels and a generator."""
    frames, labels = [], []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        y = (
            rng.normal(size=3_000)
            if task == "regression"
            else rng.integers(3 if task == "multiclass" else 2, size=3_000)
        )
        frames.append(pd.DataFrame({name: make(y, rng) for name, make in features.items()}))
        labels.append(y)
    return Sides(frames[0], labels[0], frames[1], labels[1], clusters, task, whole)


def verdicts(given: Sides) -> dict[str, str]:
    return {one.where: one.verdict for one in alone(given, list(given.training), 0.98, 1e-4)}


TELLS = {
    "number": lambda y, rng: 7 - 3 * y,
    "gaps": lambda y, rng: np.where(rng.random(len(y)) < 0.0005, np.nan, 2 * y),
    "text": lambda y, rng: np.char.add("is ", np.asarray(y).astype(str)),
    "time": lambda y, rng: pd.Timestamp("2024-01-01") + pd.to_timedelta(y * 60, unit="s"),
}


# Of numbers, every text is new, and a gap hides a value whose square remains.
TOLD = [(task, kind) for task in ("binary", "multiclass") for kind in TELLS]


@pytest.mark.parametrize(("task", "kind"), [*TOLD, ("regression", "number"), ("regression", "time")])
def test_a_feature_that_is_the_label_in_other_words_fails(task, kind):
    given = sides(task, noise=lambda y, rng: rng.normal(size=len(y)), told=TELLS[kind])
    assert verdicts(given) == {"told": "failed"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_honest_features_pass_and_only_the_best_is_shown(task):
    given = sides(task, noise=lambda y, rng: rng.normal(size=len(y)), some=lambda y, rng: y + rng.normal(size=len(y)))
    assert verdicts(given) == {"some": "passed"}


def test_few_clusters_accuse_nobody():
    given = sides("binary", clusters=np.arange(3_000) % 3, told=lambda y, rng: y + 0.0)
    assert verdicts(given) == {"told": "inconclusive"}


@pytest.mark.parametrize("constant", [1.0, np.nan, None])
def test_a_feature_without_content_tells_nothing(constant):
    given = sides("regression", flat=lambda y, rng: np.full(len(y), constant))
    assert verdicts(given) == {"flat": "passed"}


def means(labels, codes, weight: float = 0.0):
    groups = pd.Series(labels).groupby(codes)
    return ((groups.transform("sum") + weight * labels.mean()) / (groups.transform("count") + weight)).to_numpy()


@pytest.mark.parametrize(("weight", "size"), [(0, 4), (0, 400), (1, 40), (20.5, 60), (20.5, 400)])
@pytest.mark.parametrize("regression", [False, True])
def test_means_of_the_very_labels_are_recognised(weight, size, regression):
    rng = np.random.default_rng(3)
    labels = rng.normal(10, 3, 8_000) if regression else (rng.random(8_000) < 0.2).astype(float)
    codes = rng.integers(8_000 // size, size=8_000)
    values = means(labels, codes, weight)
    assert is_encoding(values, labels)
    assert is_encoding(values.astype(np.float32).astype(float), labels)
    assert not is_encoding(means(rng.permutation(labels), codes, weight), labels)  # others' labels
    assert not is_encoding(values + 1e-3 * rng.normal(size=8_000), labels)


def test_shares_counts_ranks_and_probabilities_are_no_encodings():
    rng = np.random.default_rng(4)
    labels = (rng.random(5_000) < 0.3).astype(float)
    share = np.round(rng.random(5_000), 2)
    for values in (share, labels, np.full(5_000, 0.3), 0.3 + 0.01 * share, np.where(share < 0.9, 0.0, share)):
        assert not is_encoding(values, labels)
    assert not is_encoding(np.full(5_000, np.nan), labels)


def test_the_rows_behind_an_encoding_are_named():
    rng = np.random.default_rng(5)
    both = sides("binary", late=lambda y, rng: rng.normal(size=len(y)))
    codes = rng.integers(60, size=6_000)
    labels = np.concatenate([both.learned, both.truth]).astype(float)
    everywhere = means(labels, codes)
    for side, part in ((both.training, slice(0, 3_000)), (both.holdout, slice(3_000, None))):
        side["all"] = everywhere[part]
        side["own"] = pd.Series(codes[part]).map(pd.Series(labels[:3_000]).groupby(codes[:3_000]).mean())
    found = {one.feature: one.rows for one in encodings(both, list(both.training))}
    assert found == {"all": "training and holdout", "own": "training"}
    leaks = encoded(both, list(both.training), 0.02, 1e-3)
    assert (leaks.verdict, leaks.interval.value) == ("failed", 1)
    assert "all: mean labels" in leaks.cause


def test_a_sample_hides_encodings_and_says_so():
    given = sides("binary", whole=False, x=lambda y, rng: rng.normal(size=len(y)))
    assert "sample" in encoded(given, ["x"], 0.02, 1e-3).note
