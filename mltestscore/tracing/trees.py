"""Trees of scikit-learn, alone and in ensembles: the path to each leaf, the leaves' values, their sum, the link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.tracing.trace import Step, Value, scored, valued

Row = npt.NDArray[np.float64]
Leaf = tuple[int, list[str]]

LONGEST_PATH = 110
EXPONENTIAL = ("poisson", "gamma")


def one_tree(thing: Any, row: Row, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow a single tree: each split on the way, and the leaf."""
    leaf, path = _walked(thing.tree_, row, names)
    splits = [Value(f"split {place}", turn) for place, turn in enumerate(path, 1)]
    yield Step("path", (*splits, Value("leaf", leaf)))
    yield scored(_of_leaf(thing, leaf), "value of the leaf")


def forest(thing: Any, row: Row, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow a forest: the leaf of each tree, and their mean."""
    leaves, paths = [], []
    for tree in thing.estimators_:
        leaf, path = _walked(tree.tree_, row, names)
        leaves.append(_of_leaf(tree, leaf))
        paths.append(_joined(path))
    yield _leaves(np.array(leaves), paths)
    yield scored(np.mean(leaves, axis=0), f"mean of {len(leaves)} trees")


def boosted(thing: Any, row: Row, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow gradient boosting: the start, each tree's share, the sum, the link."""
    start = np.ravel(thing._raw_predict_init(row.astype(np.float32).reshape(1, -1)))
    parts, paths = [], []
    for stage in thing.estimators_:
        walked = [_walked(tree.tree_, row, names) for tree in stage]
        values = [tree.tree_.value[leaf, 0, 0] for tree, (leaf, _) in zip(stage, walked, strict=True)]
        parts.append(thing.learning_rate * np.array(values))
        paths.append(_joined(walked[0][1]))
    yield from _summed(thing, start, np.array(parts), paths, twice=getattr(thing, "loss", "") == "exponential")


def histogram(thing: Any, rows: Any, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow histogram gradient boosting: the start, each tree's leaf, the sum, the link."""
    row = np.asarray(thing._preprocess_X(rows, reset=False), dtype=np.float64)[0]
    coded = thing.is_categorical_
    if coded is not None and thing._preprocessor is not None:  # it puts the categories first
        names = [name for sign in (True, False) for name, one in zip(names, coded, strict=True) if one == sign]
    known, place_of = thing._bin_mapper.make_known_categories_bitsets()
    parts, paths = [], []
    for stage in thing._predictors:
        walked = [_walked_histogram(one, row, names, known, place_of) for one in stage]
        parts.append([value for value, _ in walked])
        paths.append(_joined(walked[0][1]))
    yield from _summed(thing, np.ravel(thing._baseline_prediction), np.array(parts), paths)


def _summed(thing: Any, start: Row, parts: Row, paths: Sequence[str], twice: bool = False) -> Iterator[Step]:
    from scipy.special import expit, softmax

    yield valued("start", start, _classes("start", len(start)))
    yield _leaves(parts, paths)
    total = start + parts.sum(axis=0)
    yield valued("sum", total, _classes("sum", len(total)))
    if not hasattr(thing, "classes_"):
        grown = getattr(thing, "loss", "") in EXPONENTIAL
        yield scored(np.exp(total) if grown else total, "exponential of the sum" if grown else "the sum")
    elif len(total) == 1:
        late = expit(2 * total[0] if twice else total[0])
        yield scored([1 - late, late], "logistic function of the sum")
    else:
        yield scored(softmax(total), "softmax of the sums")


def _leaves(values: Row, paths: Sequence[str]) -> Step:
    """Return one step for all trees: the value of each, of two classes the second's."""
    if values.shape[1] <= 2:
        return valued("trees", values[:, -1], [f"tree {place}" for place in range(1, len(values) + 1)], paths)
    names = [f"tree {place}, class {one}" for place in range(1, len(values) + 1) for one in range(values.shape[1])]
    return valued("trees", values.ravel(), names)


def _of_leaf(tree: Any, leaf: int) -> Row:
    found = np.asarray(tree.tree_.value[leaf, 0], dtype=np.float64)
    return found / found.sum() if hasattr(tree, "classes_") else found[:1]


def _walked(tree: Any, row: Row, names: Sequence[str]) -> Leaf:
    left, right, features, limits = tree.children_left, tree.children_right, tree.feature, tree.threshold
    missing = getattr(tree, "missing_go_to_left", None)
    narrow = row.astype(np.float32)  # as the trees themselves see it
    node, path = 0, []
    while left[node] != -1:
        place = features[node]
        value = narrow[place]
        gone = bool(np.isnan(value))
        below = bool(missing[node]) if gone and missing is not None else bool(value <= limits[node])
        path.append(f"{names[place]} {_turn(gone, below, limits[node])}")
        node = left[node] if below else right[node]
    return int(node), path


def _walked_histogram(tree: Any, row: Row, names: Sequence[str], known: Any, place_of: Any) -> tuple[float, list[str]]:
    nodes, path, here = tree.nodes, [], 0
    while not nodes[here]["is_leaf"]:
        node = nodes[here]
        value, name = row[node["feature_idx"]], names[node["feature_idx"]]
        gone = bool(np.isnan(value))
        if node["is_categorical"] and not gone:
            code = int(value)
            held = code >= 0 and _has(tree.raw_left_cat_bitsets[node["bitset_idx"]], code)
            seen = code >= 0 and _has(known[place_of[node["feature_idx"]]], code)
            left = held or (not seen and bool(node["missing_go_to_left"]))
            path.append(f"{name} {'in' if left else 'not in'} a set")
        else:
            left = bool(node["missing_go_to_left"]) if gone else bool(value <= node["num_threshold"])
            path.append(f"{name} {_turn(gone, left, node['num_threshold'])}")
        here = node["left"] if left else node["right"]
    return float(nodes[here]["value"]), path


def _has(bits: Any, code: int) -> bool:
    return code // 32 < len(bits) and bool((int(bits[code // 32]) >> (code % 32)) & 1)


def _turn(gone: bool, below: bool, limit: float) -> str:
    return "missing" if gone else f"{'≤' if below else '>'} {limit:.4g}"


def _joined(path: Sequence[str]) -> str:
    text = ", ".join(path)
    return text if len(text) <= LONGEST_PATH else f"{text[:LONGEST_PATH]}…"


def _classes(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} of class {place}" for place in range(count)]
