"""The team's training function, run in fresh processes so that two trainings share nothing but data and seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.codetests.sandbox import kill_tree
from mltestscore.errors import InputError, OutOfTime
from mltestscore.inputs import digests
from mltestscore.inputs.functions import split_name
from mltestscore.inputs.surroundings import ONE, OTHER, Surroundings
from mltestscore.inputs.training_costs import PeakOfTree, TrainingCost
from mltestscore.stopping import kill_marked, marked

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.reproduction.lock import Lock

SETTING = "[tool.mltestscore.trainer] call"
BACKWARDS = "backwards"
"""Third word for a training process: list folders in the reverse order of their names."""

_LAST_LINES = 15
_TREE = "peak_of_tree.txt"


@dataclass(frozen=True, eq=False)
class Trained:
    """What one training came to.

    Attributes:
        artefact_digest: SHA-256 of the pickled estimator; empty where it does not pickle.
        parameters_digest: SHA-256 of its parameters and fitted attributes; empty where they cannot be read.
        predictions: on the probe: probabilities ``(n,)`` or ``(n, k)``, else predicted values ``(n,)``.
        seconds, peak_bytes, waited, cpu_seconds: what it took; see :class:`TrainingCost`.
        environment: what it ran with, where that was asked for; see :mod:`mltestscore.reproduction.imported`.
    """

    artefact_digest: str
    parameters_digest: str
    predictions: npt.NDArray[Any]
    seconds: float
    peak_bytes: int
    waited: float = 0.0
    cpu_seconds: float = 0.0
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trainer:
    """A training function ``train(frame, seed) -> fitted estimator``, named ``"module:function"``.

    Attributes:
        source: the function's name; it must seed all that it draws at random with ``seed``.
        folder: the project's folder: the working directory, and first on the import path, of every training.
        wrappers: functions that take the training function and return another; see :meth:`wrapped`.
        takes_parameters: whether the function takes the keyword ``parameters`` too: a mapping of hyperparameters that
            it uses in place of its own; see :meth:`search`.
        exact: whether two trainings are to give the same model; else one as good, see :mod:`reproduction.repeated`.
        lock: what pins the packages that it trains with, where that is named.
        costs: what the trainings of this run have taken so far, those with planted faults left out; copies share it.
        memory: the trainings of this run that may be taken again; likewise.
    """

    HASH_SEEDS: ClassVar[tuple[int, int]] = (1, 2)

    source: str
    folder: Path = Path()
    wrappers: tuple[str, ...] = ()
    takes_parameters: bool = False
    exact: bool = True
    lock: Lock | None = None
    costs: list[TrainingCost] = field(default_factory=list, compare=False, repr=False)
    memory: dict[Any, list[Trained]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        split_name(self.source, SETTING)

    @property
    def digest(self) -> str:
        """A digest of the name, of the Python files in the folder of the function's module, and of the lock."""
        module, _ = split_name(self.source, SETTING)
        home = self.folder.joinpath(*module.split(".")).parent
        named = (self.source, self.wrappers, self.exact, self.lock and self.lock.digest)
        return digests.of_settings(named, sorted(home.glob("*.py")), home)

    def replace(self, source: str = "", **changes: Any) -> Trainer:
        """Return a trainer that calls another function, or has other attributes: how a fault is planted."""
        return replace(self, source=source or self.source, **changes)

    def wrapped(self, wrapper: str) -> Trainer:
        """Return a trainer whose function goes through ``wrapper`` (``"module:function"``): how a fault is planted."""
        split_name(wrapper, "wrapper")
        return replace(self, wrappers=(*self.wrappers, wrapper))

    def train(self, data: Dataset, probe: pd.DataFrame, *, seed: int, hash_seed: int, timeout: float) -> Trained:
        """Train on ``data`` in a fresh process and score ``probe``.

        Args:
            data: all its rows and columns are given to the function as a frame.
            probe: rows to score; the estimator gets the columns that it names, else the features of ``data``.
            seed: passed to the function; nothing else is seeded.
            hash_seed: ``PYTHONHASHSEED`` of the process, 0 to 4294967295.
            timeout: seconds until the process and all that it started are killed.

        Raises :class:`InputError` with the last lines of what the process said when it fails, :class:`OutOfTime` when
        it takes too long.
        """
        surroundings = Surroundings(hash_seed, backwards=hash_seed == self.HASH_SEEDS[1])
        return self.train_in([surroundings], data, probe, seed=seed, timeout=timeout)[0]

    def train_pair(self, data: Dataset, probe: pd.DataFrame, *, seed: int, timeout: float) -> tuple[Trained, Trained]:
        """Train twice at once, in :data:`ONE` surroundings and in :data:`OTHER`, or give what such a pair came to."""
        key = (replace(self, lock=None).digest, data.digest, len(probe), seed)
        if key not in self.memory:
            self.memory[key] = self.train_in(
                [ONE, OTHER], data, probe, seed=seed, timeout=timeout, environment=not self.wrappers
            )
        first, second = self.memory[key]
        return first, second

    def train_in(
        self,
        surroundings: Sequence[Surroundings],
        data: Dataset,
        probe: pd.DataFrame,
        *,
        seed: int,
        timeout: float,
        environment: bool = False,
    ) -> list[Trained]:
        """Train in all surroundings; see :meth:`train`. With ``environment`` the first tells what it ran with."""
        frame = data.frame()
        frames = {"frame": (frame, data.name), "probe": (probe, "the probe")}
        request = {"seed": seed, "features": data.features, "environment": environment}
        module = "mltestscore.inputs.training_process"
        with self._started(module, frames, {}, request, surroundings, timeout) as folders:
            made = [Trained(predictions=_array(folder / "predictions.npy"), **_figures(folder)) for folder in folders]
        if not self.wrappers:
            rows, columns = frame.shape
            self.costs.extend(
                TrainingCost(self.source, rows, columns, one.seconds, one.waited, one.cpu_seconds, one.peak_bytes)
                for one in made
            )
        return made

    def search(
        self,
        data: pd.DataFrame,
        probe: pd.DataFrame,
        arrays: Mapping[str, npt.NDArray[Any]],
        request: Mapping[str, Any],
        *,
        timeout: float,
    ) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Train with many settings in one fresh process; see :mod:`mltestscore.tuning.search_process`.

        Args:
            data: the rows to train on and to choose by.
            probe: rows that the incumbent and the winner score.
            arrays: ``fit``, ``chosen_by`` and ``truth``, as described there.
            request: likewise.
            timeout: seconds until the process and all that it started are killed.

        Returns what the process reports, and the predictions on the probe by ``"incumbent"`` and ``"winner"``. Raises
        :class:`InputError` as :meth:`train` does.
        """
        frames = {"frame": (data, "training"), "probe": (probe, "the probe")}
        module = "mltestscore.tuning.search_process"
        with self._started(module, frames, arrays, request, [Surroundings()], timeout) as (folder,):
            scores = {name: _array(folder / f"{name}.npy") for name in ("incumbent", "winner")}
            return _figures(folder), scores

    @contextmanager
    def _started(
        self,
        module: str,
        frames: Mapping[str, tuple[pd.DataFrame, str]],
        arrays: Mapping[str, npt.NDArray[Any]],
        request: Mapping[str, Any],
        surroundings: Sequence[Surroundings],
        timeout: float,
    ) -> Iterator[list[Path]]:
        """Run ``module`` in a fresh process in each surroundings; give the folders of what they have written."""
        if not self.folder.is_dir():
            raise InputError(f"{SETTING}: the folder {self.folder} does not exist.")
        with tempfile.TemporaryDirectory(prefix="mltestscore-") as name, ExitStack() as stack:
            work = Path(name)
            for file, (frame, called) in frames.items():
                _write_frame(frame, work / f"{file}.parquet", called)
            for file, array in arrays.items():
                np.save(work / f"{file}.npy", array, allow_pickle=False)
            who = {"source": self.source, "wrappers": self.wrappers, "setting": SETTING}
            (work / "request.json").write_text(json.dumps({**request, **who}), encoding="utf-8")
            folders = [work / str(number) for number in range(len(surroundings))]
            started = [
                stack.enter_context(_Process(module, work, folder, one, self))
                for folder, one in zip(folders, surroundings, strict=True)
            ]
            deadline = monotonic() + timeout
            yield [process.finished(deadline, timeout) for process in started]


class _Process:
    """One training process; leaving the context kills whatever of its tree still runs."""

    def __init__(self, module: str, work: Path, folder: Path, surroundings: Surroundings, trainer: Trainer) -> None:
        self._trainer, self._folder = trainer, folder
        self._folder.mkdir()
        self._said: TextIO = (self._folder / "said.txt").open("w", encoding="utf-8")
        # The path of this process too: what the tests can import (``pythonpath`` of pytest, say), the training can.
        path = os.pathsep.join(part for part in sys.path if part)
        order = [BACKWARDS] if surroundings.backwards else []
        self._mark = marked()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(work), str(self._folder), *order],
            cwd=trainer.folder,
            env=surroundings.variables | {"PYTHONPATH": path} | self._mark,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # so that Ctrl-C reaches us first, and we stop the whole tree
        )
        self._peak = PeakOfTree(self._process.pid)

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        kill_tree(self._process)
        kill_marked(self._mark)
        self._peak.stop()
        self._said.close()

    def finished(self, deadline: float, timeout: float) -> Path:
        """Return the folder of what the process has written."""
        try:
            code = self._process.wait(max(0.0, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            raise OutOfTime(
                f"{SETTING}: {self._trainer.source} was still training after {timeout:g} s and was stopped. "
                "Give it more time (option timeout) or fewer rows (option rows)."
            ) from None
        # Threads of a library may abort a process that has written all and is about to end: the training is done.
        if code > 0 or (code < 0 and not (self._folder / "result.json").exists()):
            raise InputError(self._failure(code))
        (self._folder / _TREE).write_text(str(self._peak.stop()), encoding="utf-8")
        return self._folder

    def _failure(self, code: int) -> str:
        said = (self._folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if said and said[-1].startswith(SETTING):
            return said[-1]
        how = f"was killed by signal {-code}" if code < 0 else "failed"
        last = "\n  ".join(said[-_LAST_LINES:]) or f"(nothing; exit status {code})"
        return f"{SETTING}: {self._trainer.source} {how} in {self._trainer.folder}. It said:\n  {last}"


def _figures(folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if "peak_bytes" in made:  # its own, which misses what its children held
        made["peak_bytes"] = max(made["peak_bytes"], int((folder / _TREE).read_text(encoding="utf-8")))
    return made


def _array(file: Path) -> npt.NDArray[Any]:
    return np.asarray(np.load(file, allow_pickle=False))


def _write_frame(frame: pd.DataFrame, file: Path, name: str) -> None:
    try:
        frame.to_parquet(file, index=False)
    except Exception as error:
        raise InputError(
            f"{name} cannot be handed to the training process as Parquet: {error}. Give each column one type."
        ) from error
