"""What was counted of a column answers a rule as a query would, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from mltestscore.comparison import counting, profile
from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.inputs.expectations import measure
from mltestscore.inputs.known import FIGURES, ROWS, figure_is_kept, rows_that_break
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from tests.inputs.gx_cases import frames, rules

NUMBERS, TEXTS = ["n", "m", "i", "j", "x", "b", "c"], ["s", "o", "g", "e", "k"]
KINDS = tuple(sorted({*ROWS, *FIGURES}))


def counted(frame: pd.DataFrame) -> Dataset:
    data = open_dataset("training", frame)
    counting.laid(data, NUMBERS)
    counting.tallied(data, TEXTS)
    return data


def answered(frame: pd.DataFrame, several: list[Rule]) -> set[str]:
    """Hold the answers to what queries say; return the types of the rules that were answered."""
    data, kinds = counted(frame), set()
    for rule, queried in zip(several, measure(data.table, several, examples=0), strict=True):
        known = data.known.get(rule.column)
        counts = None if known is None else rows_that_break(rule, known)
        if counts is not None:
            assert queried is not None, rule
            assert (queried.unexpected, queried.rows) == counts, rule
        elif known is not None and figure_is_kept(rule, known):
            assert queried is not None, rule
            assert not queried.broken, rule
        else:
            continue
        kinds.add(rule.type)
    return kinds


def test_random_rules_are_answered_as_by_a_query() -> None:
    found: set[str] = set()

    @settings(
        max_examples=14,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(frame=frames(), several=st.lists(rules(KINDS), min_size=80, max_size=80))
    def compare(frame: pd.DataFrame, several: list[Rule]) -> None:
        assume(len(frame))
        found.update(answered(frame, several))

    compare()

    assert found == set(KINDS)


def rule(kind: str, column: str, **kwargs: Any) -> Rule:
    return Rule(f"expect_column_{kind}", {"column": column, **kwargs})


FRAME = pd.DataFrame(
    {"n": [0.5, 1.0, None, 2.0] * 50, "i": range(200), "s": ["a", "b", "", None] * 50, "big": [2**60 + 1] * 200}
)
KEPT = [
    rule("values_to_be_between", "n", min_value=0, max_value=2),
    rule("values_to_not_be_null", "n", mostly=0.7),
    rule("values_to_be_in_set", "s", value_set=["a", "b", ""]),
    rule("unique_value_count_to_be_between", "i", min_value=2),
    rule("value_lengths_to_be_between", "s", max_value=1),
]


def test_rules_that_are_kept_need_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_dataset("training", FRAME)
    profile.count(data)
    monkeypatch.setattr("mltestscore.inputs.scan.Scan.ask", lambda *_: pytest.fail("a query was asked"))

    assert not Schema("", KEPT).violations(data)


def test_of_names_only_that_they_are_many_is_known() -> None:
    data = open_dataset("training", pd.DataFrame({"name": [None, *(f"name {place}" for place in range(6_000))]}))
    profile.count(data)
    varied, named = rule("unique_value_count_to_be_between", "name", min_value=2), rule("values_to_not_be_null", "name")

    assert figure_is_kept(varied, data.known["name"])
    assert not figure_is_kept(rule("unique_value_count_to_be_between", "name", max_value=9_000), data.known["name"])
    assert [one.rule for one in Schema("", [varied, named]).violations(data)] == [named]


def test_a_broken_rule_comes_with_its_examples() -> None:
    data = open_dataset("training", FRAME)
    profile.count(data)
    wrong = [rule("values_to_be_between", "n", max_value=1), rule("values_to_be_in_set", "s", value_set=["a", "b"])]

    found = Schema("", [*KEPT, *wrong]).violations(data)

    assert [(one.rule, one.unexpected, one.rows, set(one.examples)) for one in found] == [
        (wrong[0], 50, 150, {"2.0"}),
        (wrong[1], 50, 150, {""}),
    ]


def test_moments_are_answered_where_the_cells_leave_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 50_000)
    data = open_dataset("training", pd.DataFrame({"n": values}))
    profile.count(data)
    means, deviations = data.known["n"].mean, data.known["n"].deviation

    assert means[0] <= values.mean() <= means[1]
    assert deviations[0] <= values.std(ddof=1) <= deviations[1]
    assert max(means[1] - means[0], deviations[1] - deviations[0]) < 0.01
    kept = rule("stdev_to_be_between", "n", min_value=1.9, max_value=2.1)
    close = rule("mean_to_be_between", "n", max_value=float(values.mean()) + 1e-12)
    assert not Schema("", [close]).violations(data)
    monkeypatch.setattr("mltestscore.inputs.scan.Scan.ask", lambda *_: pytest.fail("a query was asked"))
    assert not Schema("", [kept]).violations(data)


@pytest.mark.parametrize("values", [[1.0], [None], [1.0, float("inf")], [1e200, -1e200]])
def test_no_deviation_is_known_of_less_than_two_finite_numbers_or_of_vast_ones(values: list[float | None]) -> None:
    data = open_dataset("training", pd.DataFrame({"n": pd.Series(values, dtype="float64")}))
    profile.count(data)

    assert data.known["n"].deviation == ()
    assert data.known["n"].mean == ((1 - 1e-9, 1 + 1e-9) if values == [1.0] else ())


def test_whole_numbers_that_no_float_holds_are_left_to_the_database() -> None:
    data = open_dataset("training", FRAME)
    profile.count(data)
    bounds = {"min_value": 2**60 + 1, "max_value": 2**60 + 1}

    assert "big" not in data.known
    assert not Schema("", [rule("values_to_be_between", "big", **bounds)]).violations(data)


@pytest.mark.parametrize("last", [2.0, float("inf")])
def test_a_deviation_is_the_same_whether_infinities_are_ruled_out_or_looked_for(last: float) -> None:
    frame = pd.DataFrame({"n": [0.5, None, 1.0, last]})
    data, kept = open_dataset("training", frame), rule("stdev_to_be_between", "n", min_value=0.76, max_value=0.77)
    first = Schema("", [kept]).violations(data)
    again = open_dataset("training", frame)
    profile.count(again)

    assert again.known["n"].finite == (last == 2.0)
    assert first == Schema("", [kept]).violations(again)
    assert bool(first) == (last != 2.0)


def test_where_only_cells_are_known_a_rule_on_extremes_is_answered_if_it_holds_for_all_of_the_cell() -> None:
    values = np.random.default_rng(0).normal(size=900_000)
    data = open_dataset("training", pd.DataFrame({"x": values}))
    profile.count(data)
    known, low, high = data.known["x"], values.min(), values.max()

    assert known.low[0] <= low <= known.low[1] < known.high[0] <= high <= known.high[1]
    assert rows_that_break(rule("values_to_be_between", "x", min_value=low - 1, max_value=high + 1), known) == (
        0,
        900_000,
    )
    assert rows_that_break(rule("values_to_be_between", "x", min_value=low, max_value=high), known) is None
    assert figure_is_kept(rule("min_to_be_between", "x", min_value=low - 1, max_value=low + 1), known)
    assert not figure_is_kept(rule("min_to_be_between", "x", min_value=low, max_value=low + 1), known)
    exact = [
        rule("values_to_be_between", "x", min_value=low, max_value=high),
        rule("max_to_be_between", "x", max_value=high),
    ]
    assert not Schema("", exact).violations(data)
    assert len(Schema("", [rule("max_to_be_between", "x", max_value=np.nextafter(high, 0))]).violations(data)) == 1
