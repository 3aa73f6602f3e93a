"""The Java program that starts the processes in which models of Java's libraries live."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import A_LOADER


def java(form: str) -> str:
    """Return the path of Java: of ``JAVA_HOME``, or the first on the ``PATH``.

    Raises :class:`InputError` where there is none, with ``form``, the format that needs it.
    """
    folders = [str(Path(os.environ[name]) / "bin") for name in ("JAVA_HOME",) if os.environ.get(name)]
    found = shutil.which("java", path=os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise InputError(f"{form} is scored by Java, but no java is in JAVA_HOME or on the PATH; {A_LOADER}.")
    return found
