"""The git repository that holds the team's project: which commit, which branch, changed or not."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mltestscore.errors import InputError, NotOffered

_TIMEOUT = 20.0  # seconds; a status of a large repository on a cold disk takes some
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# Set while a git hook runs the tests, these would overrule the folder (`git rev-parse --local-env-vars`).
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
_REMEDY = "run in a git checkout of the project"


@dataclass(frozen=True)
class Repository:
    """A git work tree.

    Attributes:
        root: its top folder.
        commit: full name of the commit that is checked out; empty before the first one.
        branch: its name; empty for a detached head.
        dirty: whether tracked files differ from the commit; untracked files do not count.
    """

    root: Path
    commit: str
    branch: str
    dirty: bool

    @property
    def source(self) -> str:
        """The top folder, for the reader."""
        return str(self.root)

    @property
    def digest(self) -> str:
        """The commit; empty when the files are not those of a commit."""
        return "" if self.dirty else self.commit

    def git(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit status, output and errors of a git command that only reads.

        Raises :class:`InputError` when it hangs.
        """
        return _git(self.root, *arguments)


def open_repository(path: Path) -> Repository:
    """Read the state of the git work tree that holds ``path``.

    Raises :class:`NotOffered` outside a work tree or without git, :class:`InputError` when git fails or hangs.
    """
    code, root, said = _git(path, "rev-parse", "--show-toplevel")
    if code != 0 and ("not a git repository" in said or "must be run in a work tree" in said):
        raise NotOffered("repository", _REMEDY)
    if code != 0:
        raise InputError(f"git cannot read the repository of {path}: {said}")
    _, commit, _ = _git(path, "rev-parse", "--verify", "--quiet", "HEAD")
    _, branch, _ = _git(path, "symbolic-ref", "--quiet", "--short", "HEAD")
    code, changes, said = _git(path, "status", "--porcelain", "--untracked-files=no")
    if code != 0:
        raise InputError(f"git status failed in {root}: {said}")
    return Repository(Path(root), commit, branch, bool(changes))


def _git(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Return exit status, output and errors of a git command; no prompt, no hook, no lock, no credentials shown."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder, so there is no repository to read.")
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise NotOffered("repository", "install git") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"git {arguments[0]} took more than {_TIMEOUT:g} s in {folder}; see why it hangs.") from None
    out, said = (stream.decode("utf-8", errors="replace").strip() for stream in (done.stdout, done.stderr))
    return done.returncode, out, _CREDENTIALS.sub("…@", said)
