"""The texts that a model artefact holds: categories of encoders, an index of rows, forgotten comments.

Nothing of the artefact is executed: archives, JSON, NumPy arrays and the opcodes of a pickle are read, all else is
searched for printable runs in UTF-8, and in UTF-16 or UTF-32 as far as it is ASCII.
"""

from __future__ import annotations

import io
import json
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic
from types import FunctionType, ModuleType
from typing import Any

MAX_BYTES = 64 << 20  # of one artefact, unpacked: an archive bomb ends here
MAX_TEXTS = 500_000
MAX_LENGTH, OVERLAP = (
    4_000,
    200,
)  # characters; longer texts are cut into pieces that overlap
MAX_NODES = 200_000
SECONDS = 20.0
RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")
WIDE = re.compile(rb"(?:[\x20-\x7e]\0{3}){4,}|(?:[\x20-\x7e]\0){4,}")


@dataclass(frozen=True)
class Texts:
    """Distinct texts in order of their first occurrence; ``complete`` is false where a limit ended the reading."""

    texts: tuple[str, ...]
    complete: bool


class _Stopped(Exception):  # noqa: N818 - a limit was reached, nothing is wrong
    pass


class _Collector:
    """Collects texts up to the limits."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.left = MAX_BYTES
        self.until = monotonic() + SECONDS

    def add(self, text: str) -> None:
        for start in range(0, max(1, len(text)), MAX_LENGTH - OVERLAP):
            self.texts.setdefault(text[start : start + MAX_LENGTH])
            if len(self.texts) >= MAX_TEXTS or monotonic() > self.until:
                raise _Stopped
            if start + MAX_LENGTH >= len(text):
                break

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _Stopped


def texts_of_file(file: Path) -> Texts:
    """Return the texts in a file of any kind.

    Raises :class:`OSError` when it cannot be read.
    """
    found = _Collector()
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        found.spend(len(content))
        _content(content, found)
    except _Stopped:
        return Texts(tuple(found.texts), complete=False)
    return Texts(tuple(found.texts), complete=True)


def _content(content: bytes, found: _Collector, depth: int = 0) -> None:
    if content[:4] == b"PK\x03\x04" and depth < 3:
        with suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
            return _members(content, found, depth)
    if content[:6] == b"\x93NUMPY" and _array(content, found):
        return None
    if content[:6] == b"ARROW1" and _ipc(content, found):
        return None
    if content[:2] == b"\x1f\x8b" or (content[:1] == b"\x78" and content[1:2] in b"\x01\x5e\x9c\xda"):
        unpacked = _inflated(content, found.left + 1)
        if unpacked and depth < 3:
            found.spend(len(unpacked))
            return _content(unpacked, found, depth + 1)
    if content[:1] == b"\x80" or (content[:1] in (b"(", b"c") and content[-1:] == b"."):
        _opcodes(content, found)
    if content.lstrip()[:1] in (b"{", b"[") and _json(content, found):
        return None
    for match in RUN.finditer(content):
        found.add(match.group().decode("utf-8", errors="replace"))
    for match in WIDE.finditer(content):
        found.add(match.group().replace(b"\0", b"").decode("ascii"))
    return None


def _members(content: bytes, found: _Collector, depth: int) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            found.add(member.filename)
            with archive.open(member) as stream:
                part = stream.read(found.left + 1)
            found.spend(len(part))
            _content(part, found, depth + 1)


def _array(content: bytes, found: _Collector) -> bool:
    import numpy

    try:
        array = numpy.load(io.BytesIO(content), allow_pickle=False)
    except Exception:  # an array of objects, or a broken one: searched as bytes
        return False
    if array.dtype.kind not in "US":
        return array.dtype.kind in "biufcmM"  # numbers hold no texts
    for text in array.ravel().tolist():
        found.add(text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text)
    return True


def _inflated(content: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(content, most)
    except zlib.error:
        return b""


def _opcodes(content: bytes, found: _Collector) -> None:
    """Read the texts of a pickle without running it; a joblib file breaks off at its first raw array.

    A column of texts that Arrow holds is pickled as offsets and one long run of signs, which only they divide.
    """
    before = b""
    with suppress(Exception):
        for _, argument, _ in pickletools.genops(content):
            if isinstance(argument, str):
                _heard(argument, found)
            elif isinstance(argument, bytes | bytearray) and len(argument) >= 4:
                for text in _divided(bytes(argument), before) or [bytes(argument)]:
                    _heard(text.decode("utf-8", errors="replace"), found)
                before = bytes(argument)


def _divided(data: bytes, offsets: bytes) -> list[bytes]:
    """Return the parts of ``data`` if ``offsets`` are Arrow's for it, in 32 or 64 bits; else nothing."""
    import numpy

    for width in (4, 8):
        if len(offsets) < 2 * width or len(offsets) % width:
            continue
        places = numpy.frombuffer(offsets, dtype=f"<i{width}")
        last = int(places.argmax())  # buffers are padded with zeros
        places = places[: last + 1]
        if places[0] == 0 and 0 < places[-1] <= len(data) and (numpy.diff(places) >= 0).all():
            return [data[start:end] for start, end in pairwise(places.tolist())]
    return []


def _ipc(content: bytes, found: _Collector) -> bool:
    """Read the columns of texts of an Arrow file (Feather)."""
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError):
        return False
    found.spend(table.nbytes)
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_nested(kind):
            for text in _leaves(column.to_pylist()):
                found.add(text)
    return True


def _heard(text: str, found: _Collector) -> None:
    with suppress(_Stopped):  # the search for runs that follows reaches the same limit, and says so
        found.add(text)


def _json(content: bytes, found: _Collector) -> bool:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return False
    for text in _leaves(tree):
        found.add(text)
    return True


def texts_of_object(thing: object) -> Texts:
    """Return the texts among the attributes of a fitted estimator and of what it is made of."""
    found = _Collector()
    try:
        for text in _leaves(thing):
            found.add(text)
    except _Stopped:
        return Texts(tuple(found.texts), complete=False)
    return Texts(tuple(found.texts), complete=True)


def _leaves(root: object) -> Iterator[str]:
    """Walk containers, arrays and attributes; each object once, and never more than ``MAX_NODES`` of them."""
    waiting, visited = [root], 0
    seen: dict[int, object] = {id(root): root}  # held, so that no identity is given away a second time
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, str):
            yield thing
            continue
        visited += 1
        if visited > MAX_NODES:
            raise _Stopped
        for part in _parts(thing):
            if isinstance(part, str):
                yield part
            elif not isinstance(part, int | float | complex | None) and id(part) not in seen:
                seen[id(part)] = part
                waiting.append(part)


def _parts(thing: Any) -> Iterator[Any]:
    kind = type(thing)
    if isinstance(thing, bytes):
        yield thing[:MAX_LENGTH].decode("utf-8", errors="replace")
    elif isinstance(thing, Mapping):
        yield from thing.keys()
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif kind.__module__.startswith("numpy") and hasattr(thing, "dtype"):
        if thing.dtype.kind in "OUS" and thing.ndim:
            yield from thing.ravel().tolist()
    elif kind.__module__.startswith("pandas") and hasattr(thing, "to_numpy"):
        yield from (thing.to_numpy(), getattr(thing, "index", None), getattr(thing, "columns", None))
    elif not isinstance(thing, type | ModuleType | FunctionType) and hasattr(thing, "__dict__"):
        yield from list(vars(thing).values())
