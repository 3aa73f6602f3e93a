"""One stage run in a copy of the project, and what it gave: files, rows, changes where it should make none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mltestscore.codetests.sandbox import Done, run
from mltestscore.errors import InputError, near
from mltestscore.inputs.pipeline import TABLE, Pipeline, Stage, covers
from mltestscore.integration.places import digests, files_of, is_table, own, signatures, table, whole_digest, wrong_with
from mltestscore.integration.rows import Kept, rows_kept


@dataclass(frozen=True)
class Output:
    """What a stage left at one place.

    Attributes:
        place: as the stage declares it.
        parts: digest of each file, by path.
        rows: rows of the table there; ``None`` where it holds none.
        written: whether any file there was written while the stage ran.
        wrong: what is wrong with it, or an empty text.
    """

    place: str
    parts: Mapping[str, str]
    rows: int | None
    written: bool
    wrong: str

    @property
    def digest(self) -> str:
        """One digest of the contents."""
        return whole_digest(self.parts)


@dataclass(frozen=True)
class StageRun:
    """One run of a stage.

    Attributes:
        stage: which.
        done: how its command ended.
        outputs: what it left, a place each.
        kept: what became of its rows, a rule each.
        changed: files that earlier stages wrote and that it changed without saying so: their digests now.
    """

    stage: Stage
    done: Done
    outputs: tuple[Output, ...] = ()
    kept: tuple[Kept, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether its command failed or was stopped."""
        return self.done.code != 0

    @property
    def wrong(self) -> list[str]:
        """What is wrong with what it left."""
        return [f"{output.place} {output.wrong}" for output in self.outputs if output.wrong]

    @property
    def sound(self) -> bool:
        """Whether the next stage may take what it left."""
        return not self.failed and not self.wrong and all(kept.sound for kept in self.kept)

    def ending(self) -> str:
        """Return how the command ended, in words."""
        if self.done.code is None:
            return f"was stopped after {self.done.seconds:.0f} s"
        return f"failed (status {self.done.code})" if self.failed else "ended well"


def words(pipeline: Pipeline, stage: Stage) -> list[str]:
    """Return the command with this interpreter and the size of the sample filled in."""
    return [word.replace("{python}", sys.executable).replace("{rows}", str(pipeline.sample)) for word in stage.command]


def run_stage(
    pipeline: Pipeline, stage: Stage, copy: Path, earlier: tuple[StageRun, ...], *, judged: bool = True
) -> StageRun:
    """Run a stage in the copy and look at what it left, into the files only where it is ``judged``.

    Raises :class:`InputError` for a command that cannot be started, or for declared inputs that are not there.
    """
    for place in stage.reads:
        if not files_of(copy, place):
            known = [one for before in earlier for one in before.stage.writes]
            raise InputError(
                f"{TABLE} stages: {stage.name!r:.80} reads {place!r:.200}, which is not in the project, and no stage "
                f"has written it (or left_out keeps it away).{near(place, known)}"
            )
    for place in stage.writes:
        own_all(copy, place)
    command, before = words(pipeline, stage), signatures(copy)
    try:
        done = run(command, sandbox=copy, home=pipeline.folder, timeout=stage.timeout)
    except OSError as error:
        what = f"{TABLE} stages: {stage.name!r:.80}: {command[0]!r:.200}"
        raise InputError(f"{what} cannot be started: {error}.") from None
    if done.code != 0:
        return StageRun(stage, done)
    after = signatures(copy)
    new = {name for name, signature in after.items() if before.get(name) != signature}
    if judged:
        return look(stage, done, copy, new, earlier)
    held = ((place, digests(copy, place)) for place in stage.writes)
    return StageRun(
        stage, done, tuple(Output(place, parts, None, bool(new & parts.keys()), "") for place, parts in held)
    )


def own_all(copy: Path, place: str) -> None:
    """Make sure that writing to a place does not leave the copy."""
    for file in files_of(copy, place) or [copy / place]:
        own(copy, file)


def look(stage: Stage, done: Done, copy: Path, new: set[str], earlier: tuple[StageRun, ...]) -> StageRun:
    """Return what a stage left in the copy; ``new`` names the files that were written while it ran."""
    outputs = []
    for place in stage.writes:
        parts = digests(copy, place)
        wrong = wrong_with(copy, place, place in stage.may_be_empty)
        rows = table(copy, place).rows if parts and not wrong and is_table(copy, place) else None
        outputs.append(Output(place, parts, rows, bool(new & parts.keys()), wrong))
    missing = any(output.wrong and output.wrong != "has no rows" for output in outputs)
    kept = () if missing else tuple(rows_kept(copy, stage, rule) for rule in stage.rows)
    return StageRun(stage, done, tuple(outputs), kept, _changed(stage, copy, earlier))


def _changed(stage: Stage, copy: Path, earlier: tuple[StageRun, ...]) -> dict[str, str]:
    latest: dict[str, str] = {}
    for one in earlier:
        latest |= {name: digest for output in one.outputs for name, digest in output.parts.items()} | dict(one.changed)
    held = [name for name in latest if not any(covers(place, name) for place in stage.writes)]
    now = {name: next(iter(digests(copy, name).values()), "") for name in held}
    return {name: digest for name, digest in now.items() if digest != latest[name]}
