"""What features bring: the loss without them has the right size, and useful, useless, unknown are kept apart."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mltestscore.features.benefit import Benefit, Rows, benefits, cannot_vary, share_useless
from mltestscore.inputs.model import as_model
from mltestscore.stats.interval import Interval

NAMES = ["a", "b", "idle", "flat"]


def rows(n: int = 3_000, clusters=None, repeats: int = 1, **changes) -> Rows:
    """A regression whose model knows the truth: y = a + 2 b + noise of 1."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=NAMES).assign(flat=1.0)
    truth = (frame["a"] + 2 * frame["b"] + rng.normal(size=n)).to_numpy()
    model = as_model(lambda given: given["a"] + 2 * given["b"] + 0 * given["flat"], task="regression", features=NAMES)
    return replace(Rows(model, frame, truth, "r2", clusters, repeats, "seed"), **changes)


@pytest.mark.parametrize(("features", "lost"), [(["a"], 2 / 6), (["b"], 8 / 6), (["a", "b"], 10 / 6)])
def test_the_loss_is_twice_the_variance_that_a_feature_explains(features, lost):
    found = rows().benefit(features, 0.001)
    assert found.low < lost < found.high
    assert found.value == pytest.approx(lost, abs=0.12)


def test_a_feature_that_no_score_answers_brings_exactly_nothing():
    found = rows().benefit(["idle"], 0.001)
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_nothing_is_known_of_a_feature_that_stands_still_unless_it_is_dead():
    assert math.isinf(rows().benefit(["flat"], 0.001).high)
    assert rows(dead=frozenset({"flat"})).benefit(["flat"], 0.001).high == 0


def test_repeats_do_not_count_as_rows():
    once, often = (rows(repeats=repeats).benefit(["a"], 0.01) for repeats in (1, 5))
    assert once.n == often.n == 3_000
    assert (often.high - often.low) > 0.5 * (once.high - once.low)


def test_copies_of_rows_are_no_evidence_where_the_cluster_is_declared():
    few = rows(300)
    frame = pd.concat([few.frame] * 10, ignore_index=True)
    copies = replace(few, frame=frame, truth=np.tile(few.truth, 10), clusters=np.tile(np.arange(300), 10), _known={})
    assert copies.benefit(["a"], 0.01).n == 300
    assert copies.benefit(["a"], 0.01).low < few.benefit(["a"], 0.01).value < copies.benefit(["a"], 0.01).high


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """One-sided bounds at 10 %: of 200 samples, 20 or so miss on each side, and 40 would be too many."""
    missed = {"low": 0, "high": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=NAMES)
        truth = (frame["a"] + 2 * frame["b"] + rng.normal(size=300)).to_numpy()
        one = rows(frame=frame, truth=truth, seed=str(seed)).benefit(["a"], 0.1)
        scale = float(truth.var())
        missed["low"] += one.low * scale > 2
        missed["high"] += one.high * scale < 2
    assert max(missed.values()) < 40


def test_each_group_is_judged():
    found = benefits(rows(), [("a",), ("b",), ("idle",), ("flat",)], limit=0.01, alpha=1e-4)
    assert [one.state for one in found] == ["useful", "useful", "useless", "unknown"]


def test_groups_that_are_useless_one_by_one_are_so_together_or_the_larger_ones_are_unknown():
    """Six features, each worth 0.001 of r²: each alone is below the limit of 0.007, all of them are not shown to be."""
    rng = np.random.default_rng(2)
    names = [f"w{number}" for number in range(6)]
    frame = pd.DataFrame(rng.normal(size=(6_000, 6)), columns=names).assign(big=rng.normal(size=6_000))
    truth = (0.07 * frame[names].sum(axis=1) + frame["big"] + 3 * rng.normal(size=6_000)).to_numpy()
    model = as_model(
        lambda given: 0.07 * given[names].sum(axis=1) + given["big"], task="regression", features=[*names, "big"]
    )
    one = Rows(model, frame, truth, "r2", None, 1, "seed")
    found = benefits(one, [(name,) for name in [*names, "big"]], limit=0.007, alpha=1e-4)
    suspects = [group for group in found if group.clearing.low <= 0 and group.accusing.high < 0.007]
    useless = [group for group in suspects if group.state == "useless"]
    assert len(suspects) >= 3
    assert 1 <= len(useless) < len(suspects)
    assert one.benefit([group.features[0] for group in useless], 1e-4).high < 0.007
    assert one.benefit([group.features[0] for group in suspects], 1e-4).high >= 0.007


def judged(state: str, value: float, half: float, features: int = 1) -> Benefit:
    interval = Interval(value, value - half, value + half, 1_000, 0.95, "made up")
    return Benefit(tuple(f"{state}{value}{number}" for number in range(features)), interval, interval, state)


def test_the_share_runs_from_those_shown_useless_to_those_not_shown_useful():
    found = [judged("useful", 0.1, 0.01, 7), judged("useless", 0, 0), judged("unknown", 0.001, 0.004, 2)]
    share = share_useless(found, limit=0.002, allowed=0.1, alpha=0.001, rows=1_000)
    assert (share.low, share.value, share.high, share.n) == (0.1, 0.1, pytest.approx(0.3), 10)
    assert share.n_to_settle(0.1) == 16_000  # four times narrower and 0.001 is above zero
    assert share.smallest_visible(0.1, "above") is None


def test_no_number_of_rows_is_promised_where_none_is_known():
    found = [judged("useful", 0.1, 0.01), replace(judged("unknown", 0, 0), clearing=rows().benefit(["flat"], 0.05))]
    found[1] = replace(found[1], accusing=found[1].clearing)
    assert share_useless(found, limit=0.002, allowed=0.1, alpha=0.001, rows=1_000).n_to_settle(0.1) is None


def test_an_acquitted_group_is_unknown():
    assert judged("useless", 0, 0).acquitted().state == "unknown"


@pytest.mark.parametrize(
    ("changing", "quiet_rows", "dead"),
    [(0.5, 200, True), (0.001, 200, False), (0.0, 10_000, False), (0.01, 9_000, True)],
)
def test_standing_still_is_judged_by_how_often_it_changed_before(changing, quiet_rows, dead):
    before = np.where(np.arange(20_000) < 20_000 * changing, np.arange(20_000), -1.0)
    assert cannot_vary(before, quiet_rows, 1e-4) is dead
