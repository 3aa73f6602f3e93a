"""Slices that nobody declared: regions of the model's inputs where one half of the rows shows the largest losses.

The other half judges them, so that the search, however wide, costs no false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.slices.declared import Mask, Slice

Vector = npt.NDArray[np.float64]

DEPTH = 3  # three conditions are as many as a reader takes in
LEAF_SHARE = 0.05  # of the searched rows: smaller slices are rarely found again in the other half
SHRUNK_BY = 20.0  # rows of the average that every category starts with
SHOWN = 3
NAME = "discovered"


def discovered(
    frame: pd.DataFrame,
    features: Sequence[str],
    losses: Vector,
    searched: Mask,
    *,
    most: int,
    least: int,
    telling: Callable[[Mask], bool] = lambda _: True,
) -> list[Slice]:
    """Return up to ``most`` leaves of a regression tree on the losses, the worst first; at least the worst one.

    Args:
        frame: shape (n, …), with the features in any dtype.
        features: the columns that conditions may name.
        losses: shape (n,), of which the mean over a slice says how bad it is.
        searched: shape (n,), the rows that the tree may see; the slices hold rows of the others only.
        most: how many slices are worth judging.
        least: the fewest searched rows of a slice.
        telling: whether as many rows as these searched ones can tell anything. Of the endless slices that could be
            found, those of which the other half will not tell either are passed over, unless no other is left.

    Numbers keep their order and their gaps; categories are ordered by their mean loss among the searched rows.
    """
    from sklearn.tree import DecisionTreeRegressor

    columns = [_Column(frame[name], losses, searched) for name in features]
    design = np.column_stack([column.codes for column in columns]).astype(np.float32)
    leaf = max(least, int(LEAF_SHARE * searched.sum()))
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=leaf, random_state=0)
    tree.fit(design[searched], losses[searched])
    leaves = tree.apply(design)
    means = {int(one): float(losses[searched & (leaves == one)].mean()) for one in np.unique(leaves[searched])}
    worst = sorted(means, key=lambda one: -means[one])
    told = [one for one in worst if telling(searched & (leaves == one))] or worst
    rules = dict(_rules(tree.tree_, columns))
    kept = [one for place, one in enumerate(told[:most]) if place == 0 or means[one] > 0]
    passed_over = [rules[one] for one in worst[: worst.index(kept[0])]]
    note = f"Too few rows to tell of {'; '.join(passed_over)[:200]}" if passed_over else ""
    return [Slice(rules[one], NAME, ~searched & (leaves == one), note if one == kept[0] else "") for one in kept]


class _Column:
    """One feature as numbers that a tree can split, and a split of them in words."""

    def __init__(self, values: pd.Series[Any], losses: Vector, searched: Mask) -> None:
        self.name = str(values.name)[:80]
        self.means: pd.Series[Any] | None = None
        if pd.api.types.is_datetime64_any_dtype(values):
            values = (values - values.min()).dt.total_seconds()
            self.name += " (seconds after the first)"
        if pd.api.types.is_numeric_dtype(values):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            self.codes = np.where(np.abs(numbers) < np.finfo(np.float32).max, numbers, np.nan)
        else:
            self._order(values.astype(object).where(values.notna(), "(missing)").map(str), losses, searched)

    def _order(self, texts: pd.Series[Any], losses: Vector, searched: Mask) -> None:
        groups = pd.Series(losses[searched]).groupby(texts[searched].to_numpy())
        average = float(losses[searched].mean())
        self.means = (groups.sum() + SHRUNK_BY * average) / (groups.size() + SHRUNK_BY)
        self.codes = texts.map(self.means).fillna(average).to_numpy(dtype=np.float64)

    def among(self, limit: float, above: bool) -> frozenset[str]:
        """Return the categories on one side of a split."""
        assert self.means is not None  # numbers have a condition
        return frozenset(self.means.index[(self.means.to_numpy(dtype=np.float32) > limit) == above])

    def condition(self, limit: float, above: bool, missing: bool) -> str:
        said = f"{self.name} {'>' if above else '≤'} {limit:.4g}"
        return f"{said} or missing" if missing and np.isnan(self.codes).any() else said

    def listed(self, names: frozenset[str]) -> str:
        shown = [name[:40] for name in sorted(names)[:SHOWN]]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"{self.name} among {', '.join(shown)}{more}"


def _rules(tree: Any, columns: Sequence[_Column]) -> Iterator[tuple[int, str]]:
    """Yield the number of each leaf and its conditions in words."""
    # A later condition on the same number and side is the narrower one and takes the place of the earlier; of
    # categories, both hold.
    waiting: list[tuple[int, dict[tuple[str, bool], str | frozenset[str]]]] = [(0, {})]
    named = {column.name: column for column in columns}
    while waiting:
        node, said = waiting.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            words = [one if isinstance(one, str) else named[name].listed(one) for (name, _), one in said.items()]
            yield node, " and ".join(words) or "all rows alike"
            continue
        column, limit = columns[int(tree.feature[node])], float(tree.threshold[node])
        missing_left = bool(tree.missing_go_to_left[node])
        for child, above, missing in ((left, False, missing_left), (right, True, not missing_left)):
            if column.means is None:
                own = {(column.name, above): column.condition(limit, above, missing)}
                waiting.append((child, {**said, **own}))
            else:
                before = said.get((column.name, False))
                names = column.among(limit, above)
                kept = names & before if isinstance(before, frozenset) else names
                waiting.append((child, {**said, (column.name, False): kept}))
