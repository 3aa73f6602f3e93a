"""Opening what a team offers as data: files, frames, tables, functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.errors import InputError, near
from mltestscore.inputs import database, warehouse
from mltestscore.inputs.functions import import_function

if TYPE_CHECKING:
    import ibis
    import pandas as pd
    import pyarrow as pa

ACCEPTED = (
    "a path, glob or list of paths (Parquet, CSV, JSON lines), a database's table by URL "
    "(postgresql://user@host/database#table), a pandas or polars frame, an Arrow or Ibis table, "
    'a function that returns one of these, or "module:function"'
)
FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
READERS = {
    ".parquet": "read_parquet({paths}, union_by_name=true)",
    ".csv": "read_csv({paths}, union_by_name=true, sample_size=-1, nullstr={nulls})",
    ".tsv": "read_csv({paths}, union_by_name=true, sample_size=-1, nullstr={nulls}, delim='\t')",
    ".jsonl": "read_json({paths}, union_by_name=true, sample_size=-1, format='newline_delimited')",
}
SAME_FORMAT = {".pq": ".parquet", ".ndjson": ".jsonl"}
MISSING_IN_CSV = ["", "NA", "N/A", "NaN", "nan", "NULL", "null"]
MAX_MESSAGE = 300


@dataclass(frozen=True)
class Content:
    """What a source held: a pandas frame, or an Arrow table, or a database table (read from ``files``, if any).

    ``part`` makes a table of some of its columns, where files are read in place: a narrow one costs each query less.
    """

    source: str
    frame: pd.DataFrame | None = None
    arrow: pa.Table | None = None
    table: ibis.Table | None = None
    files: tuple[Path, ...] = ()
    part: Callable[[Sequence[str]], ibis.Table] | None = None


def open_source(name: str, source: object, base: Path) -> Content:
    """Return what ``source`` holds; see :func:`mltestscore.inputs.dataset.open_dataset` for what is accepted.

    Raises :class:`InputError` that says what was looked for, where, what was found and what is accepted.
    """
    if isinstance(source, str) and FUNCTION.fullmatch(source):
        return _call(name, source, import_function(source, base=base, setting=name), base)
    if warehouse.is_address(source):
        table = warehouse.table_at(name, str(source))
        return Content(warehouse.title(str(source)), table=missing_as_null(table))
    content = _held(source) or _files(name, source, base)
    if content is not None:
        return content
    if callable(source):
        return _call(name, _title(source), source, base)
    raise InputError(f"{name}: {_article(source)} is not data; expected {ACCEPTED}")


def _call(name: str, title: str, function: Callable[..., Any], base: Path) -> Content:
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise InputError(f"{name}: {title} raised {_one_line(error)}") from error
    content = _held(returned) or _files(name, returned, base)
    if content is None:
        raise InputError(f"{name}: {title} returned {_article(returned)}; expected data: {ACCEPTED}")
    return replace(content, source=title)


def _held(thing: object) -> Content | None:
    """Recognise a frame or table by its library's name, so that no library is imported to ask."""
    kind = type(thing)
    library = kind.__module__.partition(".")[0]
    if library == "pandas" and kind.__name__ == "DataFrame":
        return Content("pandas frame", frame=thing)  # type: ignore[arg-type]
    if library == "polars" and kind.__name__ in ("DataFrame", "LazyFrame"):
        eager: Any = thing.collect() if kind.__name__ == "LazyFrame" else thing  # type: ignore[attr-defined]
        return Content("polars frame", arrow=tidy(eager.to_arrow()))
    if library == "pyarrow" and kind.__name__ == "Table":
        return Content("Arrow table", arrow=tidy(thing))
    if library == "ibis" and hasattr(thing, "schema") and hasattr(thing, "to_pyarrow"):
        return Content("Ibis table", table=missing_as_null(thing))
    return None


def _files(name: str, source: object, base: Path) -> Content | None:
    named = [source] if isinstance(source, (str, Path)) else source
    if not isinstance(named, (list, tuple)) or not all(isinstance(one, (str, Path)) for one in named):
        return None
    if not named:
        raise InputError(f"{name}: the list of paths is empty; expected {ACCEPTED}")
    try:
        paths = tuple(path for one in named for path in _find(name, str(one), base))
    except OSError as error:
        shown = str(named[0])[:200]
        raise InputError(f"{name}: {shown!r} cannot be looked up: {error.strerror}. Name a file.") from None
    title = str(named[0]) if len(named) == 1 else f"{named[0]} and {len(named) - 1} more"
    table, part = _read(name, paths)
    return Content(title, table=table, files=paths, part=part)


def _find(name: str, pattern: str, base: Path) -> list[Path]:
    path = base / pattern
    if path.is_file():
        return [path]
    if path.is_dir():
        raise InputError(f"{name}: {path.resolve()} is a folder; give a glob such as '{pattern.rstrip('/')}/*.parquet'")
    found = sorted(glob(str(path), recursive=True))  # noqa: PTH207 - a pattern may be absolute
    if any(sign in pattern for sign in "*?["):
        files = [Path(one) for one in found if Path(one).is_file()]
        if files:
            return files
        raise InputError(f"{name}: no file matches {pattern!r} in {base.resolve()}; correct source, or make the files")
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = near(path.name, beside) if beside else f" The folder {path.parent.resolve()} does not exist either."
    raise InputError(f"{name}: there is no file {pattern!r} in {base.resolve()}.{hint}")


def _format(name: str, path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst")]
    suffix = SAME_FORMAT.get(suffixes[-1], suffixes[-1]) if suffixes else ""
    if suffix not in READERS:
        known = ", ".join(sorted({*READERS, *SAME_FORMAT}))
        raise InputError(f"{name}: cannot tell the format of {path.name!r} from its ending; known: {known}")
    return suffix


def _read(name: str, paths: Sequence[Path]) -> tuple[ibis.Table, Callable[[Sequence[str]], ibis.Table] | None]:
    formats = {_format(name, path) for path in paths}
    if len(formats) > 1:
        raise InputError(f"{name}: the files are of several formats ({', '.join(sorted(formats))}); give one")
    for path in paths:
        if path.stat().st_size == 0:
            raise InputError(f"{name}: the file {path.resolve()} is empty (0 bytes); write it again")
    (suffix,) = formats
    reader = READERS[suffix].format(paths=_sql([str(path.resolve()) for path in paths]), nulls=_sql(MISSING_IN_CSV))
    try:
        # Parquet is read where it lies; text is parsed once instead of at every query.
        table = database.relation("VIEW" if suffix == ".parquet" else "TABLE", f"SELECT * FROM {reader}")
        plain = {column: f"nullif({_name(column)}, 'nan') AS {_name(column)}" for column in _floating(table)}
        # Zoned nanoseconds, as pandas writes them, are a type of DuckDB 2 that neither Ibis nor its own casts know.
        zoned = [column for column, kind in table.schema().items() if "TIMESTAMPTZ_NS" in str(kind)]
        plain |= {column: f"CAST({_name(column)} AS TIMESTAMPTZ) AS {_name(column)}" for column in zoned}
        if suffix == ".parquet":
            # In the view and not around it: DuckDB would write out a table that a query names twice, all columns of it.
            whole = f"SELECT * REPLACE ({', '.join(plain.values())}) FROM {reader}"
            return database.relation("VIEW", whole) if plain else table, partial(_part, reader, plain)
    except Exception as error:
        files = str(paths[0].resolve()) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        said = _one_line(error).partition(" LINE 1:")[0]  # then follows our query, which is not the reader's
        raise InputError(
            f"{name}: cannot read {files} as {suffix[1:]}: {said}. Is it complete, of this format and readable?"
        ) from error
    return missing_as_null(table), None


def _part(reader: str, plain: Mapping[str, str], columns: Sequence[str]) -> ibis.Table:
    chosen = ", ".join(plain.get(column, _name(column)) for column in columns)
    return database.relation("VIEW", f"SELECT {chosen} FROM {reader}")


def missing_as_null(table: ibis.Table) -> ibis.Table:
    """Return the table with NaN as NULL in floating columns: one missing value, whatever wrote the file."""
    import ibis

    floating = _floating(table)
    nan = ibis.literal(float("nan"))
    return table.mutate(**{name: table[name].nullif(nan) for name in floating}) if floating else table


def _floating(table: ibis.Table) -> list[str]:
    return [name for name, kind in table.schema().items() if kind.is_floating()]


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _sql(texts: Sequence[str]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"


def frame_to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Return the tidy Arrow table of a pandas frame; a column that mixes types becomes text."""
    import pyarrow as pa

    return tidy(pa.table({str(name): _series_to_arrow(frame[name]) for name in frame.columns}))


def arrow_to_frame(table: pa.Table) -> pd.DataFrame:
    """Return the pandas frame of an Arrow table; decimals become floats, dates times."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.float64(), safe=False))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def _series_to_arrow(series: pd.Series[Any]) -> Any:
    import pandas as pd
    import pyarrow as pa

    if not isinstance(series.dtype, (pd.PeriodDtype, pd.IntervalDtype)) and series.dtype.kind != "c":
        try:
            column = pa.Array.from_pandas(series)
            return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            pass
    missing = series.isna()
    return pa.array([None if gone else str(value) for value, gone in zip(series, missing, strict=True)], pa.string())


def tidy(table: Any) -> pa.Table:
    """Return an Arrow table with plain types (no dictionaries, views, half floats, nanoseconds) and NaN as null.

    A duration becomes seconds.
    """
    import pyarrow as pa

    return pa.table({str(name): _tidy_column(table[name]) for name in table.column_names})


def _tidy_column(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if kinds.is_null(kind) or kind == pa.string_view():
        return column.cast(pa.string())
    if kind == pa.binary_view():
        return column.cast(pa.binary())
    if kinds.is_timestamp(kind) and kind.unit != "us":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    if kinds.is_duration(kind):
        return pc.divide(column.cast(pa.duration("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
    if kinds.is_floating(kind):
        wide = column.cast(pa.float32()) if kinds.is_float16(kind) else column
        return pc.if_else(pc.is_nan(wide), pa.scalar(None, wide.type), wide)
    return column


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:MAX_MESSAGE]}{'…' if len(text) > MAX_MESSAGE else ''}"


def _title(function: object) -> str:
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def _article(thing: object) -> str:
    kind = type(thing)
    named = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    return "None" if thing is None else f"{'an' if named[0] in 'aeiou' else 'a'} {named}"
