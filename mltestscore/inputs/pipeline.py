"""A team's pipeline as stages: commands with the files that each reads and writes, up to served answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mltestscore.errors import ConfigError, near
from mltestscore.inputs.dry_run import LARGEST, SOURCE
from mltestscore.inputs.feature_code import NEVER_COPIED, files_below

TABLE = "[tool.mltestscore.pipeline]"


@dataclass(frozen=True)
class RowRule:
    """How many rows a stage must keep.

    Attributes:
        to: table that the stage writes.
        of: table whose rows it takes; empty: only ``least`` holds.
        keep: least share of those rows that must come out.
        key: columns that name a row in both tables; empty: rows are only counted.
        set_aside: file of rows that the stage refuses for good reasons; they count as kept.
        repeats: whether one row may become several.
        least: least number of rows that come out.
    """

    to: str
    of: str = ""
    keep: float = 1.0
    key: tuple[str, ...] = ()
    set_aside: str = ""
    repeats: bool = False
    least: int = 1


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: how messages call it.
        command: program and arguments; ``{python}``, ``{rows}`` and, for a server, ``{port}`` are filled in.
        reads: files, folders or patterns that it takes, relative to the project.
        writes: likewise, what it makes.
        rows: how many rows it must keep.
        may_be_empty: those of ``writes`` that may hold nothing.
        timeout: seconds until it is stopped.
    """

    name: str
    command: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    rows: tuple[RowRule, ...] = ()
    may_be_empty: tuple[str, ...] = ()
    timeout: float = 120.0

    @property
    def serves(self) -> bool:
        """Whether it is a server, which we ask and stop."""
        return any("{port}" in word for word in self.command)


@dataclass(frozen=True)
class Answers:
    """What comes out at the end, and what it is compared with.

    Attributes:
        ask: table of the rows that are asked for; it holds the features that ``model`` takes.
        send: columns that the server gets; empty: those that the model takes, without a model all.
        file: the answers, where a stage predicts a batch and nothing is served.
        model: the model that this run made, loaded as ``[tool.mltestscore.model]`` says.
        expected: file of its scores for ``ask``, where it cannot be loaded here.
        score: column of the score in ``file`` and ``expected``.
        key: columns that name a row in ``ask``, ``file`` and ``expected``; empty: rows are in the same order.
        wire: how the server is asked: attributes of :class:`mltestscore.inputs.opening.Opening`.
    """

    ask: str
    send: tuple[str, ...] = ()
    file: str = ""
    model: str = ""
    expected: str = ""
    score: str = "score"
    key: tuple[str, ...] = ()
    wire: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of a project.

    Attributes:
        folder: the project's folder; stages run in copies of it.
        stages: in their order; only the last one may serve.
        answers: what comes out at the end; ``None`` where nothing is said of it.
        sample: how many rows ``{rows}`` asks for.
        last_full_run: file that tells when the pipeline last ran at full size; empty: not told.
        last_full_run_field: where in that file, such as ``"run.ended"``; empty: its first date.
        left_out: patterns of files that a copy does not need.
        loading: how the model is loaded, as for ``[tool.mltestscore.model]``.
        now: the time that ages are measured from.
        tampering: what is done to a stage, by name: how a fault is planted.
    """

    folder: Path
    stages: tuple[Stage, ...]
    answers: Answers | None = None
    sample: int = 200
    last_full_run: str = ""
    last_full_run_field: str = ""
    left_out: tuple[str, ...] = ()
    loading: tuple[tuple[str, Any], ...] = ()
    now: datetime | None = field(default=None, compare=False)
    tampering: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The stages, for the reader."""
        return " → ".join(stage.name for stage in self.stages)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of what a copy of the project does without."""
        return (*NEVER_COPIED, *self.left_out)

    @property
    def digest(self) -> str:
        """A digest of the stages, of the project's source files and of the other files that stages read there."""
        from mltestscore.integration.places import files_of

        asked = (self.stages, self.answers, self.sample, self.loading, self.tampering)
        whole = hashlib.sha256(repr(asked).encode("utf-8", "backslashreplace"))
        sources = {file for file in files_below(self.folder, self.ignored) if file.suffix in SOURCE}
        read = {file for stage in self.stages for place in stage.reads for file in files_of(self.folder, place)}
        for file in sorted(sources | read):
            seen = file.stat()
            small = seen.st_size <= LARGEST  # what is larger is data: its size and date must do
            content = (
                hashlib.sha256(file.read_bytes()).digest() if small else repr((seen.st_size, seen.st_mtime_ns)).encode()
            )
            name = file.relative_to(self.folder).as_posix()
            whole.update(name.encode("utf-8", "surrogateescape") + content)
        return whole.hexdigest()[:16]

    def replace(self, **changes: Any) -> Pipeline:
        """Return a pipeline with other attributes: how a fault is planted."""
        return replace(self, **changes)


def covers(place: str, name: str) -> bool:
    """Say whether a file, folder or pattern stands for the file ``name``.

    >>> covers("out", "out/model.skops"), covers("out/*.csv", "out/a.csv"), covers("out/a", "out/ab")
    (True, True, False)
    """
    path = PurePosixPath(name)
    return any(one == PurePosixPath(place) or one.match(place) for one in (path, *path.parents) if one.name)


def open_pipeline(folder: Path, stages: Iterable[Stage], answers: Answers | None = None, **settings: Any) -> Pipeline:
    """Return the pipeline; settings are the attributes of :class:`Pipeline`.

    Raises :class:`ConfigError` for stages or answers that do not fit together.
    """
    pipeline = Pipeline(folder.resolve(), tuple(map(_completed, stages)), answers, **settings)
    names = [stage.name for stage in pipeline.stages]
    if len(names) < 2:
        raise ConfigError(f"{TABLE} stages: write a [[tool.mltestscore.pipeline.stages]] for each, at least two.")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{TABLE} stages: two are called {name!r:.80}; give each its own name.")
    for stage in pipeline.stages:
        _require_sound(stage, last=stage is pipeline.stages[-1])
    _require_inside(pipeline.last_full_run, "last_full_run")
    if answers is not None:
        _require_made(pipeline, answers)
    elif pipeline.stages[-1].serves:
        raise ConfigError(
            f"{TABLE} stages: {names[-1]!r:.80} serves, and nothing says what to ask it; write ask and model under "
            "[tool.mltestscore.pipeline.answers]."
        )
    return pipeline


def _completed(stage: Stage) -> Stage:
    """Fill in what a row rule leaves open: the one table that the stage reads, and the one that it writes."""
    rules = []
    for rule in stage.rows:
        to, of = rule.to, rule.of
        if not to and len(stage.writes) == 1:
            to = stage.writes[0]
        if not of and rule.least == 1 and len(stage.reads) == 1:
            of = stage.reads[0]
        if not to or (not of and rule.least == 1):
            raise ConfigError(
                f"{TABLE} stages: rows of {stage.name!r:.80} must say which tables they compare: write "
                '{ from = "…", to = "…" }, or { to = "…", least = 100 } where nothing is read.'
            )
        rules.append(replace(rule, to=to, of=of))
    return replace(stage, rows=tuple(rules))


def _require_sound(stage: Stage, last: bool) -> None:
    where = f"{TABLE} stages: {stage.name!r:.80}"
    if not stage.command:
        raise ConfigError(f'{where} has no command; write command = ["{{python}}", "-m", "…"].')
    if stage.serves and not last:
        raise ConfigError(f"{where} serves ({{port}}) and is not the last stage; only the last one may.")
    for place in (*stage.reads, *stage.writes, *stage.may_be_empty):
        _require_inside(place, f"stages: {stage.name!r:.80}")
    for place in stage.may_be_empty:
        if place not in stage.writes:
            raise ConfigError(f"{where}: may_be_empty names {place!r:.80}.{near(place, stage.writes)}")
    for rule in stage.rows:
        _require_inside(rule.of, f"stages: {stage.name!r:.80}")
        if rule.of in stage.writes:
            raise ConfigError(f"{where} overwrites {rule.of!r:.80}, so its rows cannot be counted; write another file.")
        for place in filter(None, (rule.to, rule.set_aside)):
            if not any(covers(one, place) for one in stage.writes):
                said = near(place, stage.writes)
                raise ConfigError(f"{where}: rows name {place!r:.80}, which it does not write.{said}")


def _require_inside(place: str, setting: str) -> None:
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts or (place and not path.name):
        raise ConfigError(f"{TABLE} {setting}: {place!r:.200} must be a path within the project's folder.")


def _require_made(pipeline: Pipeline, answers: Answers) -> None:
    """Refuse answers, models or expected scores that no stage makes: they would be those of another run."""
    table = "[tool.mltestscore.pipeline.answers]"
    written = [place for stage in pipeline.stages for place in stage.writes]
    if not answers.ask:
        raise ConfigError(f'{table} does not name the rows to ask for; write ask = "…", a table.')
    for setting in ("ask", "file", "model", "expected"):
        _require_inside(getattr(answers, setting), f"answers {setting}")
    for setting in ("file", "model", "expected"):
        place = getattr(answers, setting)
        if place and not any(covers(one, place) for one in written):
            raise ConfigError(f"{table} {setting}: no stage writes {place!r:.200}.{near(place, written)}")
    if pipeline.stages[-1].serves == bool(answers.file):
        raise ConfigError(
            f"{table}: answers come from a server or from a file; let the last stage's command have {{port}}, or write "
            "file, and not both."
        )
    if answers.model and answers.expected:
        raise ConfigError(f"{table} has model and expected; answers are compared with one: keep one.")
