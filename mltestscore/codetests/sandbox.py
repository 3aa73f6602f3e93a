"""A copy of a project to run code in, and Python processes in it that never outlive their time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO

from mltestscore.errors import InputError
from mltestscore.stopping import kill_marked, marked

MOST_BYTES = 300_000_000
"""A copy beyond 300 MB takes seconds and holds data or builds rather than code."""
LAST_LINES = 15
_OF_THIS_RUN = ("PYTEST_", "COV_", "COVERAGE_")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Done:
    """A process that has ended.

    Attributes:
        code: its exit status, negative for a signal; ``None`` where its time was up and it was stopped.
        said: the last lines of its output and errors.
        seconds: wall time.
    """

    code: int | None
    said: str
    seconds: float


@contextmanager
def copied(folder: Path, ignored: Iterable[str], setting: str) -> Iterator[Path]:
    """Give a copy of ``folder`` without what ``ignored`` matches; it is removed afterwards, whatever happens.

    Links are copied as links. Raises :class:`InputError` naming ``setting`` for more than 300 MB.
    """
    patterns = tuple(ignored)
    room = [MOST_BYTES]

    def left_out(here: str, names: list[str]) -> set[str]:
        place = Path(here)
        out = {name for name in names if any((place / name).match(pattern) for pattern in patterns)}
        for name in set(names) - out:
            file = place / name
            if not file.is_symlink() and file.is_file():
                room[0] -= file.stat().st_size
            elif not file.is_symlink() and not file.is_dir():
                out.add(name)  # pipes, sockets and devices would block the copy
        if room[0] < 0:
            raise InputError(
                f"{setting}: {folder} holds more than {MOST_BYTES / 1e6:g} MB; name the folders that the tests do not "
                'need in left_out, such as left_out = ["data", "build"].'
            )
        return out

    with tempfile.TemporaryDirectory(prefix="mltestscore-", ignore_cleanup_errors=True) as name:
        target = Path(name).resolve() / folder.resolve().name
        shutil.copytree(folder, target, symlinks=True, ignore=left_out)
        yield target


def run_python(
    arguments: Sequence[str], *, sandbox: Path, home: Path, timeout: float, variables: Mapping[str, str] | None = None
) -> Done:
    """Run ``python ARGUMENTS`` in ``sandbox``, a copy of ``home``; stop it and all that it started after ``timeout``.

    What this process can import, that one can, from the copy where it lies in the project.
    """
    return run([sys.executable, *arguments], sandbox=sandbox, home=home, timeout=timeout, variables=variables)


def run(
    command: Sequence[str], *, sandbox: Path, home: Path, timeout: float, variables: Mapping[str, str] | None = None
) -> Done:
    """Run a command like :func:`run_python`."""
    began = monotonic()
    code: int | None = None
    with started(command, sandbox=sandbox, home=home, variables=variables) as running:
        with suppress(subprocess.TimeoutExpired):
            code = running.process.wait(timeout)
        kill_tree(running.process)
        return Done(code, running.said(), monotonic() - began)


@dataclass(frozen=True)
class Running:
    """A process at work, and the file to which its output and errors go."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def wait(self, seconds: float) -> int:
        """Return its exit status; raise :class:`subprocess.TimeoutExpired` where it still runs after ``seconds``."""
        return self.process.wait(seconds)

    def said(self) -> str:
        """Return the last lines of its output and errors."""
        return last_lines(self.output)


def last_lines(output: IO[bytes]) -> str:
    """Return the last lines of what a process has written."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 20_000))
    lines = output.read().decode("utf-8", "replace").strip().splitlines()
    return "\n".join(line[:300] for line in lines[-LAST_LINES:])


@contextmanager
def started(
    command: Sequence[str],
    *,
    sandbox: Path,
    home: Path,
    variables: Mapping[str, str] | None = None,
    handed: Sequence[int] = (),
) -> Iterator[Running]:
    """Start a command in ``sandbox``, with the open files ``handed``; stop it and all that it started afterwards."""
    mark = marked()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            list(command),
            cwd=sandbox,
            env={**environment(sandbox, home), **(variables or {}), **mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches us first, and we stop the whole tree
            pass_fds=tuple(handed),
        )
        try:
            yield Running(process, output)
        finally:
            kill_tree(process)
            kill_marked(mark)


def environment(sandbox: Path, home: Path) -> dict[str, str]:
    """Return the variables of a process in ``sandbox``: ours without those of this run, and one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THIS_RUN)}
    return {**kept, **_ONE_THREAD, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": _path(sandbox, home)}


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, and all that it started, also what outlived it."""
    import psutil

    tree = []  # what left the session of the process
    with suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid).children(recursive=True)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in tree:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


def _path(sandbox: Path, home: Path) -> str:
    """This process's import path with the copy in place of the project, so that no test reads the original."""
    home = home.resolve()
    parts = [str(sandbox), *([str(sandbox / "src")] if (sandbox / "src").is_dir() else [])]
    for part in filter(None, sys.path):
        place = Path(part).resolve()
        inside = place.is_relative_to(home) and (sandbox / place.relative_to(home)).exists()
        parts.append(str(sandbox / place.relative_to(home)) if inside else part)
    return os.pathsep.join(dict.fromkeys(parts))
