"""A team's data as checks see it: a table to query where it lies, roles of its columns, bounded copies, a digest."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mltestscore.errors import InputError, NotOffered, near
from mltestscore.inputs import database, digests, sampling, sources
from mltestscore.inputs.sources import Content
from mltestscore.result import storable

if TYPE_CHECKING:
    import ibis
    import pandas as pd
    import pyarrow as pa

    from mltestscore.inputs.known import Known

BATCHES = ("serving", "recomputed", "outcomes")  # on a quiet day such a table is empty, and nothing is wrong
WIDE, AT_ONCE = 64, 16  # columns: of what is wide, and of a narrow part of it

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Roles:
    """What the columns of a dataset mean; every name must be a column of it.

    Attributes:
        label: the outcome that the model predicts.
        score: the model's output as it was served: the second class's probability, the value of a regression, or
            with more than two classes the class that was answered.
        key: the columns that together name a row, for joins with other datasets.
        time: when the row was true or was served.
        cluster: rows of one cluster are not independent (a user, an hour).
        features: the model's inputs; empty: all columns without another role.
        ignore: columns that no check should look at.
        protected: columns that name groups of people, for model.7; model inputs or not. One that is not there is a
            finding of that check, not an error of the dataset.
        feature_times: pairs of a feature and the column that says when its value became known.
    """

    label: str = ""
    score: str = ""
    key: tuple[str, ...] = ()
    time: str = ""
    cluster: str = ""
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    feature_times: tuple[tuple[str, str], ...] = ()

    @property
    def others(self) -> tuple[str, ...]:
        """All columns that have a role other than feature, in the order of the roles."""
        single = (self.label, self.score, self.time, self.cluster)
        times = dict.fromkeys(column for _, column in self.feature_times)
        return tuple(name for name in (*self.key, *single, *self.ignore, *times) if name)


class Dataset:
    """Named data with roles. In ``table`` a missing value is NULL, whether it was NaN, None, NaT or NA before.

    Attributes:
        name: how checks and messages call it.
        roles: what its columns mean.
        whole: false for a sample of fewer rows, whose row count and extremes say little.
        known: by column, what was counted for one purpose and answers other questions too.
    """

    def __init__(self, name: str, content: Content, roles: Roles, *, whole: bool = True) -> None:
        self.name = name
        self.roles = roles
        self.whole = whole
        self.known: dict[str, Known] = {}
        self._content = content
        self._sampled_from: Dataset | None = None
        self._answers: dict[Hashable, dict[Any, Any]] = {}

    def __repr__(self) -> str:
        return f"<Dataset {self.name} from {self.source}: {len(self.columns)} columns>"

    @property
    def source(self) -> str:
        """Where the data came from, as the team wrote it."""
        return self._content.source

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is read from; empty for a copy, a frame and a database's table."""
        return self._content.files

    @cached_property
    def table(self) -> ibis.Table:
        """The data as an Ibis table, on DuckDB unless the team offered a table of another database."""
        if self._content.table is not None:
            return self._content.table
        return database.as_table(self.arrow)

    def part(self, columns: Sequence[str]) -> ibis.Table:
        """Return a table with these columns at least: of wide files a narrow one.

        DuckDB binds all columns of a view in every query, so that a query for each column of a file would cost by the
        square of the columns.
        """
        if self._content.part is None or len(self.columns) <= WIDE:
            return self.table
        return self._content.part(columns)

    def parts(self, columns: Sequence[str]) -> Iterator[tuple[ibis.Table, Sequence[str]]]:
        """Yield the columns, some at a time, with a :meth:`part` that has them."""
        for start in range(0, len(columns), AT_ONCE):
            some = columns[start : start + AT_ONCE]
            yield self.part(some), some

    @cached_property
    def arrow(self) -> pa.Table:
        """All rows, in memory, as a tidy Arrow table."""
        if self._content.frame is not None:
            return sources.frame_to_arrow(self._content.frame)
        if self._content.arrow is not None:
            return self._content.arrow
        return sources.tidy(self.table.to_pyarrow())

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, in order."""
        if self._content.frame is not None:
            return tuple(self._content.frame.columns)
        return tuple(self.table.columns if self._content.table is not None else self.arrow.column_names)

    @cached_property
    def rows(self) -> int:
        """Number of rows; counted where the data is, once."""
        if self._content.table is not None:
            return int(self._content.table.count().to_pyarrow().as_py())
        held = self._content.frame if self._content.frame is not None else self._content.arrow
        return len(held) if held is not None else 0

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over the content: file bytes, else values (see :mod:`digests`)."""
        if self._content.files:
            return digests.of_files(self._content.files)
        if self._content.table is not None:
            return digests.of_table(self._content.table)
        return digests.of_arrow(self.arrow)

    @property
    def features(self) -> tuple[str, ...]:
        """The model's inputs: as declared, else all columns without another role."""
        return self.roles.features or tuple(name for name in self.columns if name not in self.roles.others)

    def require(self, *columns: str) -> None:
        """Raise :class:`InputError`, with near names, unless the dataset has all these columns."""
        present = self.columns
        for column in columns:
            if column not in present:
                raise InputError(f"{self.name} ({self.source}) has no column {column!r}.{near(column, present)}")

    def frame(self, columns: Iterable[str] | None = None, limit: int | None = None) -> pd.DataFrame:
        """Return the rows, or the first ``limit``, as a new pandas frame; pandas data keep their dtypes.

        Raises :class:`InputError` for a column that the dataset has not.
        """
        wanted = list(self.columns if columns is None else columns)
        self.require(*wanted)
        if self._content.frame is not None:
            frame = self._content.frame if limit is None else self._content.frame.head(limit)
            return frame[wanted].copy()
        if self._content.table is None:
            return sources.arrow_to_frame(self.arrow.select(wanted).slice(0, limit))
        table = self._content.table.select(wanted)
        return sources.arrow_to_frame((table if limit is None else table.limit(limit)).to_pyarrow())

    def sample(self, rows: int, *, together: bool = False) -> Dataset:
        """Return a copy in memory of at most ``rows`` rows, always the same ones, in their order.

        Rows are chosen by a hash of the key columns where a key is declared, so that two datasets with the same keys
        keep matching rows, whatever dtype the keys have; else by a hash of the row's position. A sample of a sample is
        one of the whole, and the same object each time, so that what is known of it need not be found out again.
        ``together`` keeps the rows of a cluster together: part of a query's rows is another, easier query.
        """
        rows = min(rows, self.rows)
        if self._sampled_from is not None:
            return self if rows == self.rows else self._sampled_from.sample(rows, together=together)
        (sample,) = self.recall("sample", [(rows, together)], lambda _: [self._sample(rows, together)])
        sample._sampled_from = self
        return sample

    def _sample(self, rows: int, together: bool) -> Dataset:
        if self.rows <= rows:
            return self.replace(self.frame())
        key, frame = self.roles.key, self._content.frame
        if together and self.roles.cluster:
            key = (self.roles.cluster,)
        if frame is not None:
            narrow = self.table.select(*(key or self.columns[:1]))
            part = frame.iloc[sampling.chosen(narrow, key, rows, self.rows)[sampling.PLACE].to_pylist()]
            part = part.reset_index(drop=True)
        else:
            part = sources.arrow_to_frame(
                sampling.chosen(self.table, key, rows, self.rows).drop_columns(sampling.PLACE)
            )
        return Dataset(self.name, Content(self.source, frame=part), self.roles, whole=False)

    def excerpt(self, rows: int) -> Dataset:
        """Return at most ``rows`` rows for what counts none of them: of large Parquet files out of a few row groups."""
        (found,) = self.recall("excerpt", [min(rows, self.rows)], lambda keys: [self._excerpt(keys[0])])
        return found

    def _excerpt(self, rows: int) -> Dataset:
        part = sampling.excerpt(self.files, self.columns, rows) if rows < self.rows else None
        if part is None:
            return self.sample(rows)
        return Dataset(self.name, Content(self.source, arrow=sources.tidy(part)), self.roles, whole=False)

    def recall(
        self, subject: Hashable, keys: Iterable[Key], ask: Callable[[list[Key]], Sequence[Answer]]
    ) -> list[Answer]:
        """Return the answer to each key; ``ask`` is called once, with the keys that are new, or not at all.

        A check, its control and the next check put the same questions to the same rows. An answer may depend on
        nothing but the content, the key and the ``subject``, which tells the keys of one caller from another's.
        """
        known, wanted = self._answers.setdefault(subject, {}), list(keys)
        new = [key for key in dict.fromkeys(wanted) if key not in known]
        if new:
            known.update(zip(new, ask(new), strict=True))
        return [known[key] for key in wanted]

    def replace(self, frame: pd.DataFrame) -> Dataset:
        """Return a dataset of the same name, source and roles with other content, for planted faults."""
        return Dataset(self.name, Content(self.source, frame=frame), self.roles, whole=self.whole)


def open_dataset(name: str, source: object, roles: Roles | None = None, *, base: Path = Path()) -> Dataset:
    """Open data by whatever the team has it as.

    Args:
        name: how checks and messages call it, for example ``"training"``.
        source: a path, glob or list of paths (Parquet, CSV, JSON lines; relative to ``base``), a pandas or polars
            frame, an Arrow or Ibis table, a function without arguments that returns any of these, or
            ``"module:function"``, imported with ``base`` on the import path.
        roles: what the columns mean.
        base: the folder that paths and modules are relative to.

    Raises :class:`InputError` for a missing, empty or unreadable file, no rows, a role that names no column, and a
    function that fails or returns something else; :class:`NotOffered` for no rows of what comes in batches, one of
    which may be empty.
    """
    content = sources.open_source(name, source, base)
    if content.frame is not None:
        content = replace(content, frame=_plain_frame(name, content.frame))
    dataset = Dataset(name, content, roles or Roles())
    _check_roles(dataset)
    if not dataset.rows:
        columns = ", ".join(dataset.columns[:20])
        if name in BATCHES:
            raise NotOffered(name, f"{dataset.source} has no rows, but columns ({columns}); offer a batch with rows")
        raise InputError(f"{name} ({dataset.source}) has no rows; its columns are {columns}. Offer one with rows.")
    return dataset


def _plain_frame(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with unique text as column names and its named index levels as columns."""
    named = any(level is not None for level in frame.index.names)
    plain = frame.reset_index(drop=not named)
    labels = ["_".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in plain.columns]
    plain.columns = storable(labels)
    twice = sorted({str(label) for label in plain.columns[plain.columns.str.casefold().duplicated()]})
    if twice:
        more = f"the frame has more than one column named {', '.join(map(repr, twice))}"
        raise InputError(f"{name}: {more}, or only upper and lower case differ; rename them")
    return plain


def _check_roles(dataset: Dataset) -> None:
    for role in ("label", "score", "key", "time", "cluster", "features", "ignore", "feature_times"):
        named: Any = getattr(dataset.roles, role)
        if role == "feature_times":
            named = tuple(column for pair in named for column in pair)
        for column in (named,) if isinstance(named, str) else named:
            if column and column not in dataset.columns:
                hint = near(column, dataset.columns)
                raise InputError(
                    f"{dataset.name} ({dataset.source}): the role {role!r} names the column {column!r}, "
                    f"which is not there.{hint}"
                )
