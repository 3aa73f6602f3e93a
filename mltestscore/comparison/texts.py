"""How served texts derive from the recomputed ones: case, blanks, Unicode form, a lost encoding, a prefix."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy

from mltestscore.comparison.cause import Candidate

MAX_SHOWN = 30
CODE_PAGES = ("latin-1", "cp1252")


def twin(text: str) -> str:
    """Return the form in which texts that differ by case, blanks, Unicode form, accents or encoding are the same.

    >>> twin("  SÃ£o  Paulo ") == twin("sao paulo") == twin("São Paulo")
    True
    """
    plain = unicodedata.normalize("NFKD", repaired(text))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(kept.casefold().split())


def repaired(text: str) -> str:
    """Return text whose UTF-8 bytes were read as Latin-1 (mojibake) as it was meant; other text as it is."""
    for page in CODE_PAGES:
        try:
            return text.encode(page).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return text


FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("blanks: the same text without surrounding or repeated blanks", lambda text: " ".join(text.split())),
    ("case: the same text in other case", str.casefold),
    ("Unicode form: the same text in another normal form", lambda text: unicodedata.normalize("NFKC", text)),
    ("encoding: UTF-8 read as Latin-1 (mojibake)", repaired),
    ("text form: the same text but for case, blanks, accents or encoding", twin),
)


def difference(left: str, right: str) -> str:
    """Return what turns one text into the other, as a cause; empty where the texts are not twins.

    >>> difference("aa", "AA")
    'case: the same text in other case'
    """
    for name, form in FORMS:
        if form(left) == form(right):
            return name
    return ""


def candidates(served: Sequence[str], computed: Sequence[str], rate: float) -> Iterator[Candidate]:
    """Yield what explains the pairs of differing texts; ``rate`` is the share of all joined rows that differ."""
    pairs = list(zip(served, computed, strict=True))
    for name, form in FORMS:
        yield name, numpy.array([form(a) == form(b) for a, b in pairs], dtype=bool)
    value, count = Counter(served).most_common(1)[0]
    if count >= 3 and (len(set(computed)) > 1 or rate < 0.5):
        yield f"default-filled: {value[:MAX_SHOWN]!r} served", numpy.array([a == value for a in served], dtype=bool)
    yield "cut short in serving", numpy.array([b.startswith(a) for a, b in pairs], dtype=bool)
    yield "cut short in the training path", numpy.array([a.startswith(b) for a, b in pairs], dtype=bool)
    yield "a prefix is added or lost", numpy.array([a.endswith(b) or b.endswith(a) for a, b in pairs], dtype=bool)
    yield from _recoded(pairs, rate)


def _recoded(pairs: Sequence[tuple[str, str]], rate: float) -> Iterator[Candidate]:
    """Each computed value always has the same other served value: an encoding, not an accident."""
    usual = {b: Counter(a for a, other in pairs if other == b).most_common(1)[0][0] for b in {b for _, b in pairs}}
    one_to_one = len(set(usual.values())) == len(usual)
    if one_to_one and 2 <= len(usual) <= min(50, len(pairs) / 3) and rate > 0.9:
        first = min(usual)
        example = f"{usual[first][:MAX_SHOWN]!r} for {first[:MAX_SHOWN]!r}"
        mask = numpy.array([usual[b] == a for a, b in pairs], dtype=bool)
        yield f"recoded: another name for each value, such as {example}", mask
