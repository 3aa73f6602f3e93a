"""Which parts of the battery apply to a feature, what each tolerates, and in which rows it is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mltestscore.comparison.counting import value
from mltestscore.comparison.invariants import Now, Part, Tolerance, parts
from mltestscore.comparison.profile import Past, Windows
from mltestscore.inputs.database import as_table

ALLOWED = Tolerance(
    missing=0.01, spike=0.02, out_of_range=0.001, fraction=0.03, category=0.004, twins=0.005, new_value=0.006
)
YEAR, NONE = Windows("months", 2_592_000.0, 12), Windows()
WINDOWS = 12


def numbers(**changes: Any) -> Past:
    """Twelve windows of 1,000 whole numbers, 0 to 100, never missing."""
    same = np.full(WINDOWS, 1_000.0)
    none = np.zeros(WINDOWS)
    past = Past("x", "number", same, none, none, none, none + 100, none.astype(bool), distinct=100)
    return replace(past, **changes)


def texts(**categories: Sequence[float]) -> Past:
    """Twelve windows of 1,000 texts; a category has the rows that are given for it in each window."""
    nan = np.full(WINDOWS, np.nan)
    known = {name: np.array(rows, dtype=float) for name, rows in categories.items()}
    return numbers(kind="text", low=nan, high=nan, distinct=len(known), categories=known)


def last(rows: float) -> list[float]:
    return [0.0] * (WINDOWS - 1) + [rows]


def found(
    past: Past,
    served: Sequence[Any],
    windows: Windows = YEAR,
    *,
    frequent: Sequence[tuple[Any, int]] = (),
    shares: Any = None,
    atoms: Sequence[float] = (),
) -> dict[str, tuple[Part, list[bool]]]:
    """Return the parts by name, each with the served rows in which it is broken."""
    table = as_table(pa.table({"x": served}))
    now = Now(value(table["x"], past.kind), table["x"], frequent, len(served))
    return {
        part.name: (part, [bool(row) for row in part.event.to_pyarrow().to_pylist()])
        for part in parts(past, now, windows, shares, atoms, ALLOWED)
    }


MISSING, TYPE, FAR = "missing values", "texts that are no number", "values far out of the past range"
NEW, GRAIN, SPIKE = "a new value out of the past range", "values of another granularity", "one value too often"
TWIN, UNSEEN = "known categories in another form", "categories never seen before"


def test_missing_values_may_be_twice_as_many_as_in_the_worst_past_window() -> None:
    gaps = np.array([0.0] * 11 + [50.0])
    part, broken = found(numbers(missing=gaps), [1.0, None, float("inf")])[MISSING]
    assert part.limit == pytest.approx(2 * 0.05 + ALLOWED.missing)
    assert (broken, part.advisory) == ([False, True, False], False)
    assert "5.00% in one of 12 past months" in part.cause


@pytest.mark.parametrize(("few", "worst"), [(99, 0.0), (100, 0.2)])
def test_a_past_window_of_few_rows_is_no_worst_one(few: int, worst: float) -> None:
    rows, gaps, shares = np.full(WINDOWS, 1_000.0), np.zeros(WINDOWS), np.zeros((WINDOWS, 1))
    rows[-1], gaps[-1], shares[-1] = few, few / 5, 0.2
    past = numbers(rows=rows, missing=gaps)
    result = found(past, [7.0], frequent=[(7.0, 1)], shares=shares, atoms=[7.0])
    assert result[MISSING][0].limit == pytest.approx(2 * worst + ALLOWED.missing)
    pooled = 0.2 * few / rows.sum()
    assert result[SPIKE][0].limit == pytest.approx(pooled + max(ALLOWED.spike, 3 * worst))


@pytest.mark.parametrize(
    ("share", "limit", "advisory"),
    [(0.0, ALLOWED.missing, False), (0.2, 0.6, False), (0.4, 0.7, False), (0.5, 0.75, True)],
)
def test_without_past_windows_only_a_break_of_kind_accuses(share: float, limit: float, advisory: bool) -> None:
    part, _ = found(numbers(missing=np.full(WINDOWS, 1_000 * share)), [1.0], NONE)[MISSING]
    assert part.limit == pytest.approx(limit)
    assert part.advisory is advisory


def test_a_limit_that_nothing_exceeds_is_left_out() -> None:
    mostly_empty = numbers(missing=np.array([0.0] * 11 + [600.0]))
    assert MISSING not in found(mostly_empty, [1.0])
    assert MISSING in found(mostly_empty, [1.0], NONE)


@pytest.mark.parametrize(
    "past",
    [
        numbers(distinct=12_000),
        numbers(low=np.arange(WINDOWS) * 10.0, high=np.arange(WINDOWS) * 10.0 + 10),
        numbers(missing=np.full(WINDOWS, 995.0)),
        replace(texts(a=[1_000.0] * WINDOWS), distinct=5_000),
    ],
    ids=["identifier", "counter", "hardly any value", "free text"],
)
def test_of_what_is_no_measurement_only_gaps_are_looked_at(past: Past) -> None:
    assert set(found(past, ["1"], NONE)) == {MISSING}


def test_only_text_that_is_no_number_breaks_the_type() -> None:
    part, broken = found(numbers(), ["5", "n/a", "", None, "1e3"])[TYPE]
    assert broken == [False, True, False, False, False]
    assert "text is served where numbers were" in part.cause
    assert TYPE not in found(numbers(), [5.0])


def test_half_a_span_beyond_the_range_is_far_and_all_beyond_it_may_be_chance() -> None:
    served = [-20.5, -20.0, 19.5, 20.0, 100.0, 100.5, 140.0, 140.5]
    part, broken = found(numbers(low=np.full(WINDOWS, 20.0)), served)[FAR]
    assert [one for one, is_far in zip(served, broken, strict=True) if is_far] == [-20.5, 140.5]
    chance = part.chance.to_pyarrow().to_pylist()
    assert [one for one, is_new in zip(served, chance, strict=True) if not is_new] == [20.0, 100.0]
    assert part.limit == ALLOWED.out_of_range


@pytest.mark.parametrize("high", [0.0, np.inf, np.nan], ids=["constant", "infinite", "empty"])
def test_without_a_span_there_is_no_range(high: float) -> None:
    assert not {FAR, NEW} & set(found(numbers(high=np.full(WINDOWS, high)), [1.0]))


@pytest.mark.parametrize(
    ("frequent", "windows", "named"),
    [
        ([(-1.0, 50), (5.0, 40)], YEAR, -1.0),  # a usual default, however near
        ([(-3.0, 50)], YEAR, None),  # no default, and near
        ([(-20.0, 50)], YEAR, -20.0),
        ([(-20.0, 50)], NONE, None),  # without windows, the range is hardly known: half a span away
        ([(-60.0, 50)], NONE, -60.0),
        ([(-20.0, 50), (-21.0, 40)], YEAR, None),  # not alone: a distribution that moved
        ([(-20.0, 50), (121.0, 40)], YEAR, -20.0),  # alone on its side
        ([(50.0, 50)], YEAR, None),
    ],
)
def test_a_new_value_stands_alone_beyond_the_range(
    frequent: list[tuple[float, int]], windows: Windows, named: float | None
) -> None:
    result = found(numbers(), [-1.0, -20.0, -60.0, 5.0], windows, frequent=frequent)
    assert (NEW in result) is (named is not None)
    if named is not None:
        part, broken = result[NEW]
        assert f"{named:g} is new" in part.cause
        assert broken == [one == named for one in (-1.0, -20.0, -60.0, 5.0)]


def test_fractions_among_whole_numbers_and_whole_numbers_among_fractions_are_broken() -> None:
    part, broken = found(numbers(), [1.0, 1.5, -2.5])[GRAIN]
    assert (broken, part.limit) == ([False, True, True], ALLOWED.fraction)
    fractions = numbers(fractions=np.full(WINDOWS, 999.5))
    part, broken = found(fractions, [1.0, 1.5, None])[GRAIN]
    assert (broken, part.cause) == ([True, False, False], "truncated: whole numbers where only fractions were")


def test_an_infinity_and_a_number_beyond_64_bits_end_no_query() -> None:
    assert found(numbers(), [float("inf"), 1e300, 5.0])[FAR][1] == [True, True, False]


@pytest.mark.parametrize("fractions", [np.full(WINDOWS, 500.0), np.array(last(11.0))], ids=["mixed", "in one window"])
def test_where_fractions_come_and_go_granularity_says_nothing(fractions: np.ndarray) -> None:
    assert GRAIN not in found(numbers(fractions=fractions), [1.0])


def spike(past_shares: Sequence[float], atom: float, served: float, windows: Windows = YEAR) -> Part:
    rows = [atom] * round(1_000 * served) + [55.5] * round(1_000 * (1 - served))
    shares = np.array(past_shares, dtype=float)[:, None]
    result = found(numbers(), rows, windows, frequent=[(atom, rows.count(atom))], shares=shares, atoms=[atom])
    part, broken = result[SPIKE]
    assert sum(broken) == rows.count(atom)
    return part


def test_a_value_may_grow_three_times_as_much_as_any_ever_did() -> None:
    part = spike([0.1] * 11 + [0.2], 7.0, 0.5)
    assert part.limit == pytest.approx((0.1 * 11 + 0.2) / 12 + 3 * 0.1)
    assert "7 holds 50.00% of the rows" in part.cause
    assert not part.advisory


def test_growth_is_over_all_windows_before_and_falling_is_none() -> None:
    assert spike([0.3, 0.1] + [0.2] * 10, 7.0, 0.5).limit == pytest.approx(0.2 + ALLOWED.spike)
    assert spike([0.2, 0.0, 0.2] + [0.2] * 9, 7.0, 0.9).limit == pytest.approx(2.2 / 12 + 3 * 0.1)


def test_a_usual_default_that_hardly_ever_was_may_grow_only_as_much_as_values_do() -> None:
    shares = np.column_stack([np.zeros(WINDOWS), [0.1] * 11 + [0.2]])
    for atom, growth in ((-1.0, 0.1), (5.0, 0.3)):
        served = [atom] * 500 + [60.0] * 500
        atoms = [atom, 60.0]
        frequent = [(atom, 500), (60.0, 500)]
        part, _ = found(numbers(), served, frequent=frequent, shares=shares, atoms=atoms)[SPIKE]
        assert part.limit == pytest.approx(growth)


def test_the_value_most_beyond_its_limit_is_the_one_named() -> None:
    shares = np.column_stack([np.full(WINDOWS, 0.6), np.full(WINDOWS, 0.0)])
    frequent = [(1.0, 600), (2.0, 300)]
    served = [1.0] * 600 + [2.0] * 300 + [3.0] * 100
    part, broken = found(numbers(), served, frequent=frequent, shares=shares, atoms=[1.0, 2.0])[SPIKE]
    assert part.cause.startswith("default or clip: 2 holds 30.00%")
    assert sum(broken) == 300


def test_without_past_windows_a_spike_is_shown_and_judges_nothing() -> None:
    part = spike([0.1] * 12, 7.0, 0.5, NONE)
    assert (part.limit, part.advisory) == (pytest.approx(0.2), True)


def test_a_known_category_in_another_form_is_told_from_a_new_one() -> None:
    served, steady = ["Zoë", "zoe ", "B6", None], [500.0] * WINDOWS
    frequent = [("Zoë", 1), ("zoe ", 1), ("B6", 1)]
    result = found(texts(Zoë=steady, Al=steady), served, frequent=frequent)
    assert result[TWIN][1] == [False, True, False, False]
    assert "'zoe ' for 'Zoë'" in result[TWIN][0].cause
    assert result[UNSEEN][1] == [False, False, True, False]
    assert result[UNSEEN][0].cause == "new categories: 'B6'"
    assert result[UNSEEN][0].limit == pytest.approx(ALLOWED.category)


def test_where_the_past_has_two_forms_of_a_name_a_third_is_neither_twin_nor_new() -> None:
    steady = [500.0] * WINDOWS
    result = found(texts(aa=steady, AA=steady), ["Aa"], frequent=[("Aa", 1)])
    assert (result[TWIN][1], result[UNSEEN][1]) == ([False], [False])


def test_new_categories_may_be_three_times_as_many_as_ever_came_new() -> None:
    """The first three windows do not count: there, everything is new."""
    past = texts(a=[1_000.0] * WINDOWS, early=[0.0, 0.0, 40.0] + [0.0] * 9, late=last(20.0))
    part, _ = found(past, ["b"], frequent=[("b", 1)])[UNSEEN]
    assert part.limit == pytest.approx(ALLOWED.category + 3 * 0.02)
    part, _ = found(past, ["b"], NONE, frequent=[("b", 1)])[UNSEEN]
    assert (part.limit, part.advisory) == (pytest.approx(ALLOWED.category), True)


def test_a_category_that_comes_back_is_not_new() -> None:
    past = texts(a=[900.0] * WINDOWS, seasonal=[100.0] + [0.0] * 10 + [100.0])
    part, broken = found(past, ["seasonal"], frequent=[("seasonal", 1)])[UNSEEN]
    assert (part.limit, broken) == (pytest.approx(ALLOWED.category), [False])
