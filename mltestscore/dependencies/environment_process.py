"""Prints what is installed for the interpreter that runs this text, with nothing but the standard library.

It is also imported, for this process's own interpreter; it must run on every Python 3.8 and later.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from typing import Any


def described() -> dict[str, Any]:
    """Return the interpreter, its packages (name, version) and what markers may ask of it."""
    packages: dict[str, str] = {}
    for found in importlib.metadata.distributions():
        name, version = found.metadata["Name"], found.metadata["Version"]
        if name and version and not name.startswith(("~", "-")):
            packages.setdefault(name, version)  # the first on the path is the one that is imported
    about = sys.implementation.version
    level = "" if about.releaselevel == "final" else about.releaselevel[0] + str(about.serial)
    markers = {
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{about.major}.{about.minor}.{about.micro}{level}",
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }
    return {"python": sys.executable, "prefix": sys.prefix, "packages": packages, "markers": markers}


if __name__ == "__main__":
    print(json.dumps(described()))
