"""How traces go wrong, for planted faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from mltestscore.tracing.judged import between, holds, names_shown, texts
from mltestscore.tracing.trace import Step, Trace


@dataclass(frozen=True)
class Given:
    """What traces were asked for: the model's features, the rows, names derived from features, an earlier version."""

    features: tuple[str, ...]
    rows: pd.DataFrame
    derived: tuple[tuple[str, tuple[str, ...]], ...]
    earlier: bool


def _kept(traces: list[Trace], given: Given) -> list[Trace]:
    return traces


def _of_another_row(traces: list[Trace], given: Given) -> list[Trace]:
    """Rows are in the order of their scores, so that the last one's trace is not the first one's."""
    return traces[::-1]


def _constant(traces: list[Trace], given: Given) -> list[Trace]:
    """What an exception that nobody sees leaves behind."""
    sound = next((one for one in traces if one.steps), None)
    return [replace(one, steps=(*one.steps[:-1], sound.steps[-1])) if sound and one.steps else one for one in traces]


def _without_a_feature(traces: list[Trace], given: Given) -> list[Trace]:
    """Every name of the feature that has a value most often, of those that are shown."""
    shown_by = names_shown(given.features, dict(given.derived))
    shown = {name for trace in traces for text in texts(trace) for name in shown_by(text)}
    known = [name for name in given.features if name in shown]
    if not known:
        return traces
    lost = max(known, key=lambda name: sum(map(holds, given.rows[name])))

    def lacking(step: Step, last: bool) -> Step:
        if last:
            return step
        name = "step" if lost in shown_by(step.name) else step.name
        return Step(name, tuple(one for one in step.values if lost not in shown_by(one.name)))

    def without(trace: Trace) -> Trace:
        count = len(trace.steps)
        return replace(trace, steps=tuple(lacking(step, place == count) for place, step in enumerate(trace.steps, 1)))

    return [without(trace) for trace in traces]


def _bare(traces: list[Trace], given: Given) -> list[Trace]:
    """What goes in and what comes out, and nothing on the way."""
    rows = given.rows.to_dict("records")

    def bared(trace: Trace, row: dict[str, object]) -> Trace:
        way = set(between(trace, row))
        steps = [
            Step(one.name, tuple(value for value in one.values if (value.name, value.value) not in way))
            for one in trace.steps[:-1]
        ]
        return replace(trace, steps=(*(one for one in steps if one.values), *trace.steps[-1:]))

    return [bared(trace, {str(k): v for k, v in row.items()}) for trace, row in zip(traces, rows, strict=True)]


def _no_longer(traces: list[Trace], given: Given) -> list[Trace]:
    """What the code of today makes of the model of yesterday."""
    return [Trace(error="planted: it loads no earlier version")] * len(traces) if given.earlier else traces


TAMPERING: dict[str, Callable[[list[Trace], Given], list[Trace]]] = {
    "": _kept,
    "another row": _of_another_row,
    "constant": _constant,
    "without a feature": _without_a_feature,
    "bare": _bare,
    "no earlier version": _no_longer,
}
