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
    Where ``feature_times`` name columns with the times of recomputed values: the share that is younger than its row.

Passes when
    for every feature, the upper 95 % bound lies within the limit, and at least ``min_join_coverage`` of the served keys
    meet a recomputed row. It fails when a lower bound, corrected for the number of features, lies beyond.
    Without ``feature_times`` a stale served value and a training value from the future look alike, and both are named.

If it fails
    Read the named cause, look at the pairs, then compute the feature in one place for both paths, or log the served
    features and train on the log.

Options
    key_mismatch: 0.001; a sound system has none. ks: 0.05 (a shift of 0.125 standard deviations). category: 0.02.
    excess: 0.002, or half of what is usual (missing values, one value too often). fraction: 0.02. out_of_range: 0.001.
    key_alpha and window_alpha: 0.0005, shared among features: fewer than one false alarm in 1,000 runs. rel_tol: 1e-6.
    future_values: 0.001; a sound system has none; future_alpha: 0.0002. clock_skew: 1 s, as times may be cut to whole
    seconds; clocks that NTP keeps lie within 0.128 s (RFC 5905). min_join_coverage: 0.95. min_joined: 200 and
    min_window: 500 rows; fewer rule nothing out, and of joined rows only ten that differ can accuse.
    named: 10, the features whose cause is looked into, the worst first.

Source
    Breck et al. 2017, Monitor 3; Cheng et al. 2016 (same-day comparison at Google Play, +2 % installs). Bounds: Clopper
    and Pearson 1934; Massart 1990; Newcombe 1998. The limits are engineering judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy

from mltestscore import Finding, check, fault, undecided
from mltestscore.comparison import point_in_time, skew
from mltestscore.comparison.keys import key_of
from mltestscore.details import Detail
from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.unstructured import as_texts


@check("monitor.3", proof_options={"named": 1})
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
    future_values: float = 0.001,
    clock_skew: float = 1.0,
    future_alpha: float = 0.0002,
    min_join_coverage: float = 0.95,
    min_joined: int = 200,
    min_window: int = 500,
    named: int = 10,
) -> Iterator[Finding | Detail]:
    """Served values equal the training path's: joined by key, else in the same window."""
    features = skew.features_of(serving, recomputed, model.features if model is not None else ())
    limits = skew.Limits(key_mismatch, ks, category, excess, fraction, out_of_range)
    yield from skew.absent(features)
    yield from point_in_time.future_values(recomputed, future_values, clock_skew=clock_skew, alpha=future_alpha)
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
            named=named,
        )
    else:
        yield from skew.in_window(serving, recomputed, features, limits, alpha=window_alpha, min_rows=min_window)
    yield from skew.scores(serving, recomputed, ks, window_alpha)


@fault(check_training_serving_skew, "features are served in another unit (×1.609344) or spelling")
def other_unit(serving: Dataset, recomputed: Dataset) -> dict[str, Dataset]:
    """Miles are computed, kilometres are served; texts are served in other case."""
    return _broken(serving, recomputed, lambda values: values * 1.609344, lambda values: values.str.swapcase() + "·")


@fault(check_training_serving_skew, "failed look-ups serve a default for every third row")
def silent_default(serving: Dataset, recomputed: Dataset, rng: numpy.random.Generator) -> dict[str, Dataset]:
    """The feature store times out and the server fills in -1, or "unknown", without a word."""
    failed = rng.random(serving.rows) < 1 / 3
    return _broken(
        serving, recomputed, lambda values: values.mask(failed, -1.0), lambda values: values.mask(failed, "unknown")
    )


@fault(check_training_serving_skew, "training joins values from the day after the row", caught_by=point_in_time.FUTURE)
def time_travel(recomputed: Dataset, rng: numpy.random.Generator) -> dict[str, Dataset]:
    """The training path joins the newest value instead of the newest known at the time, for half the rows."""
    import pandas as pd

    times, time = dict(recomputed.roles.feature_times), recomputed.roles.time
    if not times or not time:
        raise NotOffered("recomputed", 'write feature_times = {feature = "column"} and time under its configuration')
    frame = recomputed.frame()
    later = pd.to_datetime(frame[time], utc=True) + pd.Timedelta(days=1)
    ahead = rng.random(len(frame)) < 1 / 2
    for column in dict.fromkeys(times.values()):
        frame[column] = pd.to_datetime(frame[column], utc=True).mask(ahead, later)
    return {"recomputed": recomputed.replace(frame)}


def _broken(
    serving: Dataset, recomputed: Dataset, number: Callable[[Any], Any], text: Callable[[Any], Any]
) -> dict[str, Dataset]:
    """Break every common feature, since a fault does not know which of them the model uses."""
    import pandas as pd

    frame = serving.frame()
    for name in skew.features_of(serving, recomputed).both:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            frame[name] = number(pd.to_numeric(values).astype("float64"))
        elif not pd.api.types.is_datetime64_any_dtype(values):
            frame[name] = text(as_texts(values).astype("string"))
    return {"serving": serving.replace(frame)}
