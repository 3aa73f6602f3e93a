"""A search of our own around the settings in service: what it wins is judged on rows that chose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.dependence import dependent
from mltestscore.details import Table
from mltestscore.errors import InputError, OutOfTime
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset, Roles
from mltestscore.inputs.model import Model
from mltestscore.inputs.search_space import Space, plain_text
from mltestscore.inputs.trainer import Trainer
from mltestscore.stats.interval import CLEAR, Interval, exactly, two_levels
from mltestscore.stats.quality import advantage, lost_by_row, metric_for, quality
from mltestscore.stats.seeds import generator
from mltestscore.tasks import INSTEAD

GAIN = "gain of the best settings that a search finds"
SEED = 20_130_103
VALIDATION = 0.2  # of the training rows, the latest where they have a time
RUNGS = (8, 2)  # candidates learn from an eighth, the better quarter of them from half of the rows
KEPT = 4  # one in four goes on
FEWEST_LEARNED = 1_000
LEAST_SCALE = 0.5
"""The margin is a share of the metric, or of this where that is less: a skill near 0 has no share worth a gain."""


@dataclass(frozen=True)
class Budget:
    """What a search may cost.

    Attributes:
        trials: settings that are tried.
        rows: training rows that the search learns from.
        most_rows: training rows of the two that are compared in the end.
        holdout_rows: rows that judge.
        seconds: after which no further settings are tried.
        timeout: seconds until the process is killed.
    """

    trials: int
    rows: int
    most_rows: int
    holdout_rows: int
    seconds: float
    timeout: float


@dataclass(frozen=True)
class Contenders:
    """Predictions of both on the rows that judge, and how the search went.

    Attributes:
        scores: by ``"incumbent"`` and ``"winner"``.
        settings: of the winner.
        trials: as :mod:`mltestscore.tuning.search_process` reports them.
        stopped: whether the budget ended the search.
        rows: training rows of both.
    """

    scores: dict[str, npt.NDArray[np.float64]]
    settings: dict[str, Any]
    trials: list[dict[str, Any]] = field(default_factory=list)
    stopped: bool = False
    rows: int = 0

    @property
    def alike(self) -> bool:
        """Whether both predict the same: the settings of the winner are, in effect, those in service."""
        return bool(np.array_equal(self.scores["winner"], self.scores["incumbent"]))


def opened(
    trainer: Trainer | None,
    model: Model | None,
    training: Dataset | None,
    holdout: Dataset | None,
    space: Space,
    settings: Mapping[str, Any],
    metric: str,
    budget: Budget,
) -> Search | None:
    """Return a search, or ``None`` where something that it needs is not offered."""
    if trainer is None or model is None or training is None or holdout is None or model.task in INSTEAD:
        return None
    if not (trainer.takes_parameters and training.roles.label and holdout.roles.label):
        return None
    return Search(trainer, model, (training, holdout), space, settings, metric, budget)


class Search:
    """The team's trainer, the space, and the rows that choose and judge."""

    def __init__(
        self,
        trainer: Trainer,
        model: Model,
        data: tuple[Dataset, Dataset],
        space: Space,
        settings: Mapping[str, Any],
        metric: str,
        budget: Budget,
    ) -> None:
        self._trainer, self._model, self._space, self._budget = trainer, model, space, budget
        self._training, self._holdout = data
        self._incumbent = {name: settings[name] for name in space if settings.get(name) is not None}
        self.metric = metric_for(model.task, metric)
        self.later = contest.labelled(self._holdout, model.features, budget.holdout_rows)
        self._all = self._training.sample(budget.most_rows)
        labels = self._all.frame([self._training.roles.label])[self._training.roles.label]
        self._classes = contest.classes_of(model.classes, labels.dropna())
        self.truth = self._encoded(self.later[self._holdout.roles.label], self._holdout.name)

    def too_few(self, rows: int, per_class: int) -> contest.TooFew | None:
        """Say why nothing can be judged, or ``None`` if something can."""
        if len(self.truth) < rows:
            return contest.TooFew(f"{len(self.truth):,} labelled holdout rows; at least {rows:,} are needed", rows)
        if len(self._labelled()) < FEWEST_LEARNED:
            return contest.TooFew(f"fewer than {FEWEST_LEARNED:,} labelled training rows")
        if len(np.unique(self.truth)) < 2:
            return contest.TooFew("the labels of the holdout are all the same")
        if self._model.task == "binary" and int(np.bincount(self.truth).min()) < per_class:
            return contest.TooFew(f"fewer than {per_class} holdout rows of the rarer class", 2 * len(self.truth))
        return None

    def found(self) -> Contenders:
        """Search, or recall what the same search of these rows has found."""
        key = (self._trainer.digest, repr(sorted(self._space.items())), repr(sorted(self._incumbent.items())))
        place = (*key, self._holdout.sample(self._budget.holdout_rows).digest, self.metric, self._budget)
        return self._all.recall("search for settings", [place], lambda _: [self._searched()])[0]

    @property
    def cut(self) -> bool:
        """Whether the two learn from fewer rows than the settings in service were chosen for."""
        return not self._training.whole or self._training.rows > self._budget.most_rows

    def gain(self, found: Contenders, alpha: float) -> Interval:
        """Return by how much the winner is better on the holdout; accused at ``alpha``, cleared at 95 %."""
        if found.alike:
            return exactly(0.0, len(self.truth))
        winner, incumbent = (found.scores[name] for name in ("winner", "incumbent"))
        lost = lost_by_row(self.metric, self.truth, incumbent, winner)
        clusters = dependent(self.later, self._holdout, lambda: lost)
        accusing, clearing = (
            advantage(self.metric, self.truth, winner, incumbent, level, clusters) for level in (alpha, CLEAR)
        )
        return two_levels(accusing, clearing)

    def limit(self, found: Contenders, margin: float) -> float:
        """Return the gain that is not worth a search."""
        return margin * max(LEAST_SCALE, abs(quality(self.metric, self.truth, found.scores["incumbent"])))

    def _labelled(self) -> pd.DataFrame:
        frame = self._all.frame()
        return frame[frame[self._training.roles.label].notna()].reset_index(drop=True)

    def _encoded(self, labels: pd.Series[Any], where: str) -> npt.NDArray[Any]:
        return contest.encoded(labels, self._model.task, self._classes, where)

    def _searched(self) -> Contenders:
        """Choose on a part of the rows, then let both learn from all of them.

        Raises :class:`InputError` when the training fails or gives other predictions than the model.
        """
        frame, label = self._labelled(), self._training.roles.label
        rng = generator("model.3", self._all.digest, repr(sorted(self._space)))
        some = np.sort(rng.permutation(len(frame))[: self._budget.rows])
        judge = later_rows(frame.iloc[some], self._training.roles, rng)
        fit, chosen_by = rng.permutation(some[~judge]), some[judge]
        candidates = drawn(self._space, self._incumbent, self._budget.trials, rng)
        truth = self._encoded(frame[label].iloc[chosen_by], self._training.name)
        request = {
            "candidates": candidates,
            "incumbent": self._incumbent,
            "rungs": rungs_of(len(candidates), len(fit)),
            "metric": self.metric,
            "seed": SEED,
            "features": self._model.features,
            "label": label,
            "seconds": self._budget.seconds,
        }
        probe = self.later.drop(columns=[self._holdout.roles.label])
        arrays = {"fit": fit, "chosen_by": chosen_by, "truth": truth}
        told, scores = self._trainer.search(frame, probe, arrays, request, timeout=self._budget.timeout)
        shape = (len(probe), len(self._classes)) if self._model.task == "multiclass" else (len(probe),)
        if any(one.shape != shape for one in scores.values()):
            raise InputError(
                f"{self._trainer.source} returned an estimator whose predictions have the shape "
                f"{scores['winner'].shape}, not {shape} as of the model's task. Are both of the same task?"
            )
        return Contenders(scores, candidates[told["winner"]], told["trials"], told["stopped"], len(frame))


def rungs_of(candidates: int, rows: int) -> list[tuple[int, int]]:
    """Return how many rows each rung learns from and how many candidates it keeps, the last one."""
    learned = [max(FEWEST_LEARNED // 2, rows // share) for share in RUNGS]
    return [(learned[0], max(1, candidates // KEPT)), (learned[1], 1)]


def later_rows(frame: pd.DataFrame, roles: Roles, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which rows choose: the latest fifth where rows have a time, else a random fifth of clusters, keys or rows.

    A cluster that lies on both sides of the cut chooses nothing and is learned from.
    """
    if roles.time:
        times = pd.to_datetime(frame[roles.time], utc=True, errors="coerce")
        late = np.asarray(times.rank(method="min", pct=True) > 1 - VALIDATION)
        if roles.cluster:
            late = late & ~frame[roles.cluster].isin(frame[roles.cluster][~late]).to_numpy()
        return np.asarray(late, dtype=bool)
    columns = [roles.cluster] if roles.cluster else list(roles.key)
    groups = frame.groupby(columns, dropna=False, sort=False).ngroup().to_numpy() if columns else np.arange(len(frame))
    return np.asarray(rng.random(int(groups.max()) + 1)[groups] < VALIDATION)


def drawn(space: Space, incumbent: Mapping[str, Any], trials: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Draw settings: every second one near the incumbent, the others anywhere in the space."""
    names = [name for name in space if name in incumbent]
    return [
        {name: space[name].draw(rng, incumbent[name] if number % 2 == 0 else None) for name in names}
        for number in range(trials)
    ]


def findings(search: Search, margins: tuple[float, float], alpha: float) -> Iterator[Finding | Table]:
    """Search, and judge the winner on the holdout.

    Args:
        search: with enough rows; see :meth:`Search.too_few`.
        margins: the share of the metric that a gain may be; and, where both learn from a part of the rows only, the
            share that a gain must be beyond to accuse, since settings that suit many rows are too free for few.
        alpha: the level of the bound that accuses.
    """
    try:
        found = search.found()
    except OutOfTime as late:
        yield undecided(GAIN, str(late))
        return
    yield _table(found)
    tried = len({one["number"] for one in found.trials})
    if found.alike and len({one["quality"] for one in found.trials if one["rows"] == found.trials[0]["rows"]}) == 1:
        why = "trainings with other settings give the same predictions; does the trainer use its parameters?"
        yield undecided(GAIN, why)
        return
    gain, limit, beyond = search.gain(found, alpha), search.limit(found, margins[0]), search.limit(found, margins[1])
    if search.cut and limit < gain.low <= beyond:
        why = f"a gain of {gain.value:.4g} on {found.rows:,} rows, for which the settings in service were not chosen"
        yield undecided(GAIN, f"{why}; raise most_rows")
    elif found.stopped and gain.high <= limit:
        yield undecided(GAIN, f"the budget of seconds ended the search after {tried} settings; give it more")
    else:
        better = ", ".join(f"{name} = {plain_text(value)[:20]}" for name, value in found.settings.items())[:300]
        note = f"metric: {search.metric}; both learned from {found.rows:,} rows"
        yield at_most(GAIN, gain, limit, cause=f"better: {better}" if gain.low > limit else "", note=note)


def _table(found: Contenders) -> Table:
    names = list(found.settings)[:6]
    rows: list[Sequence[Any]] = [
        (one["number"] + 1, one["rows"], one["quality"], round(one["seconds"], 2), one["error"][:80])
        for one in found.trials
    ]
    won = ", ".join(f"{name} = {plain_text(found.settings[name])[:20]}" for name in names)
    return Table(f"Our search; the winner has {won}", ["settings", "rows", "metric", "seconds", "error"], rows)
