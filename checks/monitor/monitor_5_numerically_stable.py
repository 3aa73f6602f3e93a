"""Every row that the schema allows gets a finite score in range, and the model's own numbers are finite.

Why
    One NaN spreads through sums and averages until a whole batch is worthless, and it is rarely reported as an error.

Measured
    The model scores rows drawn from the domains of the schema, rows at every edge (least, largest, zero, each category,
    an unseen one where no rule forbids it, missing where allowed, far values where no rule bounds them), all edges at
    once, and training rows. Counted are rows that it refuses, scores that are NaN, infinite, outside of [0, 1] or do
    not sum to one, weights and leaf values that are not finite (of libraries whose models show them: scikit-learn,
    ONNX, XGBoost, LightGBM, CatBoost, PyTorch, PMML, H2O), and the same in the log of served scores. Of neural networks
    (PyTorch's, scikit-learn's) the hidden units that no probed row moves, which are dead or saturated.

Passes when
    there is none of these, scores differ between rows, rounding inputs to 32 bits moves no score, and of no layer too
    many units stand still.

If it fails
    The cause names the edge: treat the value before it reaches the model, or write a rule that forbids it and refuse it
    at the door. A feature without any rule is probed only within the range of its training values.

Options
    rows 2,000: with none moved by rounding, their upper bound at alpha .0002 lies below max_moved, 1 % of rows by more
    than moved_by, .01 of probability (of a standard deviation for numbers). max_row_sum_error 1e-3: 16-bit rounding.
    max_still .7 of the units of a layer: in sound sparse networks a third rests; our judgement.

Source
    Breck et al. 2017, Monitor 5; Clopper and Pearson 1934; AutoTrainer (Zhang et al. 2021) on dying units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import Table, at_least, at_most, check, fault, undecided
from mltestscore.numerics.names import DISTINCT, NOT_FINITE, OUTSIDE, PROBE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.schema import Schema
    from mltestscore.numerics.probe_rows import Probe
    from mltestscore.numerics.probe_scores import Scored

TABLE = ("rows", "count", "refused", "not finite", "least score", "largest score")
REFUSED, SUMS = "allowed rows that the model refuses", "class scores that do not sum to one"
PARAMETERS = "model parameters that are not finite"
MOVED = "rows whose score moves when inputs are rounded to 32 bits"


@check("monitor.5")
def check_numerically_stable(
    model: Model,
    schema: Schema,
    training: Dataset | None = None,
    serving: Dataset | None = None,
    *,
    rows: int = 2000,
    alpha: float = 0.0002,
    max_row_sum_error: float = 1e-3,
    moved_by: float = 0.01,
    max_moved: float = 0.01,
    max_still: float = 0.7,
) -> Observations:
    """Score rows that the schema allows, at its edges above all, and count what is not a sound number."""
    import numpy as np

    from mltestscore.numerics import hidden
    from mltestscore.numerics.parameters import not_finite
    from mltestscore.numerics.probe_rows import DRAWN, OBSERVED, probe_rows
    from mltestscore.numerics.probe_scores import by_origin, moved_by_rounding, score_rows
    from mltestscore.numerics.served_log import logged
    from mltestscore.stats.proportion import proportion
    from mltestscore.stats.seeds import generator

    rng = generator("monitor.5", *model.features, training.digest if training is not None else "")
    probe = probe_rows(model.features, schema, training, rows, rng)
    for name in probe.unknown:
        yield undecided(NOT_FINITE, "neither a rule nor training data say what it holds: add a rule", where=name)
    if not probe.unknown:
        scored = score_rows(model, probe.frame)
        yield from _counted(model, probe, scored, max_row_sum_error)
        typical, drawn = np.isin(probe.origins, [DRAWN, OBSERVED]), probe.origins == DRAWN
        yield at_least(DISTINCT, scored.distinct(typical), 2, where=PROBE, n=int(typical.sum()))
        if scored.accepted[drawn].any():
            moved, compared = moved_by_rounding(model, probe.frame[drawn], scored.of(drawn), moved_by)
            yield at_most(MOVED, proportion(moved, compared, alpha), max_moved, unit="share")
        if scored.accepted[typical].all():
            yield from hidden.findings(model, probe.frame[typical], max_still)
        yield Table("Rows that the model scored", TABLE, by_origin(probe.origins, scored))
    unsound, parameters = not_finite(model.estimator)
    if parameters:
        yield at_most(PARAMETERS, len(unsound), 0, n=parameters, cause=", ".join(unsound[:3]))
    if serving is not None:
        yield from logged(model.task, serving)


def _counted(model: Model, probe: Probe, scored: Scored, max_row_sum_error: float) -> Observations:
    from mltestscore.numerics.probe_scores import most_frequent

    origins = probe.origins[scored.accepted]
    refused = probe.origins[~scored.accepted]
    said = f"{most_frequent(refused)}: {scored.message:.300}" if len(refused) else ""
    yield at_most(REFUSED, len(refused), 0, where=PROBE, n=len(probe.origins), cause=said)
    counts = {NOT_FINITE: ~scored.finite}
    if model.task not in ("regression", "ranking"):
        counts[OUTSIDE] = scored.outside(0, 1)
    if model.task == "multiclass":
        counts[SUMS] = scored.unnormalised(max_row_sum_error)
    for name, rows in counts.items():
        yield at_most(name, int(rows.sum()), 0, where=PROBE, n=len(origins), cause=most_frequent(origins[rows]))


@fault(check_numerically_stable, "the logarithm of zero reaches some scores", caught_by=NOT_FINITE)
def logarithm_of_zero(model: Model) -> Mapping[str, Any]:
    """One row in a hundred."""
    import numpy as np

    def predict(frame: Any) -> Any:
        scores = model.predict(frame)
        scores[::100] = -np.inf
        return scores

    return {"model": model.replace(predict)}


@fault(check_numerically_stable, "every row gets the same score", caught_by=DISTINCT)
def same_score(model: Model) -> Mapping[str, Any]:
    """What a saturated or dead last layer does."""
    return {"model": model.replace(lambda frame: 0 * model.predict(frame) + model.predict(frame)[:1])}


@fault(check_numerically_stable, "one allowed row overflows", caught_by=REFUSED)
def overflow(model: Model) -> Mapping[str, Any]:
    """An exception where a score should be."""

    def predict(frame: Any) -> Any:
        if 0 in frame.index:
            raise OverflowError("math range error")
        return model.predict(frame)

    return {"model": model.replace(predict)}
