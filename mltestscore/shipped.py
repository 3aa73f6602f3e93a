"""Where the folders that we ship lie: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """Return the folder ``name`` that ships with mltestscore (``"checks"`` or ``"reports"``).

    Raises :class:`FileNotFoundError`, naming both places, when neither exists.
    """
    package = Path(__file__).resolve().parent
    inside, beside = package / name, package.parent / name
    for folder in (inside, beside):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"mltestscore's own folder {name!r} is in neither {inside} nor {beside}; reinstall it.")
