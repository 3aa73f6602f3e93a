"""What the model loses as it grows old is measured, and little of it is lost at the declared maximum age.

Why
    A retraining schedule without this curve is a guess: too rare and quality decays unseen, too often and every
    retraining risks a bad release for nothing.

Measured
    A back-test. The team's trainer learns at up to five dates, half a maximum age apart, each time from as many rows,
    drawn from all before that date. Each model answers for all later blocks of time, and its loss there is compared,
    row by row, with that of the model that was fresh then: a harder season hits both. Every date has four models, each
    trained without another quarter of the rows, so that the luck of a training is not taken for age. Of a ranking,
    whole queries are learned and judged.

Passes when
    a loss beyond max_loss is ruled out at the declared maximum age. Fails where one is shown. Undecided with too few
    rows or days, where no age is declared, or where the newest rows do not reach the model, so that none is fresh.

If it fails
    Retrain more often and declare a smaller max_age_days, best the largest age measured to be harmless: monitor.4
    takes that one by itself where none is declared. Or look for what changed: the blocks of time say when.

Options
    max_age: an input; [tool.mltestscore.checks."monitor.4"] max_age_days. max_loss .02: two points of the metric. alpha
    .0003. metric: d2_brier_score for classes, d2_absolute_error for numbers; also accuracy, d2_log_loss, r2. max_rows
    20,000, as many as faults are planted on, so that both share their trainings; more narrow the interval.
    max_lesson_rows 10,000: for one training. min_rows 500: for one training, and judged at the maximum age. timeout:
    seconds for all trainings together, 300.

Source
    Breck et al. 2017, Model 4; Vela et al. 2022 (quality falls with age in 91 % of model and data pairs); Zou and
    Donner 2008 for the interval; limits and levels: our statistics, M4. They are judgements, not published constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore import at_least, at_most, check, fault, undecided
from mltestscore.staleness.age import TOLERABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.trainer import Trainer
    from mltestscore.staleness.age import Age
    from mltestscore.staleness.back_test import Answers
    from mltestscore.staleness.plan import Plan

LOST = "quality lost at the maximum age"
FINITE = "judged rows without a finite score"
SIXTH = 6  # of the days that rows reach over: the age that is asked about where none is declared
UNDECLARED = 'no maximum age is declared; set max_age_days under [tool.mltestscore.checks."monitor.4"]'


@check("model.4")
def check_staleness_known(
    training: Dataset,
    trainer: Trainer,
    model: Model,
    max_age: Age | None = None,
    *,
    metric: str = "",
    max_loss: float = 0.02,
    alpha: float = 0.0003,
    max_rows: int = 20_000,
    max_lesson_rows: int = 10_000,
    min_rows: int = 500,
    timeout: float = 300.0,
) -> Observations:
    """Train at several dates, and hold what age costs to a limit."""
    from mltestscore.contest import classes_of
    from mltestscore.slices.losses import slice_metric
    from mltestscore.staleness.back_test import Unfinished, answers
    from mltestscore.staleness.plan import TooShort, plan, timed
    from mltestscore.tasks import JUDGED_TOO

    metric = slice_metric(model.task, metric, JUDGED_TOO)
    rows = timed(training, max_rows, model.task)
    days = max_age.days if max_age is not None else rows.days / SIXTH
    laid = plan(rows, days, most=max_lesson_rows, least=min_rows)
    if isinstance(laid, TooShort):
        yield undecided(LOST, laid.reason, n_to_settle=laid.rows_wanted)
        return
    classes = () if model.task in ("regression", "ranking") else classes_of(model.classes, rows.labels)
    if why := laid.lacking(classes, model.task):
        yield undecided(LOST, why)
        return
    known = (days, max_lesson_rows, min_rows)
    found = answers(laid, trainer, model.task, classes, known=known, timeout=timeout)
    if isinstance(found, Unfinished):
        yield undecided(LOST, found.reason)
        return
    yield from _judged(laid, found, metric, max_loss, alpha, declared=max_age is not None)
    yield laid.spent(found.seconds, max_lesson_rows, timeout)


def _judged(laid: Plan, found: Answers, metric: str, max_loss: float, alpha: float, *, declared: bool) -> Observations:
    from mltestscore.staleness.curve import Curve
    from mltestscore.staleness.plan import STEPS

    broken = int((~found.finite).sum())
    yield at_most(FINITE, broken, 0, n=len(found.truth))
    if broken:
        return
    curve = Curve(laid, metric, found.truth, found.scores, alpha)
    asked, tolerable = curve.at(laid.age), curve.tolerable(max_loss)
    until = f"every age up to {tolerable:g} days is harmless" if tolerable else "no age measured is shown harmless"
    if found.deaf:
        why = "the model stays the same when the labels of its newest rows change places, so that no model is fresh"
        yield undecided(LOST, why)
    elif not declared:
        yield undecided(LOST, f"{UNDECLARED}; {until}")
    else:
        note = f"{asked.days:g} days; {until}"
        yield at_most(LOST, asked.lost, max_loss, note=note)
    if not found.deaf:
        yield at_least(TOLERABLE, tolerable, laid.age, unit="days", n=asked.rows, advisory=True)
    yield curve.findings_table()
    yield from curve.picture(max_loss)
    yield curve.blocks_table(STEPS)


@fault(check_staleness_known, "the world turns round, day by day", caught_by=LOST)
def world_turned(training: Dataset, model: Model, max_age: Age) -> Mapping[str, Dataset]:
    """What was likely is unlikely by now, for all rows alike."""
    from mltestscore.staleness.faults import changing_world, turned_round

    return {"training": changing_world(training, model, max_age.days, turned_round)}


@fault(check_staleness_known, "the label comes to mean another thing", caught_by=LOST)
def label_redefined(training: Dataset, model: Model, max_age: Age) -> Mapping[str, Dataset]:
    """The commonest class counts as another one, or numbers come in another unit."""
    from mltestscore.staleness.faults import changing_world, counted_otherwise

    return {"training": changing_world(training, model, max_age.days, counted_otherwise)}
