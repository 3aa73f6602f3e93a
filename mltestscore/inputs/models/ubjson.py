"""Whether a file in UBJSON is whole: XGBoost does not ask before it reads, and ends the process where it is not."""

from __future__ import annotations

SIZES = {
    b"Z": 0,
    b"N": 0,
    b"T": 0,
    b"F": 0,
    b"i": 1,
    b"U": 1,
    b"C": 1,
    b"I": 2,
    b"l": 4,
    b"L": 8,
    b"d": 4,
    b"D": 8,
}
ENDS = {b"[": b"]", b"{": b"}"}
DEEPEST = 64


def is_whole(data: bytes) -> bool:
    """Tell whether ``data`` is one value of UBJSON (draft 12) from its first byte to its last."""
    try:
        return _after(data, 0, DEEPEST) == len(data)
    except (KeyError, ValueError):
        return False


def _after(data: bytes, place: int, depth: int, marker: bytes = b"") -> int:
    """Return the place behind the value at ``place``; of a typed container's value, the ``marker`` is known.

    Raises :class:`KeyError` or :class:`ValueError` where there is none.
    """
    if not marker:
        marker, place = data[place : place + 1], place + 1
    if marker in (b"S", b"H"):
        length, place = _count(data, place)
        return _within(data, place + length)
    if marker in ENDS:
        return _after_all(data, place, depth - 1, marker)
    return _within(data, place + SIZES[marker])


def _after_all(data: bytes, place: int, depth: int, opened: bytes) -> int:
    if not depth:
        raise ValueError("too deep")
    kind, left = b"", -1
    if data[place : place + 1] == b"$":
        kind, place = data[place + 1 : place + 2], place + 2
    if data[place : place + 1] == b"#":
        left, place = _count(data, place + 1)
        if opened == b"[" and kind in SIZES:
            return _within(data, place + left * SIZES[kind])
    while left:
        if left < 0 and data[place : place + 1] == ENDS[opened]:
            return place + 1
        if opened == b"{":
            length, place = _count(data, place)
            place = _within(data, place + length)
        place = _after(data, place, depth, kind)
        left -= 1
    return place


def _count(data: bytes, place: int) -> tuple[int, int]:
    size = SIZES[data[place : place + 1]]
    found = int.from_bytes(data[place + 1 : place + 1 + size], "big")
    return found, _within(data, place + 1 + size)


def _within(data: bytes, place: int) -> int:
    if place > len(data):
        raise ValueError("beyond the end")
    return place
