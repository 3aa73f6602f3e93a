"""Random frames and suites on which our queries and Great Expectations must agree, and where they differ on purpose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from mltestscore.inputs.condition_texts import parse
from mltestscore.inputs.conditions import Comparison, Tree
from mltestscore.inputs.expectations import Outcome
from mltestscore.inputs.rules import ARGUMENTS, Rule

VALUES, COLUMN, TABLE = "expect_column_values_to_", "expect_column_", "expect_table_"
NUMBERS = ("n", "m", "i", "j", "x")  # floats with infinities, floats, integers, nullable ones, decimals
FIGURES = tuple(COLUMN + one for one in ("mean", "median", "stdev", "quantile", "sum", "proportion", "z_score", "kl"))
TEXTS = ("s", "o", "g")  # text, objects, categories
BOOLEANS = ("b", "c")  # the second may be missing
TIMES = ("d", "z")  # without a zone and with one
EVERY = (*NUMBERS, *TEXTS, *BOOLEANS, *TIMES, "e", "k")  # empty, and of mixed types
NULLABLE = ("j", "c")
# Names that Great Expectations has in its folder and does not offer.
NOT_OFFERED = ("expect_multicolumn_values_to_be_unique",)
TYPE_RULES = (VALUES + "be_of_type", VALUES + "be_in_type_list", COLUMN + "type_to_be")
EQUALITIES = ("==", "!=", "in", "not in")

whole = st.integers(-3, 3)
half = st.sampled_from([-2.5, -0.5, 0.5, 1.5])
word = st.sampled_from(["a", "b", "", "é", "a1", "A", "1", "\n", "日本", "a b", "٣"])
day = st.integers(1, 6)


def columns(draw: st.DrawFn, rows: int) -> dict[str, Any]:
    def several(values: st.SearchStrategy[Any], *missing: Any) -> list[Any]:
        one = st.one_of(values, values, st.sampled_from(missing)) if missing else values
        return draw(st.lists(one, min_size=rows, max_size=rows))

    nothing = [draw(st.sampled_from([None, np.nan]))] * rows
    moments = pd.to_datetime([f"2024-03-0{value or 1}" for value in several(day)])
    zoned = pd.to_datetime([f"2024-03-0{value}T23:30" for value in several(day)]).tz_localize("America/New_York")
    infinite = st.sampled_from([math.inf, -math.inf])
    return {
        "n": pd.Series(several(st.one_of(whole, half, infinite), None), dtype="float64"),
        "m": pd.Series(several(st.one_of(whole, half), None), dtype="float64"),
        "i": pd.Series(several(whole), dtype="int64"),
        "j": pd.Series(several(whole, None), dtype="Int64"),
        "x": pd.Series(several(st.one_of(whole, half).map(lambda v: Decimal(str(v))), None), dtype=object),
        "s": pd.Series(several(word, None), dtype="str"),
        "o": pd.Series(several(word, None, np.nan), dtype=object),
        "g": pd.Series(several(word, None), dtype="category"),
        "b": pd.Series(several(st.booleans()), dtype=bool),
        "c": pd.Series(several(st.booleans(), None), dtype="boolean"),
        "d": pd.Series(moments, dtype="datetime64[ns]").mask(pd.Series(several(st.booleans()), dtype=bool)),
        "z": pd.Series(zoned, dtype="datetime64[ns, America/New_York]"),
        "e": pd.Series(nothing, dtype=object),
        "k": pd.Series(several(st.one_of(whole, half, word), None), dtype=object),
    }


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Frames of 0 to 9 rows, some of them twice."""
    frame = pd.DataFrame(columns(draw, draw(st.integers(0, 7))))
    twice = draw(st.integers(0, 2)) if len(frame) else 0
    return pd.concat([frame, frame.head(twice)], ignore_index=True) if twice else frame


def bound(draw: st.DrawFn, column: str) -> Any:
    if column in TIMES:
        text = f"2024-03-0{draw(day)}T00:00:00"
        return text + "+00:00" if column == "z" else text
    # Great Expectations takes no text as an end, unless it is a time.
    return draw(st.one_of(whole, half))


def bounds(draw: st.DrawFn, column: str, strict: bool = True) -> dict[str, Any]:
    ends = [bound(draw, column) for _ in range(2)]
    if type(ends[0]) is type(ends[1]) or not any(isinstance(end, str) for end in ends):
        ends = sorted(ends)
    else:
        ends = [ends[0], ends[0]]
    sides = draw(st.sampled_from([("min_value",), ("max_value",), ("min_value", "max_value")]))
    limits = {side: dict(zip(("min_value", "max_value"), ends, strict=True))[side] for side in sides}
    return limits | ({"strict_min": draw(st.booleans()), "strict_max": draw(st.booleans())} if strict else {})


def members(draw: st.DrawFn, column: str, longest: int = 20) -> list[Any]:
    if column in TIMES:
        return draw(st.lists(day.map(lambda value: f"2024-03-0{value}"), min_size=1, max_size=4, unique=True))
    values = st.one_of(word) if column in TEXTS else st.one_of(whole, half)
    few = draw(st.lists(values, min_size=1, max_size=4, unique=True))
    # A long set takes another way through the database.
    return few + (
        [f"other {at}" if column in TEXTS else 100 + at for at in range(longest)] if draw(st.booleans()) else []
    )


PATTERNS = st.sampled_from(["^a", "[0-9]", "[]a]", "", "é|1", "^.$", "a+", r"\s", "(?i)A", "b$", r"^\S*$", "(?=a)"])


@st.composite
def row_conditions(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    if depth and draw(st.booleans()):
        parts = draw(st.lists(row_conditions(depth=0), min_size=2, max_size=3))
        return {"type": draw(st.sampled_from(["and", "or"])), "conditions": parts}
    column = draw(st.sampled_from(["n", "m", "i", "s", "o", "b", "d"]))
    named = {"column": {"name": column}}
    kind = draw(st.sampled_from(["nullity", "==", "!=", "<", "<=", ">", ">=", "IN", "NOT_IN"]))
    if kind == "nullity":
        return {"type": "nullity", **named, "is_null": draw(st.booleans())}
    if column in TIMES and "IN" in kind:
        kind = "=="
    if kind in ("IN", "NOT_IN"):
        return {"type": "comparison", **named, "operator": kind, "parameter": members(draw, column)}
    value = draw(word.filter(str.strip)) if column in TEXTS else bound(draw, column)
    return {"type": "comparison", **named, "operator": kind, "parameter": value}


def as_query(condition: dict[str, Any]) -> str:
    """Return a condition as a text for DataFrame.query."""
    if condition["type"] in ("and", "or"):
        return "(" + f" {condition['type']} ".join(map(as_query, condition["conditions"])) + ")"
    column = condition["column"]["name"]
    if condition["type"] == "nullity":
        return f"{column}.isnull()" if condition["is_null"] else f"~`{column}`.isna()"
    operator = {"IN": "in", "NOT_IN": "not in"}.get(condition["operator"], condition["operator"])
    return f"({column} {operator} {condition['parameter']!r})"


@st.composite
def rules(draw: st.DrawFn, kinds: Sequence[str] = tuple(sorted(set(ARGUMENTS) - set(NOT_OFFERED)))) -> Rule:
    kind = draw(st.sampled_from(kinds))
    needed, allowed = ARGUMENTS[kind]
    arguments: dict[str, Any] = {"mostly": draw(st.sampled_from([0.0, 0.5, 0.75, 1.0]))} if "mostly" in allowed else {}
    if kind.startswith(TABLE) or kind == COLUMN + "to_exist":
        arguments |= of_table(draw, kind)
    elif "column" in needed:
        column = draw(st.sampled_from(EVERY))
        arguments |= {"column": column} | of_column(draw, kind, column)
    else:
        arguments |= of_several(draw, needed, allowed)
    if draw(st.integers(0, 3)) == 0 and not kind.startswith((TABLE + "column", *TYPE_RULES, COLUMN + "to_exist")):
        condition = draw(row_conditions())
        as_text = {"row_condition": as_query(condition), "condition_parser": "pandas"}
        arguments |= draw(st.sampled_from([{"row_condition": condition}, as_text]))
    return Rule(kind, arguments)


def of_table(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    names = list(EVERY)
    if kind == COLUMN + "to_exist":
        return {"column": draw(st.sampled_from(names)), "column_index": draw(st.integers(-20, 20))}
    if kind.endswith("match_set"):
        some = draw(st.sampled_from([names, names[1:], [*names, "other"]]))
        return {"column_set": some, "exact_match": draw(st.booleans())}
    if kind.endswith("ordered_list"):
        order = ["n", "m", "i", "j", "x", "s", "o", "g", "b", "c", "d", "z", "e", "k"]
        return {"column_list": draw(st.sampled_from([order, order[::-1], order[1:]]))}
    if kind.endswith("to_equal"):
        return {"value": draw(st.integers(0, 16))}
    low, high = sorted(draw(st.tuples(st.integers(0, 16), st.integers(0, 16))))
    return {"min_value": low, "max_value": high}


def of_column(draw: st.DrawFn, kind: str, column: str) -> dict[str, Any]:
    needed, allowed = ARGUMENTS[kind]
    if "quantile_ranges" in needed:
        shares = draw(st.lists(st.sampled_from([0, 0.25, 0.35, 0.5, 0.9, 1]), min_size=1, max_size=3))
        ranges = [[draw(st.one_of(st.none(), half)), draw(st.one_of(st.none(), st.just(2.5)))] for _ in shares]
        how = draw(st.sampled_from([None, "linear", "lower", "higher", "midpoint", "nearest"]))
        return {"quantile_ranges": {"quantiles": shares, "value_ranges": ranges}} | (
            {"allow_relative_error": how} if how else {}
        )
    if "value_set" in needed:
        return {"value_set": members(draw, column)} | ({"ties_okay": draw(st.booleans())} if "common" in kind else {})
    if "type_" in needed or "type_list" in needed:
        names = draw(st.lists(st.sampled_from(["int64", "float64", "str", "bool", "Int64"]), min_size=1, max_size=2))
        return {"type_": names[0]} if "type_" in needed else {"type_list": names}
    several = {key: draw(st.lists(PATTERNS, min_size=1, max_size=3)) for key in ("regex_list",) if key in needed}
    single = {key: draw(PATTERNS) for key in ("regex",) if key in needed}
    likes = {key: "a%" for key in ("like_pattern",) if key in needed}
    likes |= {key: ["a%", "_"] for key in ("like_pattern_list",) if key in needed}
    match_on = {"match_on": draw(st.sampled_from(["any", "all"]))} if "match_on" in allowed else {}
    length = {"value": draw(st.integers(0, 4))} if "value" in needed else {}
    if "lengths" in kind and "min_value" in allowed:
        low, high = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
        return {"min_value": low, "max_value": high, "strict_min": draw(st.booleans())}
    if "min_value" in allowed:
        if "count" in kind:  # of which Great Expectations cuts off fractions
            low, high = sorted(draw(st.tuples(whole, whole)))
            return {"min_value": low, "max_value": high, "strict_min": draw(st.booleans())}
        of_values = kind.removeprefix(COLUMN).startswith(("values", "min", "max"))
        return bounds(draw, column if of_values else "i")
    return {**several, **single, **likes, **match_on, **length}


def of_several(draw: st.DrawFn, needed: frozenset[str], allowed: frozenset[str]) -> dict[str, Any]:
    alike = draw(
        st.sampled_from([("n", "m", "i"), ("m", "i"), ("s", "o"), ("i", "m", "n"), ("s", "m"), ("i", "b"), ("e", "m")])
    )
    pair = "column_A" in needed
    words = ("both_values_are_missing", "either_value_is_missing", "neither")
    if not pair:
        words = ("all_values_are_missing", "any_value_is_missing", "never")
    arguments: dict[str, Any] = {"ignore_row_if": draw(st.sampled_from(words))} if draw(st.booleans()) else {}
    if not pair:
        total = {"sum_total": draw(st.one_of(whole, half))} if "sum_total" in needed else {}
        return arguments | {"column_list": list(alike)} | total
    left, right = alike[:2]
    arguments |= {"column_A": left, "column_B": right}
    if "value_pairs_set" in needed:
        side = {name: word if name in TEXTS else st.one_of(st.none(), whole, half) for name in alike}
        pairs = st.tuples(side[left], side[right]).map(list)
        arguments["value_pairs_set"] = draw(st.lists(pairs, min_size=1, max_size=4))
    return arguments | ({"or_equal": draw(st.booleans())} if "or_equal" in allowed else {})


# --- differences on purpose: see the table in mltestscore/inputs/rules.py -----------------------------------------


def names_of(rule: Rule) -> Sequence[str]:
    return (*rule.columns, *(rule.condition_columns or ()))


def difference(rule: Rule, frame: pd.DataFrame, our: Outcome, their: Outcome) -> str:
    """Return what differs without a purpose: the verdict or the number of unexpected rows; else nothing."""
    if on_purpose(rule, frame):
        return ""
    if rule.type in TYPE_RULES:  # a family is wider than a dtype
        return "verdict" if our.broken and not their.broken else ""
    if "cannot be judged" in their.message:
        if rule.column == "x" and frame["x"].isna().any() and rule.type.startswith(FIGURES):
            return ""  # pandas has no mean of decimals with gaps, our queries have
        # Else it is broken, even without rows, and whatever `mostly` allows
        vacuous = "mostly" in rule.kwargs and (not our.rows or rule.mostly == 0)
        return "" if our.broken or vacuous else "verdict of what cannot be judged"
    if our.broken != their.broken:
        return "verdict"
    return "count" if our.unexpected != their.unexpected else ""


def on_purpose(rule: Rule, frame: pd.DataFrame) -> bool:
    """Whether the table in :mod:`mltestscore.inputs.rules` says that the outcomes may differ."""
    if "_like_pattern" in rule.type or "k" in names_of(rule):  # not on pandas; mixed types
        return True
    if rule.type == COLUMN + "sum_to_be_between" and (rule.column in TEXTS or frame[rule.column].isna().all()):
        return True  # texts add up to a text there, and nothing to 0
    if rule.type in (VALUES + "be_in_set", COLUMN + "most_common_value_to_be_in_set") and rule.column in TIMES:
        return True  # text in a set is no time there
    condition = parse(rule.kwargs)
    if condition and any(one.column in TIMES and one.operator in EQUALITIES for one in comparisons(condition.tree)):
        return True  # nor is text ever equal to one
    if rule.type == COLUMN + "pair_values_to_be_in_set" and "row_condition" in rule.kwargs:
        return True  # it forgets the condition there
    if rule.type == "expect_select_column_values_to_be_unique_within_record":
        twice = frame[list(rule.columns)].isna().sum(axis=1).gt(1).any()
        return bool(twice) and bool({"o", "e"} & set(rule.columns))  # None and NaN differ there
    return False


def comparisons(tree: Tree) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree.parts:
            yield from comparisons(part)
