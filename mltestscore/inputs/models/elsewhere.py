"""Models that do not live in this process: in another environment's Python, or behind the endpoint."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from contextlib import ExitStack
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models import formats
from mltestscore.inputs.models.native import NativeModel, in_shape

if TYPE_CHECKING:
    from mltestscore.inputs.endpoint import Endpoint

SCRIPT = Path(__file__).parent / "elsewhere_process.py"
READERS = {
    formats.MXNET: Path(__file__).parent / "mxnet_elsewhere.py",
    formats.PFA: Path(__file__).parent / "pfa_elsewhere.py",
}
"""Formats that only another environment's libraries read → what reads them there."""
RUN_CODE = {formats.PFA}
"""Formats of them whose files can run code."""
ROWS = 1_000
"""Rows in one request to a server: a few hundred kilobytes, and an answer well within a usual time-out."""


class Elsewhere:
    """A model in a process of another Python, started on first use; :meth:`close` ends the process.

    Args:
        python: the interpreter of the environment that the model needs; with pandas and pyarrow.
        loader: ``"module:function"``, imported there from ``home``; called with ``path`` if there is one.
        path: the model's file.
        home: the project's folder.
        timeout: seconds for loading, and for one call for scores.
    """

    def __init__(self, python: str, loader: str, path: str, home: Path, timeout: float) -> None:
        self.python, self.loader, self.path, self.home, self.timeout = python, loader, path, home, timeout
        self._stack = ExitStack()
        self._talk: Any = None

    def model(self) -> NativeModel:
        """Return the model with what it tells of itself.

        Raises :class:`InputError` when the interpreter, the loader or the model is not as agreed.
        """
        told = json.loads(self._asked(None))
        if not told["scores"]:
            raise InputError(f"{self._where} has neither predict_proba nor predict, and is no function of a frame.")
        classes = tuple(told["classes"] or ())
        task = "multiclass" if len(classes) > 2 else "binary" if classes else "regression" * told["regression"]
        task = "multioutput" if told["several"] else "ranking" if told["ranks"] else task
        names = told["features"]
        return NativeModel(
            native=self,
            score=self.score,
            numbers=lambda: iter(()),
            task=task,
            feature_names_in_=tuple(names) if names else None,
            n_features_in_=told["count"],
            classes_=classes or None,
            close=self.close,
            any_form=True,
        )

    def score(self, rows: pd.DataFrame | npt.NDArray[np.float64] | list[str], task: str) -> npt.NDArray[np.float64]:
        """Return the scores of a frame, an array or texts. Raises :class:`InputError` with what was said there."""
        answer = self._asked(_sent(rows))
        return in_shape(np.load(io.BytesIO(answer), allow_pickle=False), task)

    def close(self) -> None:
        """End the process. Safe to call twice."""
        self._stack.close()
        self._talk = None

    def _asked(self, message: bytes | None) -> bytes:
        from mltestscore.inputs.models.elsewhere_process import REFUSED

        try:
            if self._talk is None:
                self._start()
                if message is not None:
                    self._answer()  # the description, known already
            if message is not None:
                self._talk.send_bytes(message)
            said = self._answer()
        except (EOFError, OSError):
            said_last = self._running.said() if self._talk is not None else ""
            self.close()
            raise InputError(f"{self._where} ended without an answer. It said:\n{said_last}") from None
        if said.startswith(REFUSED):
            raise InputError(f"{self._where}: {said[1:].decode('utf-8', 'replace')}")
        return said[1:]

    def _answer(self) -> bytes:
        if not self._talk.poll(self.timeout):
            self.close()
            raise InputError(f"{self._where} gave no answer within {self.timeout:g} s; raise timeout, or see why.")
        answer: bytes = self._talk.recv_bytes()
        return answer

    def _start(self) -> None:
        from mltestscore.codetests.sandbox import started

        work = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mltestscore-model-")))
        # Beside our own modules, the script would import those for the environment's.
        script = shutil.copy(SCRIPT, work / "score_elsewhere.py")
        for reader in READERS.values():
            shutil.copy(reader, work)
        self._talk, theirs = Pipe()
        self._stack.callback(self._talk.close)
        with theirs:
            command = [self.python, str(script), str(theirs.fileno())]
            home = self.home.resolve()
            paths = {"PYTHONPATH": str(home)}
            handed = (theirs.fileno(),)
            try:
                process = started(command, sandbox=home, home=home, variables=paths, handed=handed)
                self._running = self._stack.enter_context(process)
            except OSError as error:
                self.close()
                raise InputError(f"{self._where} cannot be started: {error.strerror}.") from None
        self._talk.send_bytes(json.dumps({"loader": self.loader, "path": self.path}).encode())

    @property
    def _where(self) -> str:
        return f"[tool.mltestscore.model] the model of loader {self.loader!r} in {self.python}"


def _sent(rows: pd.DataFrame | npt.NDArray[np.float64] | list[str]) -> bytes:
    """Return rows as the process reads them: Parquet, NumPy's format or JSON, which begin differently."""
    if isinstance(rows, pd.DataFrame):
        return rows.to_parquet(index=False)
    if isinstance(rows, list):
        return json.dumps(rows).encode()
    out = io.BytesIO()
    np.save(out, rows, allow_pickle=False)
    return out.getvalue()


def open_elsewhere(
    python: str, loader: str, path: Path, base: Path, timeout: float, *, allow_pickle: bool = False
) -> NativeModel:
    """Return the model that ``loader`` makes in another Python; ``python`` and ``path`` start from ``base``.

    A file of MXNet needs no loader, nor does one of PFA with ``allow_pickle``. Raises :class:`InputError` without one
    for all others, or when the process does not answer as agreed.
    """
    loader = loader or _reader(base / path, allow_pickle)
    if not loader:
        raise InputError(
            '[tool.mltestscore.model] python needs a loader: write loader = "module:function", which is called there.'
        )
    interpreter = python if Path(python).name == python else str((base / python).absolute())
    file = "" if path == Path() else str((base / path).resolve())
    elsewhere = Elsewhere(interpreter, loader, file, base, timeout)
    try:
        return elsewhere.model()
    except InputError:
        elsewhere.close()
        raise


def _reader(file: Path, allow_pickle: bool) -> str:
    """Return our own loader for a file that is read elsewhere only, empty where there is none."""
    form = formats.recognised(file) if file.is_file() else None
    if form and form.name in RUN_CODE and not allow_pickle:
        raise InputError(
            f"[tool.mltestscore.model] path: {file} is a {form.name} file, whose reader makes code of it and runs it; "
            "if you trust the file, write allow_pickle = true."
        )
    return f"{READERS[form.name].stem}:load" if form and form.name in READERS else ""


def behind(endpoint: Endpoint, features: tuple[str, ...]) -> NativeModel:
    """Return the model that a server answers for, asked for :data:`ROWS` rows at a time."""

    def score(frame: pd.DataFrame, task: str) -> npt.NDArray[np.float64]:
        starts = range(0, max(1, len(frame)), ROWS)
        parts = [endpoint.predict(frame.iloc[start : start + ROWS]).scores for start in starts]
        return in_shape(np.concatenate(parts), task)

    return NativeModel(native=endpoint, score=score, numbers=lambda: iter(()), feature_names_in_=features or None)
