"""What a holdout shares with training: equal rows, keys and entities, and days that training has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from mltestscore.features.groups import as_numbers, as_texts, is_number
from mltestscore.finding import Finding, at_most
from mltestscore.inputs.dataset import Roles
from mltestscore.stats.proportion import bounds

Codes = npt.NDArray[np.uint64]

TWINS = "holdout rows with an exact twin in training"
SAME_KEY = "holdout rows that training holds under the same key"
EARLIER = "holdout rows from before the end of training"
ENTITIES = "holdout rows of an entity that training holds"

MOST_TRAINED = 0.99  # of the training rows lie before its "end": a single wrong clock must not move it


@dataclass(frozen=True)
class Split:
    """Both sides of a split, with the columns that tell one row from another.

    Attributes:
        training: the rows that the model learned from, or a sample by key.
        holdout: the rows that judge it, likewise.
        roles: of the holdout's columns; a role counts where both sides have its column.
        features: the model's inputs.
    """

    training: pd.DataFrame
    holdout: pd.DataFrame
    roles: Roles
    features: Sequence[str]

    def has(self, *columns: str) -> bool:
        """Say whether both sides have all these columns; false for none of them."""
        return any(columns) and all(name in self.training and name in self.holdout for name in columns)


@dataclass(frozen=True)
class Allowed:
    """Shares of the holdout rows that are tolerated.

    Attributes:
        twins: that stand in training too, beyond coincidence.
        earlier: that lie before the end of training.
        entities: that belong to a cluster of the training rows, where no time separates the two.
    """

    twins: float
    earlier: float
    entities: float


def findings(split: Split, allowed: Allowed, alpha: float) -> Iterator[Finding]:
    """Yield the shares of the holdout rows that training holds or overtakes: counted, not estimated.

    Coincidence, where rows repeat anyway, is ruled out at the level ``alpha``.
    """
    yield from repeated(split, allowed.twins, alpha)
    share = 0.0
    ordered = split.has(split.roles.time)
    if ordered:
        before, end = earlier_rows(split.training[split.roles.time], split.holdout[split.roles.time])
        share = float(before.mean())
        yield _share(EARLIER, before, allowed.earlier, f"{MOST_TRAINED:.0%} of the training rows lie before {end}")
    if split.has(split.roles.cluster):
        name = split.roles.cluster
        seen = np.isin(row_codes(split.holdout, [name]), row_codes(split.training, [name]))
        apart = ordered and share <= allowed.earlier < 1
        note = "later rows of known entities are what production brings" if apart else "no time separates the two"
        yield _share(ENTITIES, seen, allowed.entities, note, where=name, advisory=apart)


def repeated(split: Split, twins: float, alpha: float) -> Iterator[Finding]:
    """Yield the share of the holdout rows that training holds, and of those under one key; see :func:`findings`."""
    ours, theirs = (row_codes(side, [*split.features, split.roles.label]) for side in (split.holdout, split.training))
    entity = split.roles.cluster
    independent = split.holdout[entity].nunique() if entity in split.holdout else len(ours)
    keyed = split.has(*split.roles.key)
    once = theirs
    if keyed:
        keys, known = (row_codes(side, split.roles.key) for side in (split.holdout, split.training))
        once = theirs[~pd.Series(known).duplicated().to_numpy()]
    repeated = pd.Series(once).duplicated(keep=False).to_numpy()
    chance = coincidences(int(repeated.sum()), len(once), len(ours), independent, alpha)
    found = np.isin(ours, theirs)
    yield _share(TWINS, found, max(twins, chance), f"inputs and label are equal; {chance:.2%} may be by coincidence")
    if keyed:
        yield _under_one_key(ours, theirs, keys, known, independent, twins, alpha)


def row_codes(frame: pd.DataFrame, columns: Sequence[str]) -> Codes:
    """Return a hash of each row's values, shape (n,): the same for 1, 1.0 and a 32-bit 1, and for text in any dtype."""
    plain = {name: _plain(frame[name]) for name in columns}
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(plain), index=False).to_numpy(dtype=np.uint64))


def coincidences(repeated: int, among: int, rows: int, independent: int, alpha: float) -> float:
    """Return the share of ``rows`` that may find an equal row elsewhere by coincidence, at the level ``alpha``.

    Args:
        repeated: rows of ``among`` that occur more than once there: what coincidence does on one side of the split.
        among: rows on that side.
        rows: rows on the other side.
        independent: of those, as many as are worth counting: their clusters.
        alpha: shared between the upper bound of the rate and the count at that rate.
    """
    if not among or not rows:
        return 0.0
    rate = bounds(repeated, among, alpha / 2)[1]
    least = min(independent, rows)
    return min(1.0, float(scipy.stats.binom.isf(alpha / 2, least, rate)) / least)


def earlier_rows(training: pd.Series[Any], holdout: pd.Series[Any]) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which holdout rows lie before the time by which 99 % of the training rows lie, and that time in words."""
    learned, judged = _moments(training), _moments(holdout)
    known = learned[np.isfinite(learned)]
    if not len(known):
        return np.zeros(len(judged), dtype=bool), "no known time"
    end = float(np.quantile(known, MOST_TRAINED, method="lower"))
    words = f"{end:g}" if is_number(training) and not _is_time(training) else f"{pd.Timestamp(end, unit='s'):%Y-%m-%d}"
    return np.asarray(judged < end), words


def _under_one_key(
    ours: Codes, theirs: Codes, keys: Codes, known: Codes, independent: int, twins: float, alpha: float
) -> Finding:
    """Count rows of one key and one content; row numbers that begin anew on each side agree in content by chance."""
    both = int(np.isin(keys, known).sum())
    same = np.isin(_paired(keys, ours), _paired(known, theirs))
    values, counts = np.unique(theirs, return_counts=True)
    at = np.minimum(np.searchsorted(values, ours), len(values) - 1)
    chance = float(np.where(values[at] == ours, counts[at] / len(theirs), 0.0).mean())
    least = min(independent, len(ours))
    limit = max(twins, float(scipy.stats.binom.isf(alpha, least, chance)) / least) if both else twins
    return _share(SAME_KEY, same, limit, f"{both:,} keys are on both sides")


def _paired(keys: Codes, contents: Codes) -> Codes:
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame({0: keys, 1: contents}), index=False).to_numpy())


def _share(
    name: str, hit: npt.NDArray[np.bool_], limit: float, note: str, *, where: str = "", advisory: bool = False
) -> Finding:
    count = int(hit.sum())
    cause = f"{count:,} of {len(hit):,} rows" if count else ""
    return at_most(
        name,
        count / max(1, len(hit)),
        limit,
        where=where,
        unit="share",
        n=len(hit),
        cause=cause,
        note=note,
        advisory=advisory,
    )


def _plain(column: pd.Series[Any]) -> npt.NDArray[Any]:
    if is_number(column):
        return as_numbers(column).astype(np.float32).astype(np.float64) + 0.0  # −0.0 is 0.0
    return as_texts(column)


def _is_time(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column))


def _moments(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Times as seconds, in UTC, from times or from texts; numbers as they are."""
    if not is_number(column):
        column = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    return as_numbers(column)
