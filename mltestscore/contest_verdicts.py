"""What a contest says of a model: its advantage over the best simple one, whether beating that proves anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore.contest import queries_of
from mltestscore.declare import Observations
from mltestscore.dependence import dependent, few_dates
from mltestscore.details import Table
from mltestscore.errors import NotOffered
from mltestscore.finding import at_least, at_most, undecided
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.periods import few
from mltestscore.stats.quality import lost_by_row

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.baselines import Baseline
    from mltestscore.contest import Contest
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.heuristics import Heuristics
    from mltestscore.inputs.model import Model

ADVANTAGE = "advantage over the best simple model"
FAIR = "advantage of the best trained baseline over the constant"
OURS = "the model"
COST = "time to score beside the best trained baseline"
HARDLY = 0.005  # in the metric: half of the .01 that infra.4 tolerates between two models
TIMED, REPEATS = 1_000, 3  # rows, and how often
LEAST_QUERIES = 50  # of a ranking: each is one number, and few numbers show no tails


def require_kind(model: Model, holdout: Dataset, rules: Heuristics | None) -> None:
    """Raise :class:`NotOffered` for a ranking without queries, and for a forecast without its time and horizon."""
    if model.task == "ranking":
        queries_of(holdout.frame(limit=1), holdout)
    if model.forecast and not holdout.roles.time:
        table = f"[tool.mltestscore.data.{holdout.name}]"
        raise NotOffered(f"the time of {holdout.name}", f"name its column with time = … under {table}, for a forecast")
    if model.forecast and (rules is None or rules.horizon_days is None):
        remedy = "write horizon_days = … under [tool.mltestscore.heuristics]: a forecast must beat the last known value"
        raise NotOffered("the horizon of the forecast", remedy)


def grouped(
    contest: Contest, simple: Sequence[Baseline], later: pd.DataFrame, holdout: Dataset, rules: Heuristics | None
) -> Contest:
    """Return the contest with what it says of which rows belong together: few dates, clusters or periods of time."""
    foretold = rules is not None and (rules.horizon_days or rules.season_days)
    dates = None if foretold else few_dates(later, holdout)
    if dates is not None:
        return replace(contest, clusters=dates, dates=True)
    return replace(contest, clusters=_together(contest, simple, later, holdout, rules))


def _together(
    contest: Contest, simple: Sequence[Baseline], later: pd.DataFrame, holdout: Dataset, rules: Heuristics | None
) -> npt.NDArray[np.intp] | None:
    """Return which rows belong together, by what the model gains on the best of the others; a horizon counts too."""
    best = contest.best([baseline.name for baseline in simple])
    horizon, season = (0.0, 0.0) if rules is None else (rules.horizon_days or 0.0, rules.season_days)
    scores = contest.scores[best], contest.scores[OURS]
    gains = partial(lost_by_row, contest.metric, contest.truth, *scores)
    return dependent(later, holdout, gains, horizon=horizon, season=season)


def compared(
    contest: Contest, simple: Sequence[Baseline], alpha: float, *, margin: float, declared: bool
) -> Observations:
    """Yield the findings and the table; ``declared``: whether the clusters are, and not read from the times."""
    if (
        contest.clusters is not None
        and not declared
        and not contest.dates
        and (why := few(contest.clusters[contest.judged]))
    ):
        yield undecided(ADVANTAGE, why)
        return
    if (many := contest.orders) is not None and many < LEAST_QUERIES:
        why = f"{many} queries of the judged rows have an order to find; at least {LEAST_QUERIES} are needed"
        yield undecided(ADVANTAGE, why, n_to_settle=LEAST_QUERIES)
        return
    best = contest.best([baseline.name for baseline in simple])
    accusing, clearing = (contest.advantage(OURS, best, level) for level in (alpha, CLEAR))
    gap = two_levels(accusing, clearing, harm="below")
    yield at_least(ADVANTAGE, gap, margin, where=best, note=f"metric: {contest.metric}")
    # Accuracy cannot tell a good model of a rare class from a constant: whether a baseline learned, log loss says.
    learned = replace(contest, metric="d2_log_loss") if contest.metric == "accuracy" else contest
    trained = learned.best([baseline.name for baseline in simple if baseline.trained])
    gain = learned.advantage(trained, "constant", CLEAR)  # a condition for passing, which accuses nobody
    if gain.low > 0:
        yield at_least(FAIR, gain, 0, where=trained, note=f"metric: {learned.metric}")
    else:
        yield undecided(FAIR, "no trained baseline is shown to beat a constant: beating them proves little")
    yield Table(
        f"Models on the {int(contest.judged.sum()):,} judged rows of the holdout",
        ["model", contest.metric, "advantage of the model", "at least", "at most", "seconds to fit"],
        [[OURS, contest.quality(OURS), None, None, None, None], *_rows(contest, simple, alpha)],
    )


def worth_its_cost(
    contest: Contest, simple: Sequence[Baseline], model: Model, later: pd.DataFrame, margin: float, most: float
) -> Observations:
    """Warn where the model is shown to be hardly better than a trained baseline and takes many times as long to score.

    It is a warning, because what a second costs is for the team to say, and because other processes move it.
    """
    trained = {baseline.name: baseline for baseline in simple if baseline.trained}
    best = contest.best([*trained])
    worth = max(margin, HARDLY)
    if contest.advantage(OURS, best, CLEAR).high > worth:
        return
    some = later.head(TIMED)
    ratio = _seconds(model.predict, some) / _seconds(trained[best].predict, some)
    cause = f"and its advantage is at most {worth:g}: the simple model may do" if ratio > most else ""
    note = f"least time of {REPEATS} on {len(some):,} rows"
    yield at_most(COST, ratio, most, where=best, unit="times", cause=cause, note=note, advisory=True)


def _seconds(predict: Callable[[pd.DataFrame], object], rows: pd.DataFrame) -> float:
    """Return the least time of a few: what other processes add is not the model's."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        predict(rows)
        taken.append(time.perf_counter() - start)
    return max(min(taken), 1e-9)


def _rows(contest: Contest, simple: Sequence[Baseline], alpha: float) -> Iterator[list[Any]]:
    for baseline in simple:
        gap = contest.advantage(OURS, baseline.name, alpha)
        yield [baseline.name, contest.quality(baseline.name), gap.value, gap.low, gap.high, round(baseline.seconds, 2)]
