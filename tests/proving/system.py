"""A copy of the flights example to break or to change harmlessly, and to score as a user would."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.catalogue import our_check, our_items
from mltestscore.scorecard import Scorecard, load
from tests.forked import run_pytest, run_python

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flights"
LEFT_BEHIND = (
    "broken-*",
    ".build-*",
    "v?.jsonl*",
    "__pycache__",
    ".mltestscore",
    "mltestscore-report",
    ".pytest_cache",
)
ITEMS = tuple(our_items())
PATHS = ("serving", "recomputed")  # the two feature paths over the served week: upstream faults reach both
TABLES = ("training", "holdout", *PATHS)
TIMEOUT = 600.0

MARK = "from flights import build, spec; (spec.HOME / 'build' / build.MARKER).write_text(build._digest(''))"


@contextmanager
def sound_example() -> Iterator[Path]:
    """Build the example where it stands, if need be, and give a copy of it that nobody else writes to."""
    subprocess.run(
        [sys.executable, "-m", "flights.build"], cwd=EXAMPLE, env=_environment(), check=True, timeout=TIMEOUT
    )
    with tempfile.TemporaryDirectory(prefix="proving-") as folder:
        target = Path(folder) / "sound"
        with (EXAMPLE / ".build-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        yield target


@contextmanager
def copied(sound: Path) -> Iterator[System]:
    """Give a copy of ``sound`` to break; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="proving-") as folder:
        home = Path(folder) / "flights"
        shutil.copytree(sound, home)  # never hard links: pandas and SQLite write in place
        yield System(home)


class System:
    """One copy of the example.

    Attributes:
        home: its folder.
        beside: command lines that run while the system is scored, such as a noisy neighbour.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.beside: list[list[str]] = []
        self._code_changed = False

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the build, such as ``"serving"``."""
        return pd.read_parquet(self._parquet(name))

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Replace a table of the build."""
        table.to_parquet(self._parquet(name), index=False)

    def change(self, names: Iterable[str], function: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Replace tables by what ``function`` makes of each; served rows are scored again where inputs changed."""
        for name in names:
            before = self.table(name)
            after = function(before.copy())
            self.write(name, self._scored(before, after) if name == "serving" else after)

    def json(self, file: str, function: Callable[[Any], Any]) -> None:
        """Replace the content of a JSON file by what ``function`` makes of it."""
        path = self.home / file
        path.write_text(json.dumps(function(json.loads(path.read_text(encoding="utf-8"))), indent=1), encoding="utf-8")

    def rules(self, function: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        """Replace the rules of the expectation suite."""
        self.json("expectations.json", lambda suite: suite | {"expectations": function(suite["expectations"])})

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a piece of a text file that must occur in it."""
        path = self.home / file
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise LookupError(f"{file} has no {old!r} to edit: the example has changed, so change the fault")
        path.write_text(text.replace(old, new), encoding="utf-8")
        self._code_changed |= path.suffix == ".py"

    def add(self, file: str, text: str) -> None:
        """Write a new file."""
        (self.home / file).write_text(text, encoding="utf-8")
        self._code_changed |= file.endswith(".py")

    def option(self, item: str, name: str, value: object) -> None:
        """Set an option of a check in the configuration."""
        path, header = self.home / "pyproject.toml", f'[tool.mltestscore.checks."{item}"]'
        text = path.read_text(encoding="utf-8")
        if header not in text:
            text += f"\n{header}\n"
        start, _, rest = text.partition(header + "\n")
        body, bracket, later = rest.partition("\n[")
        kept = re.sub(rf"(?m)^{name} *=.*\n?", "", body)
        path.write_text(f"{start}{header}\n{name} = {json.dumps(value)}\n{kept}{bracket}{later}", encoding="utf-8")

    def script(self, code: str) -> str:
        """Run Python in the copy, as its owner would; return what it prints."""
        done = run_python(["-c", code], folder=self.home, environment=_environment(), timeout=TIMEOUT)
        if done.returncode:
            raise RuntimeError(f"a script in the copy failed: {done.stderr[-2000:]}")
        return done.stdout

    def serve_again(self) -> None:
        """Serve the week again, with the code and the days that the copy has now, and recompute its features."""
        self.script("from flights import spec; from flights.parts import Parts; Parts(spec.HOME / 'build').served()")

    def run(self, items: Sequence[str] = ITEMS, *, prove: bool = False) -> Scorecard:
        """Score the copy with pytest, as a user would, and return the scorecard.

        Raises :class:`RuntimeError` with the end of the output when the run made none.
        """
        if self._code_changed:
            self.script(MARK)  # what was built stays: the fault says what it makes anew
            self._code_changed = False
        names = " or ".join(our_check(item).function.__name__ for item in items)
        arguments = ["--mltestscore", "-q", "-k", names, "-p", "mltestscore.plugin", "-p", "no:cacheprovider"]
        arguments += [] if prove else ["--mltestscore-no-proof"]
        with ExitStack() as stack:
            for line in self.beside:
                stack.enter_context(_neighbour(line, self.home))
            done = run_pytest(arguments, folder=self.home, environment=_environment(), timeout=TIMEOUT)
        file = self.home / "mltestscore-report" / "scorecard.json"
        if done.returncode not in (0, 1) or not file.is_file():
            raise RuntimeError(f"no scorecard (exit {done.returncode}): {(done.stdout + done.stderr)[-2000:]}")
        return load(file)

    def _parquet(self, name: str) -> Path:
        return self.home / "build" / f"{name}.parquet"

    def _scored(self, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
        """Return ``after`` with the scores that the server would have logged."""
        model = _model(*_content(self.home / "build" / "registry" / "v2" / "model.skops"))
        names = list(model.feature_names_in_)
        if not len(after) or not set(names) <= set(after.columns) or before.reindex(columns=names).equals(after[names]):
            return after
        inputs = {name: pd.to_numeric(after[name]) if name in _numeric(before) else after[name] for name in names}
        frame = pd.DataFrame({name: _plain(values) for name, values in inputs.items()})
        return after.assign(score=model.predict_proba(frame)[:, 1])


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the source of randomness of a case."""
    return np.random.default_rng([seed, *hashlib.sha256(" ".join(names).encode()).digest()[:8]])


def some(frame: pd.DataFrame, share: float, seed: int) -> np.ndarray:
    """Return which rows belong to a random share of a table, shape (rows,); by key, so the same in every table."""
    keys = pd.util.hash_pandas_object(frame["flight_id"], index=False, hash_key=f"{seed:016d}").to_numpy()
    return keys % 10**6 < share * 10**6


def _numeric(frame: pd.DataFrame) -> set[str]:
    return set(frame.columns[[pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]])


def _plain(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return values.astype(object).where(values.notna(), None).to_numpy()


def _content(file: Path) -> tuple[str, bytes]:
    content = file.read_bytes()
    return hashlib.sha256(content).hexdigest(), content


_LOADED: dict[str, Any] = {}


def _model(digest: str, content: bytes) -> Any:
    """Return the model of these bytes, loaded once."""
    if digest not in _LOADED:
        from skops import io as skops

        _LOADED[digest] = skops.loads(content, trusted=skops.get_untrusted_types(data=content))
    return _LOADED[digest]


@cache
def _environment() -> dict[str, str]:
    """The environment of a user: no switch of the example, nothing of a pytest run around this one.

    Other plugins are left out: importing those that our tests need is a second of the ten that a case takes.
    """
    ours = ("FLIGHTS_", "PYTEST_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@contextmanager
def _neighbour(command: list[str], home: Path) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
