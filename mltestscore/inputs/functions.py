"""The functions of a team's project that the configuration names as ``"module:function"``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from mltestscore.errors import ConfigError, InputError, near


def split_name(source: str, setting: str) -> tuple[str, str]:
    """Split ``"package.module:function"`` into its two names.

    Raises :class:`ConfigError` naming ``setting`` when it has another form.
    """
    module, colon, function = source.partition(":")
    parts = [*module.split("."), *function.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise ConfigError(f'{setting} is {source!r}; write "module:function", such as "training:train".')
    return module, function


def import_function(source: str, *, base: Path, setting: str) -> Callable[..., Any]:
    """Import the function ``"module:function"``, with the folder ``base`` importable as for ``python -m`` there.

    Raises :class:`ConfigError` for a name of another form, :class:`InputError` naming ``setting`` when the module
    cannot be imported or has no such function.
    """
    found = import_object(source, base=base, setting=setting)
    if not callable(found):
        raise InputError(f"{setting}: {source!r} is a {type(found).__name__}; name a function.")
    return found  # type: ignore[no-any-return]


def import_object(source: str, *, base: Path, setting: str) -> Any:
    """Import whatever ``"module:name"`` names, as :func:`import_function` does a function, with the same errors."""
    module_name, function_name = split_name(source, setting)
    make_importable(base)
    try:
        found: Any = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise InputError(_not_imported(module_name, base, setting, error)) from error
    for part in function_name.split("."):
        if not hasattr(found, part):
            known = (name for name in dir(found) if not name.startswith("_"))
            raise InputError(f"{setting}: {module_name!r} has no function {function_name!r}.{near(part, known)}")
        found = getattr(found, part)
    return found


def make_importable(base: Path) -> None:
    """Put the project's folder first on ``sys.path``, where ``python -m`` puts it; functions may import lazily."""
    folder = str(base.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _not_imported(module: str, base: Path, setting: str, error: BaseException) -> str:
    missing = isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]
    if not missing:
        return f"{setting}: importing {module!r} raised {type(error).__name__}: {error}"
    beside = [file.stem for file in base.resolve().glob("*.py")] if base.is_dir() else []
    return f"{setting}: there is no module {module!r} in {base.resolve()} or on the path.{near(module, beside)}"
