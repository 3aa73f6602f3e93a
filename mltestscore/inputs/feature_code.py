"""The team's feature code: its modules, the tests that hold for it, and its two paths from raw rows to features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs import digests
from mltestscore.inputs.functions import split_name

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.schema import Schema

TABLE = "[tool.mltestscore.features]"
NEVER_COPIED = (
    ".git", ".hg", ".venv*", "venv", "node_modules", "__pycache__", "*.pyc", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".hypothesis", ".tox", ".coverage", ".mltestscore", "mltestscore-report", "*.egg-info",
)  # fmt: skip
"""Folders and files that no test needs in its copy of the project."""
MOST_CODE_FILES = 5_000


@dataclass(frozen=True)
class FeatureCode:
    """Feature code and its tests, in a project's folder. Nothing of it is imported here: it runs in other processes.

    Attributes:
        folder: the project's folder, where tests are run from.
        modules: files of the feature code, relative to ``folder``.
        tests: pytest targets (files, folders or node ids) of its unit tests, relative to ``folder``.
        batch: the training path, ``"module:function"``: a frame of raw rows to a frame of features, one row each, in
            the same order; empty where it is not offered.
        online: the serving path: one raw row as a dictionary to its features as a mapping; empty likewise.
        raw: rows that the two paths accept, as they come in service.
        raw_schema: what rules say about them.
        dates: the columns of ``raw`` whose times may be moved.
        timezone: IANA name of the zone whose changes of the clock matter to the feature code.
        left_out: patterns of files that a copy of the project does not need.
        wrappers: functions that take a path's function and return another, by path; see :meth:`wrapped`.
        deaf: whether tests are run as if they compared nothing; see :meth:`deafened`.
        table: where the code is configured, for messages.
    """

    folder: Path
    modules: tuple[str, ...]
    tests: tuple[str, ...] = ()
    batch: str = ""
    online: str = ""
    raw: Dataset | None = None
    raw_schema: Schema | None = None
    dates: tuple[str, ...] = ()
    timezone: str = "UTC"
    left_out: tuple[str, ...] = ()
    wrappers: tuple[tuple[str, str], ...] = ()
    deaf: bool = False
    table: str = TABLE
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The modules, for the reader."""
        return ", ".join(self.modules)

    @property
    def digest(self) -> str:
        """A digest of :attr:`code_digest`, of how the paths are called, and of the raw rows."""
        raw = self.raw.digest if self.raw is not None else ""
        rules = self.raw_schema.digest if self.raw_schema is not None else ""
        named = (self.code_digest, self.batch, self.online, self.dates, self.timezone, self.wrappers, raw, rules)
        return digests.of_settings(named)

    @property
    def code_digest(self) -> str:
        """A digest of every Python file of the project, of the modules and of the tests."""
        named = (self.modules, self.tests, self.deaf)
        return digests.of_settings(named, self.python_files(), self.folder)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of what a copy of the project does without."""
        return (*NEVER_COPIED, *self.left_out)

    def python_files(self) -> list[Path]:
        """Return the Python files of the project, without those that no copy has.

        Raises :class:`InputError` where there are more than 5,000: then the folder is not a project's.
        """
        files = []
        for file in files_below(self.folder, self.ignored):
            if file.suffix == ".py":
                files.append(file)
            if len(files) > MOST_CODE_FILES:
                raise InputError(
                    f"{self.table}: more than {MOST_CODE_FILES:,} Python files lie in {self.folder}; name what is not "
                    'the project\'s code in left_out, such as left_out = ["third_party"].'
                )
        return sorted(files)

    def replace(self, **changes: Any) -> FeatureCode:
        """Return feature code with other attributes: how a fault is planted."""
        return replace(self, **changes)

    def wrapped(self, path: str, wrapper: str) -> FeatureCode:
        """Return feature code whose ``path``, ``"batch"`` or ``"online"``, goes through ``wrapper``, a function."""
        split_name(wrapper, "wrapper")
        return replace(self, wrappers=(*self.wrappers, (path, wrapper)))

    def deafened(self) -> FeatureCode:
        """Return feature code whose tests run and pass whatever they see, as tests do that assert nothing."""
        return replace(self, deaf=True)


def open_feature_code(
    folder: Path,
    modules: Iterable[str],
    *,
    tests: Iterable[str] = (),
    batch: str = "",
    online: str = "",
    raw: Dataset | None = None,
    raw_schema: Schema | None = None,
    dates: Iterable[str] = (),
    timezone: str = "UTC",
    left_out: Iterable[str] = (),
) -> FeatureCode:
    """Return the feature code of a project; modules are dotted names or paths of files below ``folder``.

    Without ``dates``, a single column of times in ``raw`` may be moved, and none where there are several.

    Raises :class:`ConfigError` for a name of the wrong form, :class:`InputError` for a module, test or column that is
    not there.
    """
    files = module_files(folder, modules, TABLE)
    if not files:
        raise ConfigError(f'{TABLE} modules is empty; name the feature code, such as ["shop.features"].')
    targets = tuple(tests)
    require_targets(folder, targets, TABLE)
    for setting, name in (("batch", batch), ("online", online)):
        if name:
            split_name(name, f"{TABLE} {setting}")
    if (batch or online) and raw is None:
        raise ConfigError(f"{TABLE} names batch or online but no raw; say where rows lie that they accept.")
    _known_zone(timezone)
    moved = tuple(dates)
    if raw is not None:
        raw.require(*moved)
        moved = moved or _only_time(raw)
    return FeatureCode(
        folder.resolve(), files, targets, batch, online, raw, raw_schema, moved, timezone, tuple(left_out)
    )


def module_files(folder: Path, modules: Iterable[str], table: str) -> tuple[str, ...]:
    """Return the files of modules, given by dotted names or paths, relative to the folder.

    Raises :class:`InputError` naming ``table`` for one that is not there.
    """
    return tuple(_module(folder, name, table) for name in modules)


def require_targets(folder: Path, tests: Iterable[str], table: str) -> None:
    """Raise :class:`InputError` naming ``table`` for a pytest target whose file or folder is not there."""
    for target in tests:
        if not (folder / target.partition("::")[0]).exists():
            raise InputError(f"{table} tests: there is no {target.partition('::')[0]!r:.200} in {folder}.")


def _module(folder: Path, name: str, table: str) -> str:
    dotted = Path(*name.split(".")) if not name.endswith(".py") else Path(name)
    places = [Path(name)] if name.endswith(".py") else []
    if not places:
        places = [
            home / form
            for home in (Path(), Path("src"))
            for form in (dotted.with_suffix(".py"), dotted / "__init__.py")
        ]
    for place in places:
        if (folder / place).is_file() and (folder / place).resolve().is_relative_to(folder.resolve()):
            return place.as_posix()
    files = files_below(folder, NEVER_COPIED, 2_000)
    known = {".".join(file.relative_to(folder).with_suffix("").parts) for file in files}
    raise InputError(f"{table} modules: there is no module {name!r:.200} in {folder}.{near(name, known)}")


def files_below(folder: Path, ignored: Iterable[str], most: int = 100_000) -> Iterator[Path]:
    """Yield at most so many files below the folder that no pattern ignores, sorted in each folder; links count not."""
    patterns, waiting = tuple(ignored), [folder]
    while waiting and most > 0:
        for entry in sorted(waiting.pop().iterdir()):
            if any(entry.match(pattern) for pattern in patterns) or entry.is_symlink():
                continue
            if entry.is_dir():
                waiting.append(entry)
            elif entry.is_file():
                most -= 1
                yield entry


def _known_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigError(
            f'{TABLE} timezone is {name!r:.80}, which is no time zone; write one such as "Europe/Madrid".'
        ) from None


def _only_time(raw: Dataset) -> tuple[str, ...]:
    times = tuple(name for name, kind in raw.table.schema().items() if kind.is_timestamp() or kind.is_date())
    return times if len(times) == 1 else ()
