"""Slices that a team declares: a column, a pair of columns, or one value; small ones of a column judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import ConfigError, near
from mltestscore.slices.values import is_scale, labels_of
from mltestscore.unstructured import as_texts

Mask = npt.NDArray[np.bool_]
Wanted = str | Sequence[str] | Mapping[str, object]

MOST_SLICES = 50  # of one slicing that are judged alone, the most common ones
MOST_COLUMNS = 5  # that are sliced by where nobody declares any
MOST_CATEGORIES = 20
EXAMPLE = 'a column "country", a pair ["country", "device"] or one slice {country = "NZ"}'


@dataclass(frozen=True)
class Slice:
    """Rows that are judged together.

    Attributes:
        name: in the reader's words.
        slicing: the declaration that it belongs to.
        rows: shape (n,), which rows they are.
        note: what else there is to say, such as the values that share this slice.
    """

    name: str
    slicing: str
    rows: Mask
    note: str = ""


@dataclass(frozen=True)
class Slicing:
    """One declaration, applied.

    Attributes:
        name: its columns.
        slices: those with enough rows, and a named one whatever it has.
        left: the slice of the rows that are too few even together; ``None`` where every row is in a slice.
        small: names and rows of values that are too few to be judged alone.
    """

    name: str
    slices: tuple[Slice, ...]
    left: Slice | None = None
    small: tuple[tuple[str, int], ...] = ()


def columns_of(wanted: Sequence[Wanted]) -> list[str]:
    """Return the columns that the declarations name, each once.

    Raises :class:`ConfigError` for a declaration of another form.
    """
    columns: dict[str, None] = {}
    for one in wanted:
        names = [one] if isinstance(one, str) else list(one)
        if not 1 <= len(names) <= 2 or not all(isinstance(name, str) and name for name in names):
            raise ConfigError(f"slices holds {one!r:.80}; expected {EXAMPLE}.")
        columns |= dict.fromkeys(names)
    return list(columns)


def by_default(frame: pd.DataFrame, features: Sequence[str]) -> list[Wanted]:
    """Return the first five model inputs with 2 to 20 categories: what is sliced by where nobody says otherwise."""
    some = (name for name in features if not is_scale(frame[name]) and 2 <= frame[name].nunique() <= MOST_CATEGORIES)
    return [name for name, _ in zip(some, range(MOST_COLUMNS), strict=False)]


def slicings(frame: pd.DataFrame, wanted: Sequence[Wanted], least: int) -> Iterator[Slicing]:
    """Apply the declarations to rows; ``least`` is the fewest rows that are judged alone."""
    for one in wanted:
        yield _named(frame, one) if isinstance(one, Mapping) else _by_value(frame, one, least)


def _by_value(frame: pd.DataFrame, one: str | Sequence[str], least: int) -> Slicing:
    columns = [one] if isinstance(one, str) else list(one)
    name = " × ".join(columns)
    texts = pd.Series(labels_of(frame[columns[0]]))
    for column in columns[1:]:
        texts = texts + " × " + labels_of(frame[column])
    counts = texts.value_counts()
    alone = [text for text in counts.index[:MOST_SLICES] if counts[text] >= least]
    slices = [Slice(f"{name} = {text}", name, (texts == text).to_numpy(bool)) for text in alone]
    rest = ~texts.isin(alone).to_numpy(bool)
    if not rest.any():
        return Slicing(name, tuple(slices))
    others = list(counts.index.difference(alone, sort=False))
    listed = ", ".join(map(str, others[:5])) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    pooled = Slice(f"{name} = any other", name, rest, f"together: {listed}")
    small = tuple((f"{name} = {text}", int(counts[text])) for text in others)
    if rest.sum() < least:
        return Slicing(name, tuple(slices), pooled, small)
    return Slicing(name, (*slices, pooled), None, small)


def _named(frame: pd.DataFrame, one: Mapping[str, object]) -> Slicing:
    rows, note = np.ones(len(frame), dtype=bool), ""
    for column, value in one.items():
        texts = as_texts(frame[column])
        hit = ((frame[column] == value) | (texts == str(value))).to_numpy(bool, na_value=False)
        if not hit.any():
            note = f"no row has {column} = {value!r:.80}.{near(str(value), texts.unique()[:1000])}"
        rows &= hit
    name = " × ".join(f"{column} = {value!s:.80}" for column, value in one.items())
    return Slicing(name, (Slice(name, name, rows, note),))
