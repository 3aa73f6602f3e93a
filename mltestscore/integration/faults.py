"""Faults planted in a pipeline: one of its stages is tampered with, in a copy, and looked at again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mltestscore.codetests.sandbox import Done
from mltestscore.errors import NotOffered
from mltestscore.inputs.pipeline import Pipeline, RowRule
from mltestscore.integration.observed import Seen
from mltestscore.integration.places import files_of, own, table
from mltestscore.integration.run import Run, restore, state_before
from mltestscore.integration.spoiling import WRITERS, Spoiled, spoil, unmoved
from mltestscore.integration.stages import look, run_stage


def planted(pipeline: Pipeline, tampering: str) -> Pipeline:
    """Return the pipeline with a stage tampered with; raises :class:`NotOffered` where it has none of the kind."""
    if tampering == "yesterday":
        stage_that_reads(pipeline)
    elif tampering == "partial":
        stage_with_rows(pipeline)
    elif pipeline.answers is None or not (pipeline.answers.model or pipeline.answers.expected):
        raise NotOffered("the model's own scores", "write model under [tool.mltestscore.pipeline.answers]")
    return pipeline.replace(tampering=tampering)


def stage_that_reads(pipeline: Pipeline) -> int:
    """Return the first stage that reads and writes: one that could leave an old output; raises :class:`NotOffered`."""
    for number, stage in enumerate(pipeline.stages):
        if stage.reads and stage.writes and not stage.serves:
            return number
    raise NotOffered("a stage with reads and writes", "name what stages read and write")


def stage_with_rows(pipeline: Pipeline) -> tuple[int, RowRule]:
    """Return the first stage that must keep rows of a table that we can write; raises :class:`NotOffered`."""
    for number, stage in enumerate(pipeline.stages):
        for rule in stage.rows:
            if rule.of and Path(rule.to).suffix.lower() in WRITERS and not set(rule.to) & set("*?["):
                return number, rule
    raise NotOffered("a stage that must keep its rows", 'write rows = [{ from = "…", to = "…" }] for a stage')


def _yesterday(pipeline: Pipeline, run: Run) -> Seen:
    """A stage does nothing, and ends well: the output of the day before lies where its own should be."""
    number = stage_that_reads(pipeline)
    if number >= len(run.gone):
        return Seen(run)
    idle = replace(pipeline.stages[number], command=("{python}", "-c", "pass"))
    with state_before(pipeline, run, number) as copy:
        restore(copy, run.kept.path / str(number))
        left = run_stage(pipeline, idle, copy, run.stages[:number])
        what = spoil(pipeline, number, copy, "unreadable")
        again = run_stage(pipeline, idle, copy, run.stages[:number], judged=False)
    blind = not again.failed and unmoved(again, left)
    spoiled = [Spoiled(idle.name, "unreadable", what, "unmoved")] if blind else []
    stale = [f"{idle.name}: {output.place}" for output in left.outputs if blind and not output.written]
    return Seen(replace(run, stages=(*run.stages[:number], left), answered=None), spoiled, stale)


def _partial(pipeline: Pipeline, run: Run) -> Seen:
    """A stage writes three fifths of the rows that it must keep, and ends well."""
    number, rule = stage_with_rows(pipeline)
    if number >= len(run.gone):
        return Seen(run)
    kept = next(kept for kept in run.stages[number].kept if kept.rule == rule)
    with state_before(pipeline, run, number) as copy:
        restore(copy, run.kept.path / str(number))
        frame = table(copy, rule.to).frame()
        rank = frame.groupby(list(rule.key) or frame.index, sort=False, dropna=False).ngroup()
        room = 0.6 * rule.keep * (kept.taken or 0) - kept.aside
        some = frame[rank < room] if rule.repeats else frame.head(max(0, int(room)))
        for file in files_of(copy, rule.to):
            WRITERS[file.suffix.lower()](some, own(copy, file))
        left = look(run.stages[number].stage, Done(0, "", 0.0), copy, {rule.to}, run.stages[:number])
    return Seen(replace(run, stages=(*run.stages[:number], left), answered=None))


def _another_version(pipeline: Pipeline, run: Run) -> Seen:
    """The server answers with other scores than those of the model that this run made."""
    if run.answered is None:
        return Seen(run)
    scores = pd.Series(run.answered.scores)
    other = scores + max(1.0, float(scores.abs().max()))
    return Seen(replace(run, answered=replace(run.answered, scores=tuple(other.tolist()))))


TAMPERING: dict[str, Callable[[Pipeline, Run], Seen]] = {
    "yesterday": _yesterday,
    "partial": _partial,
    "another version": _another_version,
}
