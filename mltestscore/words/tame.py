"""Strings of the system under test, made harmless for a reader: visible where they hide, cut where they are endless.

Escaping is each format's own affair and comes after this. Here go the tricks that survive escaping: control
characters, text that runs backwards, accents piled up over the line above, and strings as long as a book.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from mltestscore.scorecard import Scorecard

LONGEST = 600
LONGEST_NAME = 120
LONGEST_BODY = 4_100
"""Where a string is cut, in characters: prose, names, and bodies of texts, which keep what a check may yield."""

PILED_ACCENTS = 2
"""Combining marks kept on one letter: Vietnamese needs two."""

_BODIES = {"body", "traceback"}
_NAMES = {
    "name",
    "where",
    "system",
    "title",
    "id",
    "item",
    "by",
    "owner",
    "digest",
    "version",
    "branch",
    "unit",
    "method",
}
_KEPT = "\n\t"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def tame(scorecard: Scorecard, longest: int = LONGEST) -> Scorecard:
    """Return the scorecard with every string made visible and cut, prose at ``longest``; numbers and literals stay."""
    return Scorecard.model_validate(_walk(scorecard.model_dump(mode="python"), "", longest))


def visible(text: str, longest: int = LONGEST) -> str:
    """Return text without characters that act instead of showing, and of bounded length.

    >>> visible("a\\0b\\u202egpj.exe")
    'a␀b⟨U+202E⟩gpj.exe'
    >>> visible("x" * 1000, 4)
    'xxxx… (996 more characters)'
    """
    rest = len(text) - longest
    text = text[:longest]
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, _unpiled(text)))
    return f"{text}… ({rest:,} more characters)" if rest > 0 else text


def one_line(text: str) -> str:
    """Return text with every run of white space, line breaks too, as one space."""
    return " ".join(text.split())


def _walk(value: Any, key: str, longest: int) -> Any:
    if isinstance(value, str):
        return visible(
            value, LONGEST_BODY if key in _BODIES else min(longest, LONGEST_NAME) if key in _NAMES else longest
        )
    if isinstance(value, dict):
        return {_walk(name, "name", longest): _walk(part, str(name), longest) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(part, key, longest) for part in value]
    return value


def _visible(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the block "Control Pictures"
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def _unpiled(text: str) -> str:
    kept, piled = [], 0
    for character in text:
        piled = piled + 1 if unicodedata.combining(character) else 0
        if piled <= PILED_ACCENTS:
            kept.append(character)
    return "".join(kept)
