"""Content digests: the same content gives the same digest, whatever library, dtype or file time it came with.

Data are digested by XXH3 with 64 bits, at a tenth of what SHA-256 costs: nobody forges a table to be taken for another
one of theirs, and that two differing tables agree by chance is as likely as 2⁻⁶⁴. What is compared with a digest from
elsewhere (:func:`sha256_of`), and what is small, has SHA-256.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

LENGTH = 16
HALF = 1 << 31
EXACT_IN_DOUBLE = 2**53

_of_file: dict[tuple[str, int, int], str] = {}


def of_files(paths: Sequence[Path]) -> str:
    """Return the digest of the bytes of all files, in name order; a file that did not change is read once a process."""
    digest = xxhash.xxh3_64()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(_of_bytes(path).encode())
    return digest.hexdigest()


def _of_bytes(path: Path) -> str:
    status = path.stat()
    key = (str(path.resolve()), status.st_mtime_ns, status.st_size)
    if key not in _of_file:
        with path.open("rb") as stream:
            _of_file[key] = hashlib.file_digest(stream, xxhash.xxh3_64).hexdigest()
    return _of_file[key]


def of_settings(settings: object, files: Iterable[Path] = (), folder: Path = Path()) -> str:
    """Return the digest of settings, by their ``repr``, and of the bytes of files, by their path below ``folder``."""
    digest = hashlib.sha256(repr(settings).encode("utf-8", "backslashreplace"))
    for file in files:
        name = file.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        digest.update(name + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:LENGTH]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_arrow(table: pa.Table) -> str:
    """Return the digest of the values of a tidy Arrow table (:func:`mltestscore.inputs.sources.tidy`).

    Numbers count by value, so that ``int64``, ``float64`` and nullable columns of the same numbers agree; every
    missing value is the same missing value. Column order and row order count.
    """
    digest = xxhash.xxh3_64()
    for name in table.column_names:
        tag, missing, values = _canonical(table[name].combine_chunks())
        digest.update(f"{name}\0{tag}\0{len(missing)}\0".encode())
        digest.update(missing)
        digest.update(values)
    return digest.hexdigest()


def _canonical(column: Any) -> tuple[str, bytes, bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    missing = pc.is_null(column, nan_is_null=True).to_numpy(zero_copy_only=False).tobytes()
    kind = column.type
    if (kinds.is_integer(kind) and _exact_in_double(column)) or kinds.is_decimal(kind) or kinds.is_floating(kind):
        column = column.cast(pa.float64(), safe=False)
    if kinds.is_floating(column.type):
        filled = pc.if_else(pc.is_null(column, nan_is_null=True), 0.0, column)
        # adding zero turns -0.0 into 0.0
        return "number", missing, (filled.to_numpy(zero_copy_only=False) + 0.0).tobytes()
    if kinds.is_boolean(kind):
        return "boolean", missing, column.fill_null(False).to_numpy(zero_copy_only=False).tobytes()
    if kinds.is_timestamp(kind) or kinds.is_date(kind):
        instants = column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        zoned = "instant" if getattr(kind, "tz", None) else "time"
        return zoned, missing, instants.fill_null(0).to_numpy(zero_copy_only=False).tobytes()
    return "text", missing, _text_bytes(column)


def _exact_in_double(column: Any) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return ends["min"] is None or (ends["min"] >= -EXACT_IN_DOUBLE and ends["max"] <= EXACT_IN_DOUBLE)


def _text_bytes(column: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_string(column.type) or kinds.is_large_string(column.type) or kinds.is_integer(column.type):
        text = column.cast(pa.large_string())
    else:
        text = pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.large_string())
    parts = text.fill_null("").to_pylist()
    return "\0".join(parts).encode("utf-8", "surrogatepass")


def of_table(table: ibis.Table) -> str:
    """Return the digest of a database table, where rows have no order: columns, row count, sum of the rows' hashes.

    It is made where the data is; only from a database that cannot hash are the rows fetched.
    """
    import ibis
    from ibis.common.exceptions import OperationNotDefinedError, UnsupportedOperationError

    # Separators that no PostgreSQL text refuses, as it does NUL.
    texts = [table[name].cast("string").fill_null("\x1e") for name in table.columns]
    marks = ibis.literal("\x1f").join(texts).hash()
    # Two halves, so that sums over billions of rows stay within 64 bits.
    low, high = (marks % HALF).sum().cast("string"), ((marks // HALF) % HALF).sum().cast("string")
    sums = table.aggregate(rows=table.count(), low=low, high=high)
    try:
        row = sums.to_pyarrow().to_pylist()[0]
    except (OperationNotDefinedError, UnsupportedOperationError):
        from mltestscore.inputs.sources import tidy

        return of_arrow(tidy(table.to_pyarrow()))
    described = f"{tuple(table.columns)}|{row['rows']}|{row['low']}|{row['high']}"
    return hashlib.sha256(described.encode()).hexdigest()[:LENGTH]


def of_pickle(thing: object) -> str:
    """Return sixteen hex digits of a sha256 over an object's pickled bytes; empty where it does not pickle."""
    try:
        return hashlib.sha256(pickle.dumps(thing, protocol=5)).hexdigest()[:16]
    except Exception:  # locks, lambdas, open files: then there is no digest, and nothing depends on one
        return ""
