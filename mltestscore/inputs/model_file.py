"""Models in files: other libraries' formats and skops without permission, joblib and pickle only with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile, ZipFile, is_zipfile

from mltestscore.errors import InputError
from mltestscore.inputs.functions import make_importable
from mltestscore.inputs.models import folders, formats
from mltestscore.inputs.models.native import Loading

_TABLE = "[tool.mltestscore.model]"


def read_model_file(
    file: Path,
    *,
    trusted: Sequence[str],
    allow_pickle: bool,
    base: Path,
    table: str = _TABLE,
    providers: Sequence[str] = (),
    output: str = "",
    factory: str = "",
) -> object:
    """Return the estimator in ``file``, or a :class:`NativeModel`; what the file is, its content says and not its name.

    A folder is read where MLflow or TensorFlow wrote it.

    ``table`` is the table of the configuration that names it; ``providers``, ``output`` and ``factory`` are described
    at :class:`Loading`.

    Raises :class:`InputError` when the file cannot be read, needs permission, or needs types that are not trusted.
    """
    loading = Loading(base, table, allow_pickle, tuple(providers), output, factory)
    if not file.is_file():
        return folders.read(file, loading, lambda inner: _read(inner, loading, trusted))
    return _read(file, loading, trusted)


def _read(file: Path, loading: Loading, trusted: Sequence[str]) -> object:
    table = loading.table
    if file.is_dir():
        raise InputError(f"{table} path: {file} is a folder; name a file, or a loader that reads the folder.")
    if file.stat().st_size == 0:
        raise InputError(f"{table} path: {file} is empty; write the model again.")
    make_importable(loading.base)
    try:
        form = formats.recognised(file)
        skops = form is None and _is_skops(file)
    except OSError as error:
        raise InputError(f"{table} path: {file} cannot be read: {error.strerror}.") from None
    if form is not None:
        return formats.read(file, form, loading)
    return _read_skops(file, trusted, table) if skops else _read_pickle(file, loading.allow_pickle)


def _is_skops(file: Path) -> bool:
    if file.suffix == ".skops":
        return True
    if not is_zipfile(file):
        return False
    try:
        with ZipFile(file) as archive:
            return "schema.json" in archive.namelist()
    except BadZipFile:
        return False


def _read_skops(file: Path, trusted: Sequence[str], table: str) -> object:
    from skops.io import get_untrusted_types, load

    try:
        unknown = [name for name in get_untrusted_types(file=file) if name not in trusted]
        if unknown:
            raise InputError(_untrusted(file, [*trusted, *unknown], len(unknown), table))
        return load(file, trusted=list(trusted))
    except InputError:
        raise
    except Exception as error:
        raise InputError(_unreadable(file, "skops", error)) from error


def _read_pickle(file: Path, allowed: bool) -> object:
    if not allowed:
        raise InputError(
            f"{file} is not a skops file, and reading joblib or pickle runs whatever code the file holds. "
            f"Save it with skops.io.dump, or set allow_pickle = true under {_TABLE} if you trust whoever wrote it."
        )
    import joblib

    try:
        return joblib.load(file)
    except Exception as error:
        raise InputError(_unreadable(file, "joblib or pickle", error)) from error


def _untrusted(file: Path, needed: list[str], new: int, table: str) -> str:
    types = ", ".join(f'"{name}"' for name in needed)
    return (
        f"{file} holds {new} type(s) that skops does not trust. If you know each of them, write under {table}: "
        f"trusted = [{types}]"
    )


def _unreadable(file: Path, form: str, error: Exception) -> str:
    return (
        f"{_TABLE} path: {file} does not load as {form}: {type(error).__name__}: {error} "
        "Is it complete, and written with the versions that are installed here?"
    )
