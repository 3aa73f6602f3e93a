"""The git repository that holds the team's project: which commit, which branch, changed or not.

``[tool.mltestscore.repository]``, where the project's own repository is meant but the defaults do not fit::

    path = "../training-code"              # default: the folder of the configuration
    branch = "main"                        # the protected one; default: the remote's default branch, main or master
    specification = "params.yaml:train"    # the reviewed settings of the model: a file and, after a colon, a key in it
    paths = ["src/model", "params.yaml"]   # what makes the model; default: all of the project's folder
    left_out = ["*.md", "docs"]            # of these paths, what cannot change it

Paths are relative to ``path``.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mltestscore.errors import InputError, NotOffered

_TIMEOUT = 20.0  # seconds; a status of a large repository on a cold disk takes some
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# Set while a git hook runs the tests, these would overrule the folder (`git rev-parse --local-env-vars`).
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
_OF_A_HOOK |= {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_SHALLOW_FILE"}
_REMEDY = "run in a git checkout of the project"
_NAME = re.compile(r"[0-9a-f]{7,64}")
_USUAL = ("refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master")
MAX_BYTES = 4 * 2**20
LEFT_OUT = ("*.md", "*.rst", "docs", "doc")


class _Overlay:
    """Objects of planted commits: a temporary folder that git reads beside the repository's own; gone with this."""

    def __init__(self, objects: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="planted-"))
        self.tip = ""
        self.environment = {"GIT_OBJECT_DIRECTORY": str(self.folder), "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Repository:
    """A git work tree.

    Attributes:
        root: its top folder.
        commit: full name of the commit that is checked out; empty before the first one.
        branch: its name; empty for a detached head.
        dirty: whether tracked files differ from the commit; untracked files do not count.
        protected: the declared branch on which reviewed changes land; empty: the remote's default, main or master.
        specification: the file of the model's settings, from the top folder, with ``:key`` where they are a part of it.
        paths: what makes the model, from the top folder.
        left_out: of these, what cannot change it; git's patterns, relative to each path.
    """

    root: Path
    commit: str
    branch: str
    dirty: bool
    protected: str = ""
    specification: str = ""
    paths: tuple[str, ...] = (".",)
    left_out: tuple[str, ...] = LEFT_OUT
    _overlay: _Overlay | None = None

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
        return _git(self.root, *arguments, more=self._environment)

    @property
    def _environment(self) -> Mapping[str, str]:
        return self._overlay.environment if self._overlay else {}

    @property
    def pathspec(self) -> tuple[str, ...]:
        """What makes the model, as arguments of git that follow ``--``."""
        file = self.specification.partition(":")[0]
        kept = dict.fromkeys((*self.paths, *([file] if file else [])))
        out = [f"{_below(path)}**/{one}{rest}" for path in self.paths for one in self.left_out for rest in ("", "/**")]
        return (
            *(f":(top,literal){'' if path == '.' else path}" for path in kept),
            *(f":(top,exclude,glob){one}" for one in out),
        )

    def resolve(self, name: str) -> str:
        """Return the full name of a commit given by seven or more digits of it; empty where there is no such one."""
        if not _NAME.fullmatch(name):
            return ""
        code, full, _ = self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return full if code == 0 else ""

    @property
    def shallow(self) -> bool:
        """Whether the history was cut off when it was cloned."""
        return self.git("rev-parse", "--is-shallow-repository")[1] == "true"

    def protected_branch(self) -> tuple[str, str]:
        """Return name and newest commit of the branch on which reviewed changes land; empty where none is found.

        What the remote holds goes before a local branch, which anybody may have changed.
        """
        name = self.protected
        references = (f"refs/remotes/origin/{name}", f"refs/heads/{name}") if name else _USUAL
        if not name:
            code, default, _ = self.git("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
            references = (default, *references) if code == 0 else references
        for reference in references:
            code, tip, _ = self.git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
            if code == 0:
                shown = reference.removeprefix("refs/remotes/origin/").removeprefix("refs/heads/")
                return shown, (self._overlay.tip if self._overlay else tip)
        return name, ""

    def content(self, commit: str, path: str) -> bytes | None:
        """Return a file at a commit; ``None`` where the commit does not hold it.

        Raises :class:`InputError` for a file of more than 4 MiB.
        """
        code, kind, _ = self.git("cat-file", "-t", f"{commit}:{path}")
        if code != 0 or kind != "blob":
            return None
        size = int(self.git("cat-file", "-s", f"{commit}:{path}")[1])
        if size > MAX_BYTES:
            raise InputError(f"{path} holds {size} bytes; settings of at most {MAX_BYTES} are read.")
        return _run(self.root, "cat-file", "blob", f"{commit}:{path}", more=self._environment).stdout

    def with_commit(self, parent: str, path: str, content: bytes, message: str, author: str) -> tuple[Repository, str]:
        """Return a repository whose protected branch ends in one more commit, which changes one file, and its name.

        A real commit, in a temporary folder that git reads beside the repository; the original is left as it is.

        Raises :class:`InputError` when git fails.
        """
        _, objects, _ = self.git("rev-parse", "--git-path", "objects")
        overlay = _Overlay(str((self.root / objects).resolve()))
        file = overlay.folder / "content"
        file.write_bytes(content)
        identity = {f"GIT_{who}_{what}": said for who in ("AUTHOR", "COMMITTER") for what, said in _identity(author)}
        more = overlay.environment | identity | {"GIT_INDEX_FILE": str(overlay.folder / "index")}

        def git(*arguments: str) -> str:
            code, said, error = _git(self.root, *arguments, more=more)
            if code != 0:
                raise InputError(f"git {arguments[0]} failed on a planted commit: {error}")
            return said

        blob = git("hash-object", "-w", "--no-filters", str(file))
        git("read-tree", parent)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        overlay.tip = git("commit-tree", git("write-tree"), "-p", parent, "-m", message)
        return replace(self, _overlay=overlay), overlay.tip


def _identity(author: str) -> tuple[tuple[str, str], ...]:
    return (("NAME", author), ("EMAIL", "planted@example.invalid"), ("DATE", "2000-01-01T00:00:00Z"))


def _below(path: str) -> str:
    return "" if path == "." else f"{path}/"


def open_repository(
    path: Path,
    *,
    branch: str = "",
    specification: str = "",
    paths: Sequence[str] = (),
    left_out: Sequence[str] = LEFT_OUT,
) -> Repository:
    """Read the state of the git work tree that holds ``path``; the other arguments are those of the module's example.

    Raises :class:`NotOffered` outside a work tree or without git, :class:`InputError` when git fails or hangs.
    """
    code, root, said = _git(path, "rev-parse", "--show-toplevel")
    if code != 0 and ("not a git repository" in said or "must be run in a work tree" in said):
        raise NotOffered("repository", _REMEDY)
    if code != 0:
        raise InputError(f"git cannot read the repository of {path}: {said}")
    _, commit, _ = _git(path, "rev-parse", "--verify", "--quiet", "HEAD")
    _, branch_now, _ = _git(path, "symbolic-ref", "--quiet", "--short", "HEAD")
    code, changes, said = _git(path, "status", "--porcelain", "--untracked-files=no")
    if code != 0:
        raise InputError(f"git status failed in {root}: {said}")
    inside = [_inside(path, Path(root), one) for one in (*paths, specification.partition(":")[0])]
    key = "".join(specification.partition(":")[1:])
    return Repository(
        Path(root),
        commit,
        branch_now,
        bool(changes),
        protected=branch,
        specification=inside[-1] + key if specification else "",
        paths=tuple(inside[:-1]) or (_inside(path, Path(root), "."),),
        left_out=tuple(left_out),
    )


def _inside(path: Path, root: Path, name: str) -> str:
    """Return a path below ``path`` as git names it, from the top folder; raises :class:`InputError` outside of it."""
    found = posixpath.normpath(posixpath.relpath((path.resolve() / name).as_posix(), root.resolve().as_posix()))
    if found.startswith(".."):
        raise InputError(f"the path {name!r:.200} lies outside of the repository {root}; name one inside.")
    return found


def _git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Return exit status, output and errors of a git command, credentials cut out."""
    done = _run(folder, *arguments, more=more or {})
    out, said = (stream.decode("utf-8", errors="replace").strip() for stream in (done.stdout, done.stderr))
    return done.returncode, out, _CREDENTIALS.sub("…@", said)


def _run(folder: Path, *arguments: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a git command: no prompt, no hook, no lock, in bounded time."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder, so there is no repository to read.")
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **more}
    try:
        return subprocess.run(
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
