"""The repository that the models were trained from, as git keeps it: the team's code, settings and reviews.

The example is a folder of another project and has no team, so its people, their commits' dates and their reviews are
invented, like the clock. The rest is real: the commits hold exactly the files that train, and the settings that the
trained model has are compared with those of the commit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flights import spec
from flights.switches import broken
from flights.train import PARAMETERS, tree_settings

SETTINGS = "model.json"
ADA, BEN = "Ada Example <ada@flight-delay.example>", "Ben Example <ben@flight-delay.example>"


@dataclass(frozen=True)
class Step:
    """One commit: what it says, whose it is, who reviewed it, when, and the files that it writes."""

    subject: str
    author: str
    reviewer: str
    day: str
    files: dict[str, bytes]

    @property
    def message(self) -> bytes:
        """The message, with a trailer for the review."""
        trailer = f"\n\nReviewed-by: {self.reviewer}" if self.reviewer else ""
        return f"{self.subject}{trailer}\n".encode()


def write_history(folder: Path) -> None:
    """Make the repository anew in ``folder``: the same commits each time, names and all."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    stream = b"".join(_commit(step) for step in _steps())
    _git(folder, "config", "core.logAllRefUpdates", "false")  # the log of references holds the time of the build
    _git(folder, "fast-import", "--quiet", content=stream)
    _git(folder, "checkout", "--quiet", "--force", "main")


def origin(folder: Path, version: str) -> dict[str, object]:
    """Return what the lineage of a version says of its code: the commit, whether it is what trains, its settings."""
    commits = _git(folder, "rev-list", "--reverse", "main").decode().split()
    commit = commits[0] if version == spec.PREVIOUS else commits[-1]
    settings = _git(folder, "cat-file", "blob", f"{commit}:{SETTINGS}")
    held = _git(folder, "ls-tree", "-r", "--name-only", commit, "flights").decode().split()
    same = all(_git(folder, "cat-file", "blob", f"{commit}:{name}") == (spec.HOME / name).read_bytes() for name in held)
    return {"code_commit": commit, "tree_clean": same, "config_digest": hashlib.sha256(settings).hexdigest()}


def _steps() -> list[Step]:
    code = {f"flights/{file.name}": file.read_bytes() for file in sorted((spec.HOME / "flights").glob("*.py"))}
    erased = {"deletions.jsonl": (spec.HOME / "deletions.jsonl").read_bytes()}
    reviewer = "" if broken("model.1") else ADA
    steps = [
        Step("Learn late arrivals with boosted trees", ADA, BEN, "2013-07-15", code | _settings(PARAMETERS)),
        Step("Honour requests to be forgotten", BEN, reviewer, "2013-09-16", erased),
    ]
    if broken("model.5"):  # reviewed, and wrong all the same
        steps.append(Step("Grow larger trees", ADA, BEN, "2013-09-23", _settings(tree_settings())))
    return steps


def _settings(values: dict[str, object]) -> dict[str, bytes]:
    return {SETTINGS: json.dumps(values | {"seed": spec.SEED}, indent=2).encode() + b"\n"}


def _commit(step: Step) -> bytes:
    """Return a commit as git's fast-import reads it."""
    when = f"{int(datetime.fromisoformat(f'{step.day}T12:00:00+00:00').timestamp())} +0000"
    who = f"author {step.author} {when}\ncommitter {step.author} {when}\n".encode()
    parts = [b"commit refs/heads/main\n", who, b"data %d\n%s\n" % (len(step.message), step.message)]
    for name, content in step.files.items():
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content))
    return b"".join(parts) + b"\n"


def _git(folder: Path, *arguments: str, content: bytes = b"") -> bytes:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, input=content, capture_output=True, timeout=60, check=False
    )
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]} failed in {folder}: {done.stderr.decode(errors='replace')}")
    return done.stdout
