"""All that infra.3 sees of a pipeline: a run of its stages, what it does with spoiled inputs, outputs of other days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltestscore.inputs.pipeline import Pipeline
from mltestscore.integration.places import files_of
from mltestscore.integration.run import Run, first_run, state_before
from mltestscore.integration.spoiling import Spoiled, spoil_all
from mltestscore.integration.stages import run_stage


@dataclass(frozen=True)
class Seen:
    """What was seen.

    Attributes:
        run: the run of the stages.
        spoiled: what came of spoiling the inputs of each; empty where the run did not come to its end.
        whole: whether the run came to its end, and inputs were spoiled after it.
        stale: outputs that lay there before the run and that their stage did not make, such as ``"train: model.pkl"``.
    """

    run: Run
    spoiled: Sequence[Spoiled] = ()
    stale: Sequence[str] = ()
    whole: bool = False


def observe(pipeline: Pipeline, must_refuse: Sequence[str]) -> Seen:
    """Run the stages, spoil what each one reads, and tell caches that are up to date from outputs of other days."""
    run = first_run(pipeline)
    if pipeline.tampering:
        from mltestscore.integration.faults import TAMPERING

        return TAMPERING[pipeline.tampering](pipeline, run)
    if not run.complete(pipeline):
        return Seen(run)
    suspects = [one for one in run.stages if any(not output.written for output in one.outputs)]
    kinds = list(must_refuse) if not suspects else [*must_refuse, "unreadable"]
    spoiled = spoil_all(pipeline, run, kinds)
    key = ("stale", run.digest)
    if key not in pipeline.memory:
        pipeline.memory[key] = _stale(pipeline, run, spoiled)
    return Seen(run, spoiled, pipeline.memory[key], whole=True)


def _stale(pipeline: Pipeline, run: Run, spoiled: Sequence[Spoiled]) -> list[str]:
    """Return what a stage left as it lay there and would leave whatever it reads, such as ``"train: model.pkl"``."""
    blind = {one.stage: one.verdict in ("unmoved", "through") for one in spoiled if one.kind == "unreadable"}
    found = []
    for number, one in enumerate(run.stages):
        for output in one.outputs:
            judged = blind.get(one.stage.name)
            if not output.written and (_never_made(pipeline, run, number, output.place) if judged is None else judged):
                found.append(f"{one.stage.name}: {output.place}")
    return found


def _never_made(pipeline: Pipeline, run: Run, number: int, place: str) -> bool:
    """Say whether a stage does not write a place even where nothing lies there."""
    with state_before(pipeline, run, number) as copy:
        for file in files_of(copy, place):
            file.unlink()
        again = run_stage(pipeline, pipeline.stages[number], copy, run.stages[:number])
        return again.failed or not files_of(copy, place)
