"""The team's release gate: a command that accepts or refuses a model, and how to make models for it to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import digests
from mltestscore.inputs.dry_run import LARGEST, SOURCE
from mltestscore.inputs.feature_code import NEVER_COPIED, files_below
from mltestscore.inputs.functions import split_name

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset

TABLE = "[tool.mltestscore.validator]"
CANDIDATE, BASELINE = "{candidate}", "{baseline}"


@dataclass(frozen=True)
class Validator:
    """A release gate, run in copies of the project.

    Attributes:
        folder: the project's folder.
        command: judges ``{candidate}`` against ``{baseline}``, paths of packaged models; exit status 0 accepts.
            ``{python}`` is this interpreter.
        package: ``"module:function"``, called as ``function(frame, seed, folder)``: trains on the rows, writes the
            packaged model into the folder and returns its path, or the path and the fitted model.
        refuses: the exit statuses that refuse; any other one is a crash and no verdict.
        same: words in the gate's output by which it reports that candidate and baseline are one model; empty where it
            refuses such a pair.
        rows: how many training rows a candidate is made from.
        slices: the slices that the gate guards, as in ``slices`` of model.6; empty where nobody says.
        judged_on: the labelled rows by which the gate judges; ``None`` where that is the holdout.
        deploy: deploys ``{candidate}`` if the gate has accepted it, else exits with a status other than 0. It is run
            with models that nobody must be served: it may reach a staging environment and nothing else.
        workflow: text of the CI file in which one job deploys and another one runs the gate.
        workflow_name: its name, for the reader.
        gate_job, deploy_job: the names of the two jobs.
        gate_step: words in the step that runs the gate.
        loading: how a packaged model is loaded, as for ``[tool.mltestscore.model]``.
        released: the model that is served, as packaged, if it is a file.
        shared: files and folders of the project that copies see through a link, such as large validation data.
        left_out: patterns of files that a copy does not need.
        mixed_up: whether the baseline's path leads to the candidate: how a fault is planted.
    """

    folder: Path
    command: tuple[str, ...]
    package: str
    refuses: tuple[int, ...] = (1,)
    same: str = ""
    rows: int = 20_000
    slices: tuple[Any, ...] = ()
    judged_on: Dataset | None = None
    deploy: tuple[str, ...] = ()
    workflow: str = ""
    workflow_name: str = ""
    gate_job: str = ""
    deploy_job: str = ""
    gate_step: str = ""
    loading: tuple[tuple[str, Any], ...] = ()
    released: Path | None = None
    shared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    mixed_up: bool = False
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The command, for the reader."""
        return " ".join(self.command)

    @property
    def digest(self) -> str:
        """A digest of the project's source files, of the settings and of what copies share."""
        plain = (self.command, self.package, self.refuses, self.same, self.rows, self.slices, self.deploy)
        more = (self.workflow, self.gate_job, self.deploy_job, self.gate_step, self.loading, self.mixed_up)
        judged = self.judged_on.digest if self.judged_on is not None else ""
        whole = (plain, more, judged, str(self.released), self.code_digest, sorted(self.shared_state().items()))
        return digests.of_settings(whole)

    @property
    def code_digest(self) -> str:
        """A digest of the project's source files."""
        below = sorted(files_below(self.folder, self.ignored))
        sources = [file for file in below if file.suffix in SOURCE and file.stat().st_size <= LARGEST]
        return digests.of_settings((), sources, self.folder)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of what a copy of the project does without."""
        return (*NEVER_COPIED, *self.left_out)

    @property
    def asks_for_baseline(self) -> bool:
        """Whether the command says with what the candidate is compared."""
        return any(BASELINE in word for word in self.command)

    def shared_state(self) -> dict[str, tuple[int, int]]:
        """Return size and time of change of every file that copies share, by path."""
        found = {}
        for name in self.shared:
            place = self.folder / name
            for file in files_below(place, ()) if place.is_dir() else [place]:
                facts = file.stat()
                found[file.relative_to(self.folder).as_posix()] = (facts.st_size, facts.st_mtime_ns)
        return found

    def close(self) -> None:
        """Remove the candidates that were made for it."""
        for place in self.memory.pop("folders", []):
            place.cleanup()
        self.memory.clear()

    def replace(self, **changes: Any) -> Validator:
        """Return a gate with other attributes: how a fault is planted."""
        return replace(self, **changes)


def open_validator(folder: Path, command: Iterable[str], package: str, **settings: Any) -> Validator:
    """Return the gate; settings are the attributes of :class:`Validator`.

    Raises :class:`ConfigError` for a command without ``{candidate}``, a function's name of another form, a status that
    cannot refuse, or a path that leaves the project; :class:`InputError` for shared files that are not there.
    """
    gate = Validator(folder.resolve(), tuple(command), package, **settings)
    split_name(package, f"{TABLE} package")
    for setting, words in (("command", gate.command), ("deploy", gate.deploy)):
        if words and not any(CANDIDATE in word for word in words):
            raise ConfigError(f"{TABLE} {setting} does not say where the model's path goes; write {{candidate}} there.")
    if not gate.command:
        raise ConfigError(f'{TABLE} command is empty; write the gate: ["{{python}}", "gate.py", "{CANDIDATE}"].')
    if not gate.refuses or 0 in gate.refuses:
        raise ConfigError(f"{TABLE} refuses is {list(gate.refuses)}; name exit statuses other than 0, which accepts.")
    if gate.workflow and not (gate.gate_job and gate.deploy_job):
        raise ConfigError(f"{TABLE} names a workflow; name its jobs too: gate_job and deploy_job.")
    for name in gate.shared:
        place = Path(name)
        if place.is_absolute() or ".." in place.parts:
            raise ConfigError(f"{TABLE} shared names {name!r:.200}; write a path within the project's folder.")
        if not (gate.folder / place).exists():
            raise InputError(f"{TABLE} shared: there is no {name!r:.200} in {gate.folder}.")
    return gate


def changed(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return which shared files differ between two states."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
