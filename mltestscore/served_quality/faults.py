"""Ways in which served scores and late labels go wrong, planted on bounded copies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.served_quality.scored import seconds
from mltestscore.slices.faults import told_by
from mltestscore.slices.values import labels_of
from mltestscore.unstructured import as_texts

ENOUGH, MOST = 0.1, 0.6  # of the rows are of the kind whose labels stop: enough to be judged, and not all


def to_the_wrong_rows(serving: Dataset, since: float) -> Dataset:
    """Return the log with each score given to the row that was served before it, in order of the key.

    ``since`` is the share of the served time after which it happens; all rows where the log has no times.
    """
    frame = serving.frame()
    times = seconds(frame[serving.roles.time]) if serving.roles.time else np.zeros(len(frame))
    start = np.nanmin(times) + since * (np.nanmax(times) - np.nanmin(times))
    hit = np.flatnonzero(times >= start)
    keys = _texts(frame, serving.roles.key) if serving.roles.key else frame.index.to_numpy()
    order = hit[np.argsort(keys[hit], kind="stable")]
    scores = frame[serving.roles.score].to_numpy(copy=True)
    scores[order] = np.roll(scores[order], 1)
    return serving.replace(frame.assign(**{serving.roles.score: scores}))


def moved(serving: Dataset, model: Model, by: float) -> Dataset:
    """Return the log with every score moved by ``by`` of the scale, and cut to it; the next class of many classes.

    Of a ranking, where all by as much is the same order, the sign of the scores turns, and the best come last.
    """
    frame = serving.frame()
    score = serving.roles.score
    if model.task == "multilabel":
        lifted = [np.clip(np.asarray(cell, dtype=np.float64) + by, 0, 1).tolist() for cell in frame[score].dropna()]
        return serving.replace(frame[frame[score].notna()].assign(**{score: lifted}))
    if model.task == "ranking":
        return serving.replace(frame.assign(**{score: -frame[score]}))
    if model.task == "multiclass":
        known = sorted(frame[score].dropna().unique().tolist())
        following = dict(zip(known, [*known[1:], known[0]], strict=True))
        return serving.replace(frame.assign(**{score: frame[score].map(following)}))
    if model.task == "regression":
        return serving.replace(frame.assign(**{score: frame[score] + 4 * by * float(frame[score].std())}))
    return serving.replace(frame.assign(**{score: (frame[score] + by).clip(0, 1)}))


def without_labels_of_one_kind(serving: Dataset, outcomes: Dataset, model: Model) -> Dataset:
    """Return the labels without those of the most common value of a served model input.

    Raises :class:`NotOffered` where no served input tells rows apart.
    """
    names = told_by(model, serving) if set(model.features) <= set(serving.columns) else []
    if not names:
        raise NotOffered("a served model input", "log the inputs of the model with its scores")
    key = list(serving.roles.key or outcomes.roles.key)
    frame = serving.frame([*key, names[0]])
    kinds = labels_of(frame[names[0]])
    shares = {kind: float((kinds == kind).mean()) for kind in sorted(set(kinds), key=str)}
    gone = max((kind for kind in shares if ENOUGH <= shares[kind] <= MOST), key=lambda kind: shares[kind])
    theirs = list(outcomes.roles.key or key)
    lost = _texts(frame, key)[kinds == gone]
    kept = outcomes.frame()
    return outcomes.replace(kept[~np.isin(_texts(kept, theirs), lost)].reset_index(drop=True))


def _texts(frame: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.str_]:
    """Return the key of each row as one text."""
    joined = reduce(lambda left, right: left + "\x1f" + right, (as_texts(frame[name]) for name in names))
    return joined.to_numpy(dtype=np.str_)
