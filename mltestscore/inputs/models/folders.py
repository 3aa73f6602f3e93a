"""Models that are folders: which library wrote one, its own files say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from mltestscore import telemetry
from mltestscore.errors import InputError, MltestscoreError
from mltestscore.inputs.models.native import Loading, NativeModel, brief

ReadFile = Callable[[Path], object]

# The file that makes a folder a model of a kind, the kind, and the module of this package that reads it.
KINDS = {
    "MLmodel": ("MLflow", "mlflow_model"),
    "saved_model.pb": ("TensorFlow", "saved_model"),
}


def read(folder: Path, loading: Loading, read_file: ReadFile) -> object:
    """Return the model in a folder; ``read_file`` reads a file in it that is a model of its own.

    Raises :class:`InputError` for a folder of no kind that is known here, without permission where reading it could
    run code, without its library, and for one that does not load.
    """
    kind, module = next((KINDS[name] for name in KINDS if (folder / name).is_file()), ("", ""))
    if not module:
        raise InputError(
            f"{loading.table} path: {folder} is a folder; name a file, a folder with {' or '.join(KINDS)}, or a loader "
            "that reads the folder."
        )
    telemetry.off()
    try:
        found: object = import_module(f"{__package__}.{module}").read(folder, loading, read_file)
    except MltestscoreError:
        raise
    except Exception as error:
        raise InputError(
            f"{loading.table} path: {folder} does not load as a model of {kind}: {brief(error)} "
            "Is it complete, and written with the versions that are installed here?"
        ) from error
    return found


def digest(folder: Path) -> str:
    """Return sixteen hex digits of a sha256 over all files in a folder: their names and bytes, in the names' order."""
    whole = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"{file.relative_to(folder).as_posix()}\0{content}\0".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()[:16]


def needs_permission(folder: Path, loading: Loading, kind: str, why: str) -> None:
    """Raise :class:`InputError` unless the configuration permits what reading such a folder may run."""
    if not loading.allow_pickle:
        raise InputError(
            f"{loading.table} path: {folder} is {kind}, and {why}. Set allow_pickle = true under {loading.table} if "
            "you trust whoever wrote it."
        )


def unnamed(model: object, names: tuple[str, ...]) -> object:
    """Return a model of another library with these feature names, where it tells none itself."""
    if isinstance(model, NativeModel) and model.feature_names_in_ is None and names:
        from dataclasses import replace

        return replace(model, feature_names_in_=names)
    return model
