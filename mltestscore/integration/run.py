"""The whole pipeline run once in a copy; what each stage changed is kept, so that each can be run again by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from weakref import finalize

from mltestscore.codetests.sandbox import copied
from mltestscore.errors import InputError
from mltestscore.inputs.pipeline import TABLE, Pipeline
from mltestscore.integration.answers import Answered, served_and_own
from mltestscore.integration.places import keep_changes, own, signatures
from mltestscore.integration.stages import StageRun, run_stage

MOST_BYTES = 1_000_000_000


class Folder:
    """A temporary folder that is removed when nobody holds this any more, at the latest when Python ends."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="mltestscore-stages-"))
        finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A run of the pipeline, up to the first stage with which something is wrong.

    Attributes:
        stages: what each stage did.
        answered: what came out at the end; ``None`` where it did not come so far, or nothing is asked.
        kept: folder with a folder a stage: the files that it changed.
        gone: files that each stage removed.
        digest: of the pipeline that ran.
    """

    stages: tuple[StageRun, ...]
    answered: Answered | None
    kept: Folder
    gone: tuple[frozenset[str], ...]
    digest: str

    def complete(self, pipeline: Pipeline) -> bool:
        """Whether every stage ran and gave what it should."""
        return len(self.stages) == len(pipeline.stages) and all(one.sound for one in self.stages)


def first_run(pipeline: Pipeline) -> Run:
    """Run the pipeline as it stands, once a session; see :class:`Run`."""
    digest = pipeline.replace(tampering="").digest
    key = ("run", digest)
    if key not in pipeline.memory:
        pipeline.memory[key] = _run(pipeline, digest)
    found: Run = pipeline.memory[key]
    return found


def _run(pipeline: Pipeline, digest: str) -> Run:
    kept = Folder()
    stages: tuple[StageRun, ...] = ()
    gone: list[frozenset[str]] = []
    answered, room = None, MOST_BYTES
    with copied(pipeline.folder, pipeline.ignored, TABLE) as copy:
        before = signatures(copy)
        for number, stage in enumerate(pipeline.stages):
            if stage.serves:
                break
            stages = (*stages, run_stage(pipeline, stage, copy, stages))
            if not stages[-1].sound:
                break
            removed, size = keep_changes(copy, before, kept.path / str(number), room)
            gone.append(frozenset(removed))
            before, room = signatures(copy), room - size
        if all(one.sound for one in stages):
            last, answered = served_and_own(pipeline, copy)
            stages = (*stages, *([last] if last else []))
    return Run(stages, answered, kept, tuple(gone), digest)


@contextmanager
def state_before(pipeline: Pipeline, run: Run, number: int) -> Iterator[Path]:
    """Give a copy of the project as it was before the stage ``number`` of a run; it is removed afterwards."""
    with copied(pipeline.folder, pipeline.ignored, TABLE) as copy:
        for earlier in range(number):
            restore(copy, run.kept.path / str(earlier))
            for name in run.gone[earlier]:
                (copy / name).unlink(missing_ok=True)
        yield copy


def restore(copy: Path, kept: Path) -> None:
    """Put files that were kept where they were; their times are kept too."""
    for file in sorted(kept.rglob("*")):
        if file.is_file():
            target = copy / file.relative_to(kept)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(file, own(copy, target))
            except OSError as error:
                raise InputError(f"{TABLE}: {file.relative_to(kept)} cannot be put back in a copy: {error}.") from None
