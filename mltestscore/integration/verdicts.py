"""What a run of the pipeline comes to: findings on rows, answers and spoiled inputs, and the tables to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore import Table, at_least, at_most, undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mltestscore.declare import Observations
    from mltestscore.inputs.pipeline import Pipeline
    from mltestscore.integration.answers import Answered
    from mltestscore.integration.observed import Seen
    from mltestscore.integration.stages import StageRun

CHANGED = "changes of the model that a later stage does not declare"
KEPT, LEAST, STRANGE = "share of rows that a stage keeps", "rows that a stage gives", "rows that a stage invents"
SILENT, SCORES = "rows that get no answer", "answers that are not the scores of the model that was made"
BLIND, THROUGH = "stages that end well on unreadable input", "spoiled tables that reach the answers"


def rows_judged(pipeline: Pipeline, stages: Sequence[StageRun]) -> Observations:
    """Hold what became of the rows of each stage to its rules."""
    if not any(stage.rows for stage in pipeline.stages):
        why = 'no stage says how many rows it keeps: write rows = [{ from = "…", to = "…" }] where rows should survive'
        yield undecided(KEPT, why)
    for one in stages:
        for kept in one.kept:
            where = f"{one.stage.name}: {kept.rule.to}"
            if kept.taken is None or kept.rule.least > 1:
                yield at_least(LEAST, kept.given, kept.rule.least, where=where, n=kept.given)
            if kept.taken is None:
                continue
            cause = "" if kept.sound else f"{kept.taken:,} rows in, {kept.given:,} out, {kept.aside:,} set aside"
            yield at_least(KEPT, kept.share, kept.rule.keep, where=where, unit="share", n=kept.taken, cause=cause)
            yield at_most(STRANGE, kept.strange, 0, where=where, n=kept.given, cause=cause if kept.strange else "")


def model_changes(pipeline: Pipeline, stages: Sequence[StageRun]) -> Observations:
    """Count files of the model that a stage changes after the one that wrote them."""
    from mltestscore.inputs.pipeline import covers

    model = pipeline.answers.model if pipeline.answers else ""
    found = [f"{one.stage.name}: {name}" for one in stages for name in one.changed if covers(model, name)]
    yield at_most(CHANGED, len(found), 0, n=len(stages), cause="; ".join(found[:5]))


def answers_judged(answered: Answered | None, tolerance: float) -> Observations:
    """Hold the answers to the scores of the model that this run made."""
    if answered is None:
        yield undecided(SCORES, "nothing is asked at the end: write [tool.mltestscore.pipeline.answers]")
        return
    yield at_most(SILENT, answered.silent, 0, n=len(answered.scores))
    strange = answered.strange(tolerance)
    if strange is None:
        yield undecided(SCORES, "nothing says what the model answers itself: write model, or expected")
    else:
        yield at_most(SCORES, strange, 0, n=len(answered.scores), note=f"tolerance {tolerance:g}")


def spoiled_judged(seen: Seen, *, whole: bool) -> Observations:
    """Count what was spoiled and came through; ``whole``: inputs should have been made unreadable."""
    unreadable = [one for one in seen.spoiled if one.kind == "unreadable"]
    blind = [one for one in unreadable if one.verdict != "refused"]
    if unreadable:
        cause = "; ".join(f"{one.stage} ended well although {one.files} could not be read" for one in blind[:3])
        yield at_most(BLIND, len(blind), 0, n=len(unreadable), cause=cause)
    elif whole:
        yield undecided(BLIND, "no stage names what it reads, so nothing could be spoiled: write reads for each")
    others = [one for one in seen.spoiled if one.kind != "unreadable"]
    judged = [one for one in others if one.verdict != "unknown"]
    through = [f"{one.files}, read by {one.stage}" for one in judged if one.verdict == "through"]
    if judged:
        yield at_most(THROUGH, len(through), 0, n=len(judged), cause="; ".join(through[:3]))
    elif others:
        yield undecided(THROUGH, "answers differ from run to run, so that a spoiled table's trace cannot be told")


def shown(seen: Seen) -> Observations:
    """Show the stages with their outputs, and what was spoiled."""
    rows = [
        (
            one.stage.name,
            round(one.done.seconds, 2),
            output.place if output else "",
            output.rows if output else None,
            output.digest[:12] if output and output.parts else "",
            ("this run" if output.written else "lay there before") if output else "",
        )
        for one in seen.run.stages
        for output in (one.outputs or (None,))
    ]
    yield Table("Stages", ("stage", "seconds", "output", "rows", "SHA-256", "written in"), rows)
    tried = [(one.stage, one.files, one.verdict, one.by, one.said.strip()[-160:]) for one in seen.spoiled]
    yield Table("Spoiled inputs", ("stage", "what was spoiled", "came of it", "refused by", "last words"), tried)
