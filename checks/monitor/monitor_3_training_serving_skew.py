"""The features that were served are those that the training path computes for the same rows.

Why
    A model is only as good as the features that it is given. Code written twice, a unit, a late join or a default
    filled in silently makes serving worse than every offline test said, and no error is raised.

Measured
    With a key on both sides: the rows are joined by key, and for each feature the share of joined rows whose served
    value is not the recomputed one, beyond numerical noise (relative ``rel_tol``, so float32 meets float64; two missing
    values match). What differs is named: a unit, an offset, a time zone, a stale or permuted value, a default, a
    rounding, a clip, a text form, a swapped column. Without a key: both as distributions over the time that both cover
    (missing values, Kolmogorov-Smirnov or L-infinity distance, one value in excess, fractions, range), which cannot see
    values at the wrong rows. Distributions across different times are never compared: seasons are no fault.

Passes when
    for every feature, the upper 95 % bound lies within the limit, and at least ``min_join_coverage`` of the served keys
    meet a recomputed row. It fails when a lower bound, corrected for the number of features, lies beyond.

If it fails
    Read the named cause, look at the pairs, then compute the feature in one place for both paths, or log the served
    features and train on the log.

Options
    key_mismatch: 0.001; a sound system has none. ks: 0.05 (a shift of 0.125 standard deviations). category: 0.02.
    excess: 0.002, or half of what is usual (missing values, one value too often). fraction: 0.02. out_of_range: 0.001.
    key_alpha and window_alpha: 0.0005, shared among features: fewer than one false alarm in 1,000 runs. rel_tol: 1e-6.
    min_join_coverage: 0.95. min_joined: 200 and min_window: 500 rows; fewer could not show a mismatch of 5 %.

Source
    Breck et al. 2017, Monitor 3; Cheng et al. 2016 (same-day comparison at Google Play, +2 % installs). Bounds: Clopper
    and Pearson 1934; Massart 1990; Newcombe 1998. The limits are engineering judgement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import pandas as pd

from mltestscore import Finding, check, fault, undecided
from mltestscore.comparison import skew
from mltestscore.comparison.join import key_of
from mltestscore.details import Detail
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model


@check("monitor.3")
def check_training_serving_skew(
    serving: Dataset,
    recomputed: Dataset,
    model: Model | None = None,
    *,
    key_mismatch: float = 0.001,
    ks: float = 0.05,
    category: float = 0.02,
    excess: float = 0.002,
    fraction: float = 0.02,
    out_of_range: float = 0.001,
    key_alpha: float = 0.0005,
    window_alpha: float = 0.0005,
    rel_tol: float = 1e-6,
    min_join_coverage: float = 0.95,
    min_joined: int = 200,
    min_window: int = 500,
) -> Iterator[Finding | Detail]:
    """Served values equal the training path's: joined by key, else in the same window."""
    features = skew.features_of(serving, recomputed, model.features if model is not None else ())
    limits = skew.Limits(key_mismatch, ks, category, excess, fraction, out_of_range)
    yield from skew.absent(features)
    if not features.both:
        yield undecided(skew.MISMATCH, "serving and recomputed have no feature in common; name the columns alike")
    elif key_of(serving, recomputed)[0]:
        yield from skew.by_key(
            serving,
            recomputed,
            features,
            limits,
            alpha=key_alpha,
            rel_tol=rel_tol,
            min_joined=min_joined,
            min_coverage=min_join_coverage,
        )
    else:
        yield from skew.in_window(serving, recomputed, features, limits, alpha=window_alpha, min_rows=min_window)
    yield from skew.scores(serving, recomputed, ks, window_alpha)


@fault(check_training_serving_skew, "a feature is served in another unit (×1.609344)")
def other_unit(serving: Dataset, recomputed: Dataset) -> dict[str, Dataset]:
    """Miles are computed, kilometres are served; a text is served in other case."""
    frame, column = _most_varied(serving, recomputed)
    values = frame[column]
    broken: pd.Series[Any]
    if pd.api.types.is_numeric_dtype(values):
        broken = pd.to_numeric(values, errors="coerce").astype("float64") * 1.609344
    else:
        broken = values.astype("string").str.swapcase() + "·"
    return {"serving": serving.replace(frame.assign(**{column: broken}))}


@fault(check_training_serving_skew, "a failed look-up serves a default for every third row")
def silent_default(serving: Dataset, recomputed: Dataset, rng: numpy.random.Generator) -> dict[str, Dataset]:
    """The feature store times out and the server fills in -1, or an empty text, without a word."""
    frame, column = _most_varied(serving, recomputed)
    values = frame[column].astype("object")
    default: object = -1.0 if pd.api.types.is_numeric_dtype(frame[column]) else "unknown"
    filled = values.mask(rng.random(len(frame)) < 1 / 3, default).infer_objects()
    return {"serving": serving.replace(frame.assign(**{column: filled}))}


def _most_varied(serving: Dataset, recomputed: Dataset) -> tuple[pd.DataFrame, str]:
    """Return the served rows and the feature with the most distinct values, numbers before texts."""
    frame = serving.frame()
    both = skew.features_of(serving, recomputed).both
    usable = [name for name in both if not pd.api.types.is_datetime64_any_dtype(frame[name])]

    def variety(name: str) -> tuple[bool, int]:
        values = frame[name]
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        distinct = values.nunique()
        return number and distinct > 1, distinct

    return frame, max(usable or both, key=variety)
