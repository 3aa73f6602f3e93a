"""Python regular expressions in the words of RE2, which DuckDB speaks."""

from __future__ import annotations

import re
import warnings

DIGIT, WORD = r"\p{Nd}", r"\p{L}\p{N}_"
# What RE2 has not, or means otherwise: look-around, references, word boundaries, verbose and locale flags, \u escapes.
UNTRANSLATABLE = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P=|[a-zA-Z-]*[xLau])|\\[1-9bBuUNsSxX]|[+*?}]\+|\|\||&&|--|~~")

# A bracket that comes first in a class stands for itself.
OPENING = re.compile(r"\[\^?\]?")


def to_re2(pattern: str) -> str | None:
    """Return an RE2 pattern that finds a match in the same texts, or ``None`` where it cannot be said with certainty.

    ``\\d`` and ``\\w`` mean Unicode in Python and ASCII in RE2; ``$`` also matches before a final line break.

    >>> to_re2(r"^\\d{4}$")
    '^\\\\p{Nd}{4}(?:\\\\n?\\\\z)'
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # its meaning is about to change
            re.compile(pattern)
    except (re.error, FutureWarning):
        return None
    if UNTRANSLATABLE.search(pattern):
        return None
    translated, in_class, place = [], False, 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            piece = _escape(pattern[place : place + 2], in_class)
            if piece is None:
                return None
            translated.append(piece)
            place += 2
            continue
        if sign == "[" and in_class:
            sign = r"\["
        elif sign == "[":
            in_class = True
            opening = OPENING.match(pattern, place)
            assert opening is not None  # it matches any "["
            sign = opening.group()
            place += len(sign) - 1
        elif sign == "]":
            in_class = False
        elif sign == "$" and not in_class:
            sign = r"(?:\n?\z)"
        translated.append(sign)
        place += 1
    return "".join(translated)


def like_to_regex(pattern: str, escape: str = "") -> str:
    """Return the regular expression that finds what a pattern of SQL's LIKE matches, upper and lower case apart.

    >>> like_to_regex("50!%_%", escape="!")
    '(?s)\\\\A50%..*\\\\Z'
    """
    parts, signs = [r"(?s)\A"], iter(pattern)
    for sign in signs:
        if escape and sign == escape:
            parts.append(re.escape(next(signs, escape)))
        else:
            parts.append({"%": ".*", "_": "."}.get(sign) or re.escape(sign))
    return "".join(parts) + r"\Z"


def _escape(pair: str, in_class: bool) -> str | None:
    if pair == r"\d":
        return DIGIT
    if pair == r"\D":
        return r"\P{Nd}"
    if pair == r"\w":
        return WORD if in_class else f"[{WORD}]"
    if pair == r"\W":
        return None if in_class else f"[^{WORD}]"
    if pair == r"\Z":
        return r"\z"
    return pair if not pair[1].isalnum() or pair[1] in "nrtfvA" else None
