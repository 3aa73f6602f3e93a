"""The rows that a model is stepped on and asked about: a handful to learn by heart, a batch, what the schema allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.schema import Schema
from mltestscore.numerics.probe_rows import DRAWN, OBSERVED, probe_rows
from mltestscore.specification.memorised import is_number, is_single
from mltestscore.stats.seeds import generator
from mltestscore.unstructured import as_texts

MOST_SEEN = 20_000  # rows among which a handful with different labels is looked for
CANDIDATES = 8  # so many rows are looked at for one of a handful
MOST_DRAWN = 64
NOT_ASKED = "which no rule forbids"  # edges that nobody drew: monitor.5 looks at what a model makes of them


@dataclass(frozen=True)
class Rows:
    """What is handed to the processes.

    Attributes:
        features: the names of the inputs.
        label: the name of the label, or empty.
        batch: rows as they come, inputs and label.
        handfuls: for each start a few rows whose labels differ, and two of them; none where no labels differ.
        legal: rows that the schema allows, inputs and label; empty where they cannot be drawn.
        origins: where each of these comes from.
    """

    features: tuple[str, ...]
    label: str
    batch: pd.DataFrame
    handfuls: tuple[tuple[pd.DataFrame, pd.DataFrame], ...]
    legal: pd.DataFrame
    origins: tuple[str, ...]


def rows_for(
    training: Dataset, schema: Schema | None, *, rows: int, handful: int, starts: int, digest: str = ""
) -> Rows:
    """Draw the rows; the same for the same schema and sample of the training data.

    Raises :class:`InputError` where training holds no row.
    """
    label, features = training.roles.label, training.features
    training = training.sample(MOST_SEEN)  # so that a bounded copy gives the same rows
    seen = training.frame([*features, *filter(None, [label])])
    seen = (seen[seen[label].notna()] if label else seen).reset_index(drop=True)
    if seen.empty:
        raise InputError(f"{training.name} ({training.source}) has no row with a label; a model cannot step on that.")
    rng = generator("specification", training.digest, digest)
    batch = seen.iloc[np.sort(rng.permutation(len(seen))[:rows])].reset_index(drop=True)
    handfuls = [_handful(seen, features, label, handful, rng) for _ in range(starts)]
    legal, origins = _legal(training, schema, features, label, batch, rng)
    found = tuple(one for one in handfuls if one is not None)
    return Rows(features, label, batch, found if len(found) == starts else (), legal, origins)


def _handful(
    seen: pd.DataFrame, features: Sequence[str], label: str, size: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return ``size`` rows with labels from all over their range or from every class, and two that are far apart.

    Rows of which the inputs are the same are no two rows: nobody can tell them apart.
    """
    drawn = seen.iloc[rng.permutation(len(seen))]
    if not label:
        chosen = _distinct(drawn.head(CANDIDATES * size), features).head(size)
        return (chosen, _apart(chosen, chosen, features)) if len(chosen) > 1 else None
    if not is_single(drawn[label]) or drawn[label].nunique() < 2:
        return None
    if is_number(drawn[label]) and drawn[label].nunique() > size:
        ranked = _distinct(drawn.head(CANDIDATES * size), features).sort_values(label, kind="stable")
        chosen = ranked.iloc[np.unique(np.linspace(0, len(ranked) - 1, size).round().astype(int))]
        third = max(1, len(chosen) // 3)
        low, high = chosen.iloc[:third], chosen.iloc[-third:]
        return (chosen, _apart(low, high, features)) if low[label].max() < high[label].min() else None
    turn = drawn.groupby(label, observed=True).cumcount()  # the first of every class, then the second …
    ordered = drawn.iloc[np.argsort(turn.to_numpy(), kind="stable")]
    chosen = _distinct(ordered.head(CANDIDATES * size), features).head(size)
    first = chosen[label] == chosen[label].iloc[0]
    return (chosen, _apart(chosen[first], chosen[~first], features)) if not first.all() else None


def _distinct(frame: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    return frame[~frame[list(features)].apply(as_texts).duplicated()]


def _apart(some: pd.DataFrame, others: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Return one row of each frame, such that the inputs of the two differ most, by rank or at all."""
    every = pd.concat([some, others])
    distance = np.zeros((len(some), len(others)))
    for name in features:
        column = every[name]
        codes = column.rank(pct=True) if is_number(column) else pd.Series(pd.factorize(as_texts(column))[0])
        left, right = np.split(codes.fillna(-1).to_numpy(dtype=np.float64), [len(some)])
        apart = np.abs(left[:, None] - right[None, :])
        distance += apart if is_number(column) else apart > 0
    one, other = map(int, np.unravel_index(int(distance.argmax()), distance.shape))
    return pd.concat([some.iloc[one : one + 1], others.iloc[other : other + 1]])


def _legal(
    training: Dataset,
    schema: Schema | None,
    features: Sequence[str],
    label: str,
    batch: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows from the domains of the inputs and their edges, with labels as training has them."""
    try:
        probe = probe_rows(features, schema or Schema("no rules", []), training, MOST_DRAWN, rng)
    except NotOffered:  # arrays: no rule says what their edges are
        return batch.iloc[:0], ()
    asked = [place for place, origin in enumerate(probe.origins) if NOT_ASKED not in origin and origin != OBSERVED]
    frame = probe.frame.iloc[asked].reset_index(drop=True)
    if frame.empty:
        return batch.iloc[:0], ()
    if label:
        places = rng.integers(0, len(batch), len(frame))
        frame = frame.assign(**{label: batch[label].iloc[places].reset_index(drop=True)})
    return frame, tuple(map(str, probe.origins[asked]))


def described(origins: Sequence[str]) -> list[str]:
    """Return the edges among origins, each once, without the rows that were merely drawn."""
    return list(dict.fromkeys(origin for origin in origins if origin != DRAWN))


def copies_of(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return the rows again and again, ``rows`` in all: as many examples as a leaf of a tree may ask for.

    The mean loss over copies is that over the rows, and so are its gradients.
    """
    return pd.concat([frame] * max(1, -(-rows // len(frame))), ignore_index=True)
