"""One row can be followed from its values to its score, step by step, for the served version and the one before it.

Why
    When somebody asks about one wrong answer, charts of all answers do not help. Who cannot step through it guesses.

Measured
    Real rows of the serving log (else holdout, training), spread over the scores and some with missing values, are
    followed: by the team's function (``[tool.mltestscore.trace]``, a fresh process), or by us where the model shows how
    it computes (scikit-learn's pipelines, sums, trees, networks, ensembles; XGBoost, LightGBM, ONNX, PyTorch). Counted
    are rows without a trace; traces that do not end in the model's own score, or in the score that the log says was
    served; model inputs that no name in the trace shows; different ways between input and score; and the first two
    again for the version before. Where the endpoint is offered, it also gets requests that no model can score: broken
    rows of different scores that are all answered alike, with what the model would not say, got a default.

Passes when
    all rows are followed to their score, every input is shown, ways differ as rows do, and broken rows are refused.

If it fails
    The cause names the value. Trace the very code that serves, from the values that were logged with the answer, not
    looked up again; let errors out, or send a reason with the default (``reason`` in the table names its field).

Options
    rows 20: harm in one of seven is seen in 95 % of runs. tolerance 1e-5: six digits, as %g writes, and sums in 32
    bits; of a log that rounds, half of its last decimal more, and the scores of all values that it rounds alike.

Source
    Breck et al. 2017, Infra 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import NotOffered, check, fault, undecided
from mltestscore.tracing.names import BEFORE, BETWEEN, DEFAULT, FOLLOWED, LAST, SERVED, SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.endpoint import Endpoint
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry
    from mltestscore.inputs.tracer import Tracer


@check("infra.5")
def check_debuggable(
    model: Model,
    tracer: Tracer,
    serving: Dataset | None = None,
    holdout: Dataset | None = None,
    training: Dataset | None = None,
    previous_model: Model | None = None,
    registry: Registry | None = None,
    endpoint: Endpoint | None = None,
    *,
    rows: int = 20,
    tolerance: float = 1e-5,
) -> Observations:
    """Follow real rows through the served version and the one before it; send the server rows that nobody can score."""
    from mltestscore.errors import InputError
    from mltestscore.tracing import broken, verdicts
    from mltestscore.tracing.rows import rows_to_follow

    found = rows_to_follow(model, (serving, holdout, training), rows, tracer.version_column)
    if found is None:
        yield undecided(LAST, "neither serving nor holdout nor training holds all inputs of the model: offer one")
        return
    traces = tracer.trace(model, found.frame, model.version or "current")
    yield from verdicts.ends(traces, found.scores, tolerance)
    earlier: list[Any] = []
    if previous_model is not None and set(previous_model.features) <= set(found.frame.columns):
        earlier = tracer.trace(previous_model, found.frame, previous_model.version or "previous", earlier=True)
        yield from verdicts.ends(earlier, previous_model.predict(found.frame), tolerance, BEFORE)
    elif previous_model is not None or (registry is not None and registry.previous is not None):
        lacking = "the rows lack inputs of it" if previous_model is not None else "write previous_path for its model"
        yield undecided(LAST, f"the version before cannot be compared: {lacking}", where=BEFORE)
    if any(not one.error for one in traces):
        yield from verdicts.shown(traces, found, model, dict(tracer.derived))
        if found.served is not None:
            yield from verdicts.served(traces, found, model, earlier, tolerance, previous_model)
    yield from verdicts.tables(traces, found)
    if endpoint is not None:
        try:
            sent = broken.send(endpoint, model, found, tracer.reason, tolerance)
        except InputError as refused:
            yield undecided(DEFAULT, f"the server does not take the rows that were followed: {refused}"[:400])
        else:
            yield from verdicts.broken(sent)


@fault(check_debuggable, "the trace steps through another row", caught_by=LAST)
def another_row(tracer: Tracer) -> Mapping[str, Any]:
    """As one does that looks the values up again by a key that has moved on."""
    return {"tracer": tracer.replace(tampering="another row")}


@fault(check_debuggable, "every trace ends in one score", caught_by=LAST)
def constant(tracer: Tracer) -> Mapping[str, Any]:
    """What an exception that nobody sees leaves behind."""
    return {"tracer": tracer.replace(tampering="constant")}


@fault(check_debuggable, "the log notes the score of another request", caught_by=SERVED)
def shifted_log(serving: Dataset, model: Model) -> Mapping[str, Any]:
    """So that no trace can end in what was served."""
    score = serving.roles.score
    frame = serving.frame()
    if not score or not set(model.features) <= set(frame.columns) or frame[score].nunique() < 2:
        raise NotOffered("serving", "log the model's inputs, and scores that differ")
    order = frame[score].argsort().to_numpy()
    frame.loc[frame.index[order], score] = frame[score].to_numpy()[order[::-1]]
    return {"serving": serving.replace(frame)}


@fault(check_debuggable, "an input is left out of the trace", caught_by=SHOWN)
def without_a_feature(tracer: Tracer) -> Mapping[str, Any]:
    """The one that most rows have a value in."""
    return {"tracer": tracer.replace(tampering="without a feature")}


@fault(check_debuggable, "nothing between input and score is shown", caught_by=BETWEEN)
def bare(tracer: Tracer) -> Mapping[str, Any]:
    """A log of requests and answers is no trace."""
    return {"tracer": tracer.replace(tampering="bare")}


@fault(check_debuggable, "the version before can no longer be followed", caught_by=FOLLOWED)
def no_earlier_version(tracer: Tracer, previous_model: Model) -> Mapping[str, Any]:
    """The code of today does not load the model of yesterday."""
    return {"tracer": tracer.replace(tampering="no earlier version")}


@fault(check_debuggable, "the server swallows an exception and answers 0.5", caught_by=DEFAULT)
def swallowed(endpoint: Endpoint, model: Model) -> Mapping[str, Any]:
    """Wherever a request lacks an input."""
    if len(model.features) < 2 or not endpoint.ours or endpoint.features or model.task not in ("binary", "regression"):
        raise NotOffered("endpoint", "a server of ours that takes rows of several inputs, for one score a row")
    return {"endpoint": endpoint.defaulting(0.5, model.features)}
