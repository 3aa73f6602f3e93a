"""The lock of a training: what our packages are, and all that they require, with the versions installed now."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pinned(packages: Iterable[str]) -> str:
    """Return a requirements file that pins ``packages`` and, step by step, what they require."""
    queue, found = list(packages), dict[str, str]()
    for name in queue:  # grows as we go
        known = canonicalize_name(name)
        if known in found:
            continue
        try:
            found[known] = version(name)
        except PackageNotFoundError:
            continue  # required only elsewhere
        needed = map(Requirement, requires(name) or ())
        queue += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found))
