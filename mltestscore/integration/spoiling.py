"""Spoils what a stage reads, in a copy, and runs the rest: somebody must refuse it, by name, before it is served."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from mltestscore.codetests.sandbox import Done
from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs.pipeline import Pipeline, Stage, covers
from mltestscore.integration.answers import Answered, differing, served_and_own
from mltestscore.integration.places import files_of, own, table
from mltestscore.integration.run import Run, state_before
from mltestscore.integration.stages import StageRun, run_stage

Kind = Literal["unreadable", "column", "constant"]
MOST_GARBAGE = 65_536
SAME_SCORES = 1e-9
Verdict = Literal["refused", "unmoved", "through", "harmless", "unknown"]


@dataclass(frozen=True)
class Spoiled:
    """What came of spoiling the inputs of a stage.

    Attributes:
        stage: the stage whose inputs were spoiled.
        kind: how.
        files: what was spoiled, such as ``"out/train.parquet without x"``.
        verdict: ``refused``: a stage failed; ``unmoved``: the stage ended well and gave what it gives for sound inputs;
            ``through``: every stage ended well and the answers are others; ``harmless``: they are the same;
            ``unknown``: answers differ from run to run anyway, or there are none.
        by: the stage that refused.
        said: its last words.
    """

    stage: str
    kind: Kind
    files: str
    verdict: Verdict
    by: str = ""
    said: str = ""


def spoil_all(pipeline: Pipeline, run: Run, kinds: Iterable[str]) -> list[Spoiled]:
    """Spoil the inputs of every stage in every way; each once a session.

    Raises :class:`ConfigError` for an unknown way.
    """
    for kind in kinds:
        if kind not in get_args(Kind):
            raise ConfigError(f"infra.3: must_refuse names {kind!r:.80}.{near(kind, get_args(Kind))}")
    tasks = [(number, kind) for number in range(len(pipeline.stages)) for kind in get_args(Kind) if kind in set(kinds)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda task: _remembered(pipeline, run, *task), tasks))
    return [one for one in found if one is not None]


def _remembered(pipeline: Pipeline, run: Run, number: int, kind: Kind) -> Spoiled | None:
    key = ("spoiled", run.digest, number, kind)
    if key not in pipeline.memory:
        pipeline.memory[key] = _spoil(pipeline, run, number, kind)
    found: Spoiled | None = pipeline.memory[key]
    return found


def _spoil(pipeline: Pipeline, run: Run, number: int, kind: Kind) -> Spoiled | None:
    stage = pipeline.stages[number]
    with state_before(pipeline, run, number) as copy:
        files = spoil(pipeline, number, copy, kind)
        if not files:
            return None
        last, answered, unmoved = _rest(pipeline, run, number, copy)
    if last.failed:
        return Spoiled(stage.name, kind, files, "refused", last.stage.name, last.done.said[-600:])
    if unmoved:
        return Spoiled(stage.name, kind, files, "unmoved" if kind == "unreadable" else "harmless")
    return Spoiled(stage.name, kind, files, _judged(pipeline, run, number, kind, answered))


def _judged(pipeline: Pipeline, run: Run, number: int, kind: Kind, answered: Answered | None) -> Verdict:
    """Judge answers that came although an input was spoiled."""
    if kind == "unreadable":
        return "through"
    if answered is None or run.answered is None:
        return "unknown"
    if not differing(answered.scores, run.answered.scores, SAME_SCORES):
        return "harmless"
    with state_before(pipeline, run, number) as copy:  # do they differ without it too?
        again = _rest(pipeline, run, number, copy, until_unmoved=False)[1]
    same = again is not None and not differing(again.scores, run.answered.scores, SAME_SCORES)
    return "through" if same else "unknown"


def _rest(
    pipeline: Pipeline, run: Run, number: int, copy: Path, *, until_unmoved: bool = True
) -> tuple[StageRun, Answered | None, bool]:
    """Run the stages from ``number`` on until one fails or, the first of them, gives what it gave for sound inputs.

    Returns the last stage that ran, the answers, and whether the first one was unmoved.
    """
    done = run.stages[:number]
    for stage in pipeline.stages[number:]:
        if stage.serves:
            break
        done = (*done, _one(pipeline, stage, copy, done))
        if done[-1].failed:
            return done[-1], None, False
        if until_unmoved and len(done) == number + 1 and unmoved(done[-1], run.stages[number]):
            return done[-1], None, True
    send = run.answered.sent if run.answered else ()
    try:
        last, answered = served_and_own(pipeline, copy, send, compare=False)
    except InputError as error:  # the rows to ask for cannot be read: nobody could be served
        return StageRun(pipeline.stages[-1], Done(1, str(error), 0.0)), None, False
    if answered is not None and answered.silent == len(answered.scores):
        return StageRun(pipeline.stages[-1], Done(1, "no row gets a score", 0.0)), None, False
    return last or done[-1], answered, False


def _one(pipeline: Pipeline, stage: Stage, copy: Path, done: tuple[StageRun, ...]) -> StageRun:
    try:
        return run_stage(pipeline, stage, copy, done, judged=False)
    except InputError as error:  # what it reads was not written
        return StageRun(stage, Done(1, str(error), 0.0))


def unmoved(found: StageRun, sound: StageRun) -> bool:
    """Say whether a stage gave the very bytes that it gave for sound inputs."""
    return bool(found.outputs) and [one.digest for one in found.outputs] == [one.digest for one in sound.outputs]


def spoil(pipeline: Pipeline, number: int, copy: Path, kind: Kind) -> str:
    """Spoil in the copy what a stage reads of earlier stages, or, where that is nothing, of the project.

    Returns what was spoiled, or an empty text where there is nothing of the kind.
    """
    stage = pipeline.stages[number]
    written = [place for earlier in pipeline.stages[:number] for place in earlier.writes]
    asked = pipeline.answers.ask if pipeline.answers and stage.serves else ""
    files = [file for place in stage.reads for file in files_of(copy, place) if place != asked and _ours(copy, file)]
    upstream = [file for file in files if any(covers(one, _name(copy, file)) for one in written)]
    chosen = upstream or [file for file in files if file.suffix != ".py"]
    if kind == "unreadable":
        for file in chosen:
            size = min(max(64, file.stat().st_size), MOST_GARBAGE)
            file.write_bytes(random.Random(size).randbytes(size))
        return ", ".join(_name(copy, file) for file in chosen[:5])
    key = {name for one in pipeline.stages for rule in one.rows for name in rule.key}
    changed = [f"{_name(copy, file)} {what}" for file in chosen if (what := _rewrite(copy, file, kind, key))]
    return ", ".join(changed[:5])


def _ours(copy: Path, file: Path) -> bool:
    """Say whether a file may be spoiled: not behind a link out of the copy, nor an empty one, which only signals."""
    try:
        return own(copy, file).stat().st_size > 0
    except (InputError, OSError):
        return False


def _name(copy: Path, file: Path) -> str:
    return file.relative_to(copy).as_posix()


def _rewrite(copy: Path, file: Path, kind: Kind, key: set[str]) -> str:
    """Write a table without its last column, or with constant numbers; return what was done, if anything."""
    if file.suffix.lower() not in WRITERS:
        return ""
    try:
        frame = table(copy, _name(copy, file)).frame()
    except InputError:
        return ""
    names = [str(name) for name in frame.columns if name not in key]
    if kind == "column" and len(names) > 1:
        WRITERS[file.suffix.lower()](frame.drop(columns=names[-1]), file)
        return f"without {names[-1]}"
    numbers = [name for name in names if pd.api.types.is_numeric_dtype(frame[name]) and len(frame)]
    if kind == "constant" and numbers:
        constant = {name: pd.Series(frame[name].iloc[0], frame.index, frame[name].dtype) for name in numbers}
        WRITERS[file.suffix.lower()](frame.assign(**constant), file)
        return "with constant numbers"
    return ""


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".parquet": lambda frame, file: frame.to_parquet(file, index=False),
    ".csv": lambda frame, file: frame.to_csv(file, index=False),
    ".tsv": lambda frame, file: frame.to_csv(file, index=False, sep="\t"),
    ".jsonl": lambda frame, file: frame.to_json(file, orient="records", lines=True, date_format="iso"),
}
WRITERS |= {".pq": WRITERS[".parquet"], ".ndjson": WRITERS[".jsonl"]}
