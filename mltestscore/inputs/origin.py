"""Where the team's model comes from, and how it is read: a file or folder, a loader, another environment's Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs.batches import RowsAs
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.model_file import read_model_file
from mltestscore.inputs.models import folders, mxnet_elsewhere
from mltestscore.inputs.models.native import NativeModel

_TABLE = "[tool.mltestscore.model]"


@dataclass(frozen=True)
class Origin:
    """What is known of a model before it is read.

    Attributes:
        path: the model's file; or a folder, of MLflow, TensorFlow or for a loader; empty for a loader alone.
        base: the project's folder; ``loader`` and the model's own classes are imported from there too.
        name: for the reader.
        version: as declared.
        trusted: types beyond skops' own list that may be constructed from the file.
        allow_pickle: permission to run this file's code, as joblib, pickle and readers of PFA do.
        loader: ``"module:function"``, called with the path if there is one; returns an estimator or a function.
        task, features: only needed where the model does not tell.
        providers: of ONNX Runtime; the CPU's where empty.
        output: of an ONNX graph, that holds the scores.
        factory: ``"module:function"``, makes the PyTorch module that a file of weights belongs to.
        python, timeout: the interpreter in which ``loader`` is called and the model lives; seconds for a call there.
        rows_as: what the model takes in place of a table; see :func:`mltestscore.inputs.batches.handed`.
    """

    path: Path
    base: Path
    name: str = "model"
    version: str = ""
    trusted: Sequence[str] = ()
    allow_pickle: bool = False
    loader: str = ""
    task: str = ""
    features: Sequence[str] = ()
    providers: Sequence[str] = ()
    output: str = ""
    factory: str = ""
    python: str = ""
    timeout: float = 120.0
    rows_as: RowsAs = "table"

    def load(self) -> Model:
        """Read the model.

        Raises :class:`InputError` or :class:`ConfigError` that names the file, what was found and the key that helps.
        """
        self._require_exists()
        self._require_a_reader_of_ours()
        thing = self._thing()
        try:
            model = as_model(thing, name=self.name, task=self.task, features=self.features, rows_as=self.rows_as)
        except InputError as error:
            if isinstance(thing, NativeModel):
                thing.close()
            where = f"loader {self.loader!r}" if self._is_called_alone else f"path: {self._file}"
            raise InputError(f"{_TABLE} {where}: {error}") from error
        source = self.loader if self._is_called_alone else str(self.path)
        return replace(
            model, version=self.version or model.version, source=source, digest=self._digest() or model.digest
        )

    @property
    def _file(self) -> Path:
        return self.base / self.path

    @property
    def _is_called_alone(self) -> bool:
        return self.path == Path()

    def _require_exists(self) -> None:
        file = self._file
        if not file.exists():
            beside = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
            raise InputError(f"{_TABLE} path: there is no {file}.{near(file.name, beside)}")

    def _require_a_reader_of_ours(self) -> None:
        """Refuse what would be left unheard, such as a provider for a session that a loader makes."""
        asked = [name for name in ("providers", "output", "factory") if getattr(self, name)]
        given = "loader" if self.loader else "python" if self.python else ""
        if asked and given:
            raise ConfigError(
                f"{_TABLE} {asked[0]} says how our own reader opens a file, but {given} is given, and the model is "
                "opened there: say it there, and remove the key."
            )

    def _thing(self) -> object:
        """Return the estimator, the function or another library's model."""
        if self.python:
            from mltestscore.inputs.models.elsewhere import open_elsewhere

            where = (self.python, self.loader, self.path, self.base, self.timeout)
            return open_elsewhere(*where, allow_pickle=self.allow_pickle)
        if self.loader:
            return self._loaded()
        return read_model_file(
            self._file,
            trusted=self.trusted,
            allow_pickle=self.allow_pickle,
            base=self.base,
            providers=self.providers,
            output=self.output,
            factory=self.factory,
        )

    def _loaded(self) -> object:
        function = import_function(self.loader, base=self.base, setting=f"{_TABLE} loader")
        try:
            return function() if self._is_called_alone else function(self._file)
        except (Exception, SystemExit) as error:
            raise InputError(f"{_TABLE} loader {self.loader!r} raised {type(error).__name__}: {error}") from error

    def _digest(self) -> str:
        """Return the digest of what is read, empty where only the model itself can tell."""
        file = self._file
        if file.is_file():
            held = (file, *mxnet_elsewhere.newest(file))
            return hashlib.sha256(b"".join(one.read_bytes() for one in held)).hexdigest()[:16]
        return "" if self.python or self.loader else folders.digest(file)
