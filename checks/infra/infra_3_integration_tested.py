"""The whole pipeline, from raw data to a served answer, runs on a sample, and refuses what is spoiled on the way.

Why
    Each stage can pass its own tests while the seams fail: a renamed column, an output of yesterday, six tenths of the
    rows, a server with another version of the model than the one that was just made.

Measured
    The stages of ``[tool.mltestscore.pipeline]`` run one after the other in a copy of the project that is thrown away.
    Counted at each: a command that fails or is stopped; outputs that are missing, empty or unreadable; rows lost and
    rows invented, against the stage's own input; changes of the model by stages that do not declare them; answers that
    are missing or not the scores of the model that this run made. Then, for each stage, what it reads of the stages
    before is made unreadable and it runs again, with all that follows: it, or a later one, must fail. An output that
    was not written in the run is that of another day if its stage ends well even so; a cache that looks at its inputs
    refuses or makes it anew. Where ``last_full_run`` is offered: the days since the pipeline ran at full size.

Passes when
    every stage ends well with whole outputs of this run, rows are kept as declared, all answers are the model's own,
    and nothing unreadable comes through to the end.

If it fails
    The cause names the stage. Let stages fail when they cannot read their input, never go on with an old file; write
    outputs anew or key caches by the content of the inputs; package model, encoder and schema as one, serve that. Leave
    out of ``reads`` what a stage only waits for.

Options
    tolerance 1e-6 between an answer and the model's own score: as in monitor.3. must_refuse ["unreadable"]: what no
    stage can work with; a team whose stages check what they take adds "column" (tables lose their last column) and
    "constant" (all numbers of a table are one), which count unless the answers stay the same. max_full_run_days 90: a
    choice of ours, three monthly trainings.

Source
    Breck et al. 2017, Infra 3: fast runs on a subset beside slower ones at full size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import at_most, check, fault
from mltestscore.integration.verdicts import KEPT, SCORES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.pipeline import Pipeline

FAILED, WRONG = "stages that fail", "outputs that are missing, empty or unreadable"
STALE, LAST = "outputs of another day", "days since the last run at full size"


@check("infra.3")
def check_integration_tested(
    pipeline: Pipeline,
    *,
    tolerance: float = 1e-6,
    must_refuse: tuple[str, ...] = ("unreadable",),
    max_full_run_days: float = 90.0,
) -> Observations:
    """Run the stages in a copy, look at each one's output, then spoil what each one reads."""
    from mltestscore.integration import verdicts
    from mltestscore.integration.full_run import days_since
    from mltestscore.integration.observed import observe

    seen = observe(pipeline, must_refuse)
    stages = seen.run.stages
    broke = [one for one in stages if one.failed]
    said = "; ".join(f"{one.stage.name} {one.ending()}: {one.done.said.strip()[-400:]}" for one in broke)
    yield at_most(FAILED, len(broke), 0, n=len(stages), cause=said)
    outputs = [output for one in stages for output in one.outputs]
    wrong = [f"{one.stage.name}: {what}" for one in stages for what in one.wrong]
    yield at_most(WRONG, len(wrong), 0, n=len(outputs), cause="; ".join(wrong[:5]))
    yield at_most(STALE, len(seen.stale), 0, n=len(outputs), cause="; ".join(seen.stale[:5]))
    yield from verdicts.rows_judged(pipeline, stages)
    if pipeline.answers is not None and pipeline.answers.model:
        yield from verdicts.model_changes(pipeline, stages)
    if not broke and not wrong and len(stages) == len(pipeline.stages):
        yield from verdicts.answers_judged(seen.run.answered, tolerance)
    yield from verdicts.spoiled_judged(seen, whole=seen.whole and "unreadable" in must_refuse)
    days = days_since(pipeline)
    if days is not None:
        yield at_most(LAST, days, max_full_run_days, unit="days", n=1)
    yield from verdicts.shown(seen)


@fault(check_integration_tested, "a stage does nothing and leaves the output of the day before", caught_by=STALE)
def left_over(pipeline: Pipeline) -> Mapping[str, Any]:
    """It is planted for real: the file lies there, the command is replaced."""
    from mltestscore.integration.faults import planted

    return {"pipeline": planted(pipeline, "yesterday")}


@fault(check_integration_tested, "a stage writes three fifths of its rows and ends well", caught_by=KEPT)
def partial(pipeline: Pipeline) -> Mapping[str, Any]:
    """The table is cut in the copy, and read again."""
    from mltestscore.integration.faults import planted

    return {"pipeline": planted(pipeline, "partial")}


@fault(check_integration_tested, "the server answers with another version of the model", caught_by=SCORES)
def another_version(pipeline: Pipeline) -> Mapping[str, Any]:
    """Every score is off by as much as the largest is."""
    from mltestscore.integration.faults import planted

    return {"pipeline": planted(pipeline, "another version")}
