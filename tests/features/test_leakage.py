"""Rows, keys and entities on both sides: what is found, and how much coincidence explains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.features import leakage
from mltestscore.features.leakage import Allowed, Split
from mltestscore.inputs.dataset import Roles

ALLOWED = Allowed(twins=0.001, earlier=0.01, entities=0.01)


def side(n: int, seed: int, values: int = 10**6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"x": rng.integers(values, size=n), "y": rng.integers(2, size=n), "id": np.arange(n) + seed * n}
    )


def verdicts(training, holdout, **roles) -> dict[str, str]:
    split = Split(training, holdout, Roles(label="y", **roles), ["x"])
    return {one.name: one.verdict for one in leakage.findings(split, ALLOWED, 1e-4) if not one.advisory}


def test_rows_are_equal_in_any_types_and_different_by_any_column():
    one = pd.DataFrame({"x": [1.0, 2.0, np.nan, -0.0], "t": ["a", None, "c", "d"]})
    other = pd.DataFrame({"x": pd.array([1, 2, None, 0], dtype="Int64"), "t": pd.Categorical(["a", None, "c", "d"])})
    codes = leakage.row_codes(one, ["x", "t"])
    assert np.array_equal(codes, leakage.row_codes(other, ["x", "t"]))
    assert len(set(codes)) == 4
    assert not np.isin(codes, leakage.row_codes(one.assign(t=one["t"] + "!"), ["x", "t"]))[[0, 2, 3]].any()


def test_coincidence_covers_what_one_side_shows_of_it_and_little_more():
    """Two halves of one population of few values: as many rows of one find a twin in the other as within."""
    exceeded = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        ours, theirs = rng.integers(20_000, size=1_000), rng.integers(20_000, size=1_000)
        repeated = int(pd.Series(theirs).duplicated(keep=False).sum())
        allowed = leakage.coincidences(repeated, 1_000, 1_000, 1_000, 1e-3)
        exceeded += np.isin(ours, theirs).mean() > allowed
        assert allowed < 0.2
    assert exceeded == 0


def test_coincidences_of_no_rows_are_none():
    assert leakage.coincidences(0, 0, 10, 10, 0.01) == leakage.coincidences(0, 10, 0, 0, 0.01) == 0


def test_copies_are_found_and_common_rows_are_not():
    training, holdout = side(5_000, 1), side(5_000, 2)
    assert set(verdicts(training, holdout, key=("id",)).values()) == {"passed"}
    leaky = pd.concat([training, holdout[:100]])
    assert verdicts(leaky, holdout, key=("id",)) == {leakage.TWINS: "failed", leakage.SAME_KEY: "failed"}
    assert verdicts(side(5_000, 1, 300), side(5_000, 2, 300)) == {leakage.TWINS: "passed"}


def test_oversampling_before_the_split_is_told_by_its_keys():
    """Copies on both sides look like coincidence, but for the key that came along."""
    pool = side(4_000, 1)
    drawn = pool.sample(12_000, replace=True, random_state=0)
    found = verdicts(drawn[:8_000], drawn[8_000:], key=("id",))
    assert found == {leakage.TWINS: "failed", leakage.SAME_KEY: "failed"}


@pytest.mark.parametrize("values", [3, 50, 10**6])
def test_row_numbers_that_begin_anew_are_no_shared_keys(values):
    training, holdout = side(5_000, 1, values), side(5_000, 2, values)
    assert set(verdicts(training, holdout.assign(id=training["id"]), key=("id",)).values()) == {"passed"}


def test_a_role_that_one_side_lacks_is_not_looked_at():
    training, holdout = side(500, 1), side(500, 2)
    found = verdicts(training.drop(columns="id"), holdout, key=("id",), time="at", cluster="user")
    assert set(found) == {leakage.TWINS}


@pytest.mark.parametrize(
    "make", [lambda days: pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"), np.asarray]
)
def test_the_end_of_training_is_where_nearly_all_of_it_lies(make):
    learned, later = pd.Series(make(np.arange(1_000))), pd.Series(make(np.arange(990, 1_990)))
    before, words = leakage.earlier_rows(learned, later)
    assert before.sum() == 0
    assert words in ("2026-09-16", "989")
    assert leakage.earlier_rows(learned, learned)[0].mean() == pytest.approx(0.99, abs=0.002)


def test_no_known_time_puts_no_row_before_another():
    unknown = pd.Series([None, None], dtype="datetime64[ns]")
    assert leakage.earlier_rows(unknown, pd.Series(pd.to_datetime(["2024-01-01"])))[0].tolist() == [False]


def test_entities_count_unless_time_separates_them():
    training, holdout = side(1_000, 1).assign(user=1), side(1_000, 2).assign(user=1)
    assert verdicts(training, holdout, cluster="user")[leakage.ENTITIES] == "failed"
    times = [frame.assign(at=float(number)) for number, frame in enumerate((training, holdout))]
    assert leakage.ENTITIES not in verdicts(*times, cluster="user", time="at")
    assert verdicts(*times[::-1], cluster="user", time="at")[leakage.ENTITIES] == "failed"
