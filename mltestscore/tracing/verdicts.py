"""The findings of infra.5: where traces end, what they show, and what they show on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import Table, at_least, at_most, undecided
from mltestscore.tracing import judged
from mltestscore.tracing.broken import Sent, defaults
from mltestscore.tracing.names import BETWEEN, DEFAULT, FOLLOWED, LAST, SERVED, SHOWN
from mltestscore.tracing.rounding import explained
from mltestscore.tracing.rows import Rows
from mltestscore.tracing.trace import Trace, as_table, number, overview, plain, short

if TYPE_CHECKING:
    from mltestscore.declare import Observations
    from mltestscore.inputs.model import Model


def ends(traces: Sequence[Trace], scores: npt.NDArray[Any], tolerance: float, where: str = "") -> Observations:
    """Hold the last values of traces against the model's own scores."""
    lost = [one.error for one in traces if one.error]
    if any(one.automatic and one.error for one in traces):  # a limit of ours, not of the team's
        why = f'{lost[0]:.300}; write call = "module:function" under [tool.mltestscore.trace]'
        yield undecided(LAST, why, where=where)
        return
    yield at_most(FOLLOWED, len(lost), 0, where=where, n=len(traces), cause=lost[0][:300] if lost else "")
    sound = [place for place, one in enumerate(traces) if not one.error]
    if not sound:
        return
    wrong = judged.astray([traces[place] for place in sound], scores[sound], tolerance)
    cause = _apart(traces[sound[wrong[0]]], scores[sound[wrong[0]]], "the model says") if wrong else ""
    yield at_most(LAST, len(wrong), 0, where=where, n=len(sound), cause=cause)


def shown(traces: Sequence[Trace], rows: Rows, model: Model, derived: judged.Derived) -> Observations:
    """Look for each model input in the traces, and for what they tell besides input and score."""
    features = rows.features(model)
    sound = [place for place, one in enumerate(traces) if not one.error]
    found = [traces[place] for place in sound]
    missing = judged.not_shown(found, features.iloc[sound], model.features, derived)
    cause = ", ".join(f"{name:.60}" for name in missing[:5])
    yield at_most(SHOWN, len(missing), 0, n=len(model.features), cause=cause)
    given = judged.records(rows)
    ways = {judged.between(one, given[place]) for one, place in zip(found, sound, strict=True)} - {()}
    least = 2 if len(np.unique(rows.scores, axis=0)) > 1 and len(found) > 1 else 1
    cause = "" if ways else "nothing between input and score is shown"
    yield at_least(BETWEEN, len(ways), least, n=len(found), cause=cause)


def served(
    traces: Sequence[Trace],
    rows: Rows,
    model: Model,
    before: Sequence[Trace],
    tolerance: float,
    previous_model: Model | None = None,
) -> Observations:
    """Hold the last values against what the log says was served, by this version or the one before it."""
    assert rows.served is not None  # asked only of a log that holds scores
    chosen = [place for place, one in enumerate(traces) if not one.error and _is_known(rows.served[place])]
    of_others = rows.versions is not None and model.version and model.version not in rows.versions
    if rows.versions is not None and not of_others and model.version:
        before = ()  # the log says that this version answered
    if not chosen or (of_others and not before):
        why = f"the log holds no score that version {model.version:.40} served" if of_others else "no score is logged"
        yield undecided(SERVED, why)
        return

    def right(trace: Trace, place: int) -> bool:
        given, own = rows.served[place], rows.scores[place]  # type: ignore[index]
        return judged.answers(trace, given, own, model.classes, tolerance, rows.precision)

    wrong = [one for one in chosen if not right(traces[one], one) and not (before and right(before[one], one))]
    versions = [model, *([previous_model] if before and previous_model is not None else [])]
    sound = [one for one in wrong if judged.ends_in(traces[one], rows.scores[one], tolerance)]  # the trace is right
    rounded = set().union(*(explained(version, rows, sound, tolerance) for version in versions))
    wrong = [one for one in wrong if one not in rounded]
    notes = [f"the log rounds scores: half of its last decimal is {rows.precision:g}"] if rows.precision else []
    if rounded:
        notes.append(f"{len(rounded)} rows lie at a threshold of the model: the log rounds their values across it")
    cause = ""
    if wrong:
        other = judged.other_values(traces[wrong[0]], judged.records(rows)[wrong[0]])
        cause = _apart(traces[wrong[0]], rows.served[wrong[0]], "what was served is")
        cause += f"; {other[0]}" if other else ""
    yield at_most(SERVED, len(wrong), 0, n=len(chosen), cause=cause, note="; ".join(notes))


def _is_known(served: Any) -> bool:
    if np.ndim(served):  # the probabilities of several labels
        return bool(pd.notna(np.ravel(np.asarray(served, dtype=object))).all())
    return plain(served) is not None and bool(served == served)


def broken(sent: Sequence[Sent]) -> Observations:
    """Count the broken requests that got a default."""
    if not sent:
        return
    given = defaults(list(sent))
    cause = f"{given[0].feature:.60} {given[0].how}: {given[0].default:.6g}, whatever the row" if given else ""
    yield at_most(DEFAULT, len(given), 0, n=len(sent), cause=cause)
    lines = [(one.feature, one.how, *one.answered[:3]) for one in sent]
    names = ("input", "what was sent", "answer to a low score", "to a middle one", "to a high one")
    yield Table("Broken requests: what was answered, if it was not refused", names, lines)


def _apart(trace: Trace, score: Any, said: str) -> str:
    ended = ", ".join(f"{one:.6g}" for one in trace.last[:3]) or "no number"
    known = number(plain(score)) if np.ndim(score) == 0 else None
    wanted = f"{known:.6g}" if known is not None else ", ".join(f"{one:.60}" for one in map(str, np.ravel(score)[:3]))
    return f"a trace ends in {ended}, {said} {wanted}"


def tables(traces: Sequence[Trace], rows: Rows) -> Observations:
    """Show one whole trace, and where all of them end."""
    sound = [place for place, one in enumerate(traces) if not one.error]
    if sound:
        one = sound[len(sound) // 2]
        yield overview(f"One row of {rows.name}, step by step", traces[one])
        yield as_table("Its values, as many as a table holds", traces[one])
    lines = []
    for place, trace in enumerate(traces):
        ended = trace.last[-1] if trace.last else None
        logged = None if rows.served is None else plain(rows.served[place])
        scores = map(short, (ended, float(np.ravel(rows.scores[place])[-1]), logged))
        lines.append((place + 1, len(trace.steps), len(trace.values), *scores, trace.error[:80]))
    names = ("row", "steps", "values", "last value", "the model's score", "served score", "error")
    yield Table(f"Rows of {rows.name} that were followed", names, lines)
