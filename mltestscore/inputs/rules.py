"""The rules of a Great Expectations 1.x suite as data: what each type takes, and where each is run.

All types on columns, sets, patterns, types, uniqueness, keys and the table's shape are compiled to a few queries
(:mod:`expectations`); the others, and what no query can say (see below), run on Great Expectations itself (:mod:`gx`).
Verdicts and numbers of unexpected rows are those of Great Expectations on pandas, except on purpose:

===================  ==========================================  ====================================================
subject              here                                        on pandas
===================  ==========================================  ====================================================
types                a family: ``int64``, ``Int64`` and          a dtype; whole numbers that became floating because
                     ``float64`` of whole numbers are integers   some are missing are no integers any more
missing              NaN, None, NaT and NA are one               within a row, ``None`` and NaN differ
missing in a         differs from everything: ``!=`` and         the same, but the nullable dtypes drop the row;
row condition        ``not in`` keep the row                     a condition for Spark follows SQL here, and drops it
times                dates are times; all are compared as        a ``date`` is compared with no text, a zoned time with
                     instants, without a zone in UTC             none without one; no text equals a time or is in a set
row conditions       hold for every type                         are forgotten for pairs in a set, which then fail
durations            are numbers of seconds                      are compared with no number
mixed types          a column that mixes types is text           each value is compared as what it is
sums                 a text, and a column without any value,     texts are put together; without any value it is 0
                     has none
wrong types          text compared with numbers breaks the       an error, which counts as broken with no rows
                     rule for all rows that have a value
decimals             are compared as double floats               are compared exactly with floats; with gaps they have
                                                                 no mean, which counts as broken
patterns             Python's, in which ``\\d`` and ``\\w`` are    those of Arrow for text, in which they are ASCII
                     Unicode; LIKE as in SQL                     LIKE cannot be judged
last digits          sums are taken in another order, so that    a float may differ in the last digits
                     a float may differ in the last digits
===================  ==========================================  ====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mltestscore.inputs import condition_texts

BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
# Keys that Great Expectations writes beside the arguments and that change no verdict.
WITHOUT_EFFECT = frozenset(
    {"batch_id", "result_format", "catch_exceptions", "meta", "notes", "description", "severity", "windows"}
)
# Keys that choose the rows which a rule is about.
ROW_FILTERS = frozenset({"row_condition", "condition_parser"})
SHOWN_VALUES = 5
MAX_TEXT = 160

_COLUMN = frozenset({"column"})
_MAP = frozenset({"mostly"})
_SEVERAL = _MAP | {"ignore_row_if"}
_PAIR = frozenset({"column_A", "column_B"})
_LIST = frozenset({"column_list"})
_values, _column, _table = "expect_column_values_to_", "expect_column_", "expect_table_"

Arguments = dict[str, tuple[frozenset[str], frozenset[str]]]

_TABLE: Arguments = {
    _column + "to_exist": (_COLUMN, frozenset({"column_index"})),
    _table + "columns_to_match_set": (frozenset({"column_set"}), frozenset({"exact_match"})),
    _table + "columns_to_match_ordered_list": (_LIST, frozenset()),
    _table + "column_count_to_be_between": (frozenset(), BOUNDS - {"strict_min", "strict_max"}),
    _table + "column_count_to_equal": (frozenset({"value"}), frozenset()),
    _table + "row_count_to_be_between": (frozenset(), BOUNDS),
    _table + "row_count_to_equal": (frozenset({"value"}), frozenset()),
}
_VALUES: Arguments = {
    _column + "type_to_be": (_COLUMN | {"type_"}, frozenset()),
    _values + "be_of_type": (_COLUMN | {"type_"}, _MAP),
    _values + "be_in_type_list": (_COLUMN | {"type_list"}, _MAP),
    _values + "not_be_null": (_COLUMN, _MAP),
    _values + "be_null": (_COLUMN, _MAP),
    _values + "be_unique": (_COLUMN, _MAP),
    _values + "be_between": (_COLUMN, BOUNDS | _MAP),
    _values + "be_in_set": (_COLUMN | {"value_set"}, _MAP),
    _values + "not_be_in_set": (_COLUMN | {"value_set"}, _MAP),
    _values + "match_regex": (_COLUMN | {"regex"}, _MAP),
    _values + "not_match_regex": (_COLUMN | {"regex"}, _MAP),
    _values + "match_regex_list": (_COLUMN | {"regex_list"}, _MAP | {"match_on"}),
    _values + "not_match_regex_list": (_COLUMN | {"regex_list"}, _MAP),
    _values + "match_like_pattern": (_COLUMN | {"like_pattern"}, _MAP | {"escape"}),
    _values + "not_match_like_pattern": (_COLUMN | {"like_pattern"}, _MAP | {"escape"}),
    _values + "match_like_pattern_list": (_COLUMN | {"like_pattern_list"}, _MAP | {"match_on", "escape"}),
    _values + "not_match_like_pattern_list": (_COLUMN | {"like_pattern_list"}, _MAP | {"escape"}),
    _column + "value_lengths_to_be_between": (_COLUMN, BOUNDS | _MAP),
    _column + "value_lengths_to_equal": (_COLUMN | {"value"}, _MAP),
}
_FIGURES: Arguments = {
    **{
        f"{_column}{figure}_to_be_between": (_COLUMN, BOUNDS)
        for figure in ("min", "max", "mean", "median", "sum", "stdev", "unique_value_count")
    },
    _column + "proportion_of_unique_values_to_be_between": (_COLUMN, BOUNDS),
    _column + "proportion_of_non_null_values_to_be_between": (_COLUMN, BOUNDS),
    **{
        f"{_column}distinct_values_to_{relation}": (_COLUMN | {"value_set"}, frozenset())
        for relation in ("be_in_set", "contain_set", "equal_set")
    },
    _column + "most_common_value_to_be_in_set": (_COLUMN | {"value_set"}, frozenset({"ties_okay"})),
    _column + "quantile_values_to_be_between": (
        _COLUMN | {"quantile_ranges"},
        frozenset({"allow_relative_error"}),
    ),
}
_ROWS: Arguments = {
    "expect_compound_columns_to_be_unique": (_LIST, _SEVERAL),
    "expect_multicolumn_values_to_be_unique": (_LIST, _SEVERAL | {"column"}),
    "expect_multicolumn_values_to_be_equal": (_LIST, _SEVERAL),
    "expect_multicolumn_sum_to_equal": (_LIST | {"sum_total"}, _SEVERAL),
    "expect_select_column_values_to_be_unique_within_record": (_LIST, _SEVERAL),
    "expect_column_pair_values_a_to_be_greater_than_b": (_PAIR, _SEVERAL | {"or_equal"}),
    "expect_column_pair_values_to_be_equal": (_PAIR, _SEVERAL),
    "expect_column_pair_values_to_be_in_set": (_PAIR | {"value_pairs_set"}, _SEVERAL),
}
ARGUMENTS: Arguments = {**_TABLE, **_VALUES, **_FIGURES, **_ROWS}
"""The types that are compiled to one query, with the arguments that each needs and those that it may have."""

# What says something of each value holds for a part of the rows too; the table's shape is that of the training data.
FIGURES = frozenset({*_FIGURES, *_TABLE}) - {
    *(f"{_column}{figure}_to_be_between" for figure in ("min", "max")),
    f"{_column}distinct_values_to_be_in_set",
}
# The least of some rows may exceed what is asked of the least of all rows, but it cannot fall below it.
EXTREMES = {f"{_column}min_to_be_between": "max_value", f"{_column}max_to_be_between": "min_value"}


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Attributes:
        type: its name in Great Expectations, for example ``expect_column_values_to_be_between``.
        kwargs: its arguments.
        optional: it holds only where its columns are there (``"meta": {"optional": true}`` in the suite).
    """

    type: str
    kwargs: Mapping[str, Any]
    optional: bool = False

    def __hash__(self) -> int:
        return hash((self.type, self.columns, self.optional))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values it speaks of; empty for a rule on the table."""
        if self.type.startswith(_table):
            return ()
        several = self.kwargs.get("column_list", ())
        single = (self.kwargs.get(key) for key in ("column", "column_A", "column_B"))
        return tuple(dict.fromkeys([*(name for name in single if name), *several]))

    @property
    def column(self) -> str:
        """Its first column, or empty."""
        return next(iter(self.columns), "")

    @property
    def mostly(self) -> float:
        """The least share of rows that must obey it, in [0, 1]."""
        return float(self.kwargs.get("mostly", 1.0))

    @property
    def condition_columns(self) -> tuple[str, ...] | None:
        """The columns that its row condition speaks of; ``None`` where the condition is beyond our grammar."""
        try:
            condition = condition_texts.parse(self.kwargs)
        except condition_texts.BeyondGrammarError:
            return None
        return condition.columns if condition else ()

    @property
    def on_values(self) -> bool:
        """Whether it says anything about values, and not only that the column is there."""
        return bool(self.columns) and self.type != "expect_column_to_exist"

    @property
    def on_figure(self) -> bool:
        """Whether it is about one number of the whole table, so that a part of the table may break it."""
        if self.type not in ARGUMENTS:
            return not self.type.startswith("expect_column_value")
        return self.type in FIGURES or EXTREMES.get(self.type) in self.kwargs

    @property
    def compiled(self) -> bool:
        """Whether it can run as part of one query; else it runs on Great Expectations."""
        return self.type in ARGUMENTS and self.condition_columns is not None

    @property
    def text(self) -> str:
        """The rule in words, short enough for a table cell."""
        words = self.type.removeprefix("expect_").removeprefix("column_").replace("_", " ")
        naming = {"column", "column_A", "column_B", "column_list", "condition_parser", *WITHOUT_EFFECT}
        arguments = ", ".join(
            f"{key.strip('_').replace('_', ' ')} {_shown(value)}"
            for key, value in self.kwargs.items()
            if key not in naming and value is not None and value is not False
        )
        text = f"{words}: {arguments}" if arguments else words
        return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _shown(value: object) -> str:
    if isinstance(value, Mapping) and "type" in value:
        return condition_texts.words(value)
    if not isinstance(value, (list, tuple)):
        return str(value)
    more = ", …" if len(value) > SHOWN_VALUES else ""
    return "{" + ", ".join(map(str, value[:SHOWN_VALUES])) + more + "}"
