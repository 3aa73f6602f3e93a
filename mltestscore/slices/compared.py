"""What slices are judged on: losses row by row, of a ranking query by query, and of each of several labels too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.declare import Observations
from mltestscore.dependence import dependent, near_in_time
from mltestscore.errors import ConfigError
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.slices import declared, losses
from mltestscore.slices.declared import Mask
from mltestscore.slices.discovered import discovered
from mltestscore.slices.losses import Losses
from mltestscore.slices.treatment import agree
from mltestscore.slices.verdicts import Judge
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.quality import quality
from mltestscore.stats.ranking import answerable, qualities
from mltestscore.tasks import JUDGED_TOO
from mltestscore.unstructured import structured

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Scores = npt.NDArray[np.float64]

LOST_LABEL = "quality lost on a label"
ABOUT = 0.02  # of the rows: less than what a loss of quality is accused of


@dataclass(frozen=True)
class Units:
    """Rows, or the queries of a ranking, with what either model loses on each.

    Attributes:
        frame: shape (n, …): of a query, the columns in which all of its rows agree.
        judging: shape (n,), which of them did not search for slices.
        losses: of both models.
        labels: of several labels, the losses on each; ``None`` for one that is the same in all rows.
    """

    frame: pd.DataFrame
    judging: Mask
    losses: Losses
    labels: Mapping[str, Losses | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """The options of model.6."""

    slices: Sequence[declared.Wanted]
    min_rows: int
    max_loss: float
    min_quality: float | None
    max_unjudged: float
    search: int
    alpha: float


@dataclass(frozen=True)
class Pair:
    """Two models' scores of labelled rows, in the shapes of :meth:`mltestscore.inputs.model.Model.predict`."""

    task: str
    metric: str
    truth: npt.NDArray[Any]
    ours: Scores
    theirs: Scores


def read(
    model: Model, previous: Model | None, holdout: Dataset, slices: Sequence[declared.Wanted], rows: int
) -> tuple[pd.DataFrame, npt.NDArray[Any], tuple[object, ...]]:
    """Return labelled rows with what both models and the slices read, their labels encoded, and the classes."""
    earlier = () if previous is None else [name for name in previous.features if name in holdout.columns]
    columns = dict.fromkeys([*model.features, *declared.columns_of(slices), *earlier])
    later = contest.labelled(holdout, list(columns), rows)
    label = later[holdout.roles.label]
    classes = contest.classes_of(model.classes, label)
    return later, contest.encoded(label, model.task, classes, holdout.name, JUDGED_TOO), classes


def sureness(pair: Pair) -> str:
    """Say so where the model answers about as many rows right as the other and loses quality: it is not calibrated."""
    if pair.task not in ("binary", "multiclass") or pair.metric not in ("d2_brier_score", "d2_log_loss"):
        return ""
    scores = (pair.ours, pair.theirs)
    right = [quality("accuracy", pair.truth, one) for one in scores]
    whole = [quality(pair.metric, pair.truth, one) for one in scores]
    if whole[0] >= whole[1] or right[1] - right[0] > ABOUT:
        return ""
    return (
        f", which answers {right[1]:.1%} of all rows right, the model {right[0]:.1%}: what it loses lies in how sure "
        'it is; calibrate its probabilities, or judge by metric = "accuracy" where only the answer counts'
    )


def units(pair: Pair, later: pd.DataFrame, holdout: Dataset, judging: Mask, names: Sequence[object]) -> Units:
    """Return what is judged of ``later``, labelled rows of ``holdout``; ``names``: of the labels, where several."""
    if pair.task == "ranking":
        return _queries(pair, later, holdout, judging)
    found = losses.compare(pair.metric, pair.truth, pair.ours, pair.theirs, None)
    found = replace(found, clusters=dependent(later, holdout, lambda: found.lost))
    several = names if pair.task == "multilabel" else ()
    return Units(later, judging, found, {f"{name!s:.80}": _label(pair, at, found) for at, name in enumerate(several)})


def _label(pair: Pair, place: int, whole: Losses) -> Losses | None:
    column = pair.truth[:, place]
    if len(np.unique(column)) < 2:
        return None
    return losses.compare(pair.metric, column, pair.ours[:, place], pair.theirs[:, place], whole.clusters)


def _queries(pair: Pair, later: pd.DataFrame, holdout: Dataset, judging: Mask) -> Units:
    codes = codes_of(contest.queries_of(later, holdout))
    first = np.unique(codes, return_index=True)[1][answerable(pair.truth, codes)]
    agreeing = [name for name in later.columns if agree(later[name].to_numpy(), codes)]
    ours, theirs = (1 - qualities(pair.metric, pair.truth, one, codes) for one in (pair.ours, pair.theirs))
    frame = later[agreeing].iloc[first].reset_index(drop=True)
    found = Losses(pair.metric, ours, theirs, None)
    time = holdout.roles.time
    together = near_in_time(frame[time], lambda: found.lost) if time in frame.columns else None
    return Units(frame, judging[first], replace(found, clusters=together))


def observations(
    held: Units, features: Sequence[str], asked: Asked, chosen: bool, against: str, gain: str
) -> Observations:
    """Yield the findings of all slices, declared and discovered, and of labels, and the pictures.

    ``chosen``: whether the searched rows chose the other model too; ``against``: its name; ``gain``: what the record
    says of the release.
    """
    for name in declared.columns_of(asked.slices):
        if name not in held.frame.columns:
            raise ConfigError(f"slices: {name!r:.80} differs between the rows of a query, which is judged as a whole.")
    rows = held.judging if chosen else np.ones(len(held.frame), dtype=bool)
    level = asked.alpha / (2 if held.labels else 1)
    judge = Judge(held.losses, rows, asked.min_rows, asked.max_loss, asked.min_quality, level)
    named = structured(held.frame, [name for name in features if name in held.frame.columns])
    slices = asked.slices or declared.by_default(held.frame, named)
    slicings = list(declared.slicings(held.frame, slices, asked.min_rows))
    found = []
    if asked.search and named:
        how: dict[str, Any] = {"most": asked.search, "least": asked.min_rows, "telling": _telling(held, asked, level)}
        found = discovered(held.frame, named, held.losses.lost, ~held.judging, **how)
    yield from judge.unjudged(slicings, asked.max_unjudged)
    yield from judge.observations(slicings, found, gain, against)
    yield from _labels(held, rows, asked, level, against)


def _telling(held: Units, asked: Asked, level: float) -> Callable[[Mask], bool]:
    """Return what says whether as many rows would accuse, or surely clear what lost nothing.

    An estimate around 0 ends with its bound, h further, below the limit with a probability of 97.5 % where h is at
    most half of the limit: both are 1.96 of its standard errors.
    """

    def told(rows: Mask) -> bool:
        if held.losses.too_few(rows, asked.min_rows):
            return False
        gap = held.losses.loss_of(rows, level)
        return gap.clearing.high - gap.value <= asked.max_loss / 2 or gap.accusing.low > asked.max_loss

    return told


def _labels(held: Units, rows: Mask, asked: Asked, level: float, against: str) -> Iterator[Finding]:
    for name, compared in held.labels.items():
        why = "all rows say the same of it" if compared is None else compared.too_few(rows, asked.min_rows)
        if why or compared is None:
            yield undecided(LOST_LABEL, why, where=name)
            continue
        lost = compared.loss_of(rows, level / len(held.labels))
        yield at_most(LOST_LABEL, lost, asked.max_loss, where=name, note=f"against {against}")
