"""What a trace is made of: any answer of a team's function, tidied, and shown within bounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.tracing.judged import ends_in, names_shown, not_shown, same
from mltestscore.tracing.trace import MOST_VALUES, Step, Trace, Value, as_table, scored, tidy


def test_answers_of_every_form_become_steps():
    answer = {
        "row": {"age": np.int64(3), "town": "Ulm", "gone": None},
        "layer": np.array([[0.5, 1.5]]),
        "named": pd.Series([1.0], index=["z"]),
        "table": pd.DataFrame({"q": [7]}),
        "score": np.float32(0.25),
    }
    steps = tidy(answer)
    assert [(one.name, one.value) for one in steps[0].values] == [("age", 3), ("town", "Ulm"), ("gone", None)]
    assert [one.name for one in steps[1].values] == ["layer[0]", "layer[1]"]
    assert (steps[2].values[0].name, steps[3].values[0].value) == ("z", 7)
    assert Trace(steps).last == (0.25,)
    assert Trace(tidy([("a", 1), ("score", "0.5")])).last == (0.5,)


@pytest.mark.parametrize("answer", [None, 3, [], {}, "score", [1, 2], [("a", 1, 2)]])
def test_what_is_no_trace_is_refused(answer):
    with pytest.raises(TypeError, match="it returned"):
        tidy(answer)


def test_values_are_cut_and_none_is_executed():
    hostile = {"x" * 999: "<script>" * 99, "many": list(range(MOST_VALUES * 2)), "score": object()}
    steps = tidy(hostile)
    assert len(steps[0].name) == len(str(steps[0].values[0].value)) == 120
    assert sum(len(step.values) for step in steps) <= MOST_VALUES + 1
    assert Trace(steps).last == ()


def test_a_long_trace_is_shown_within_bounds_first_and_last():
    steps = [Step(f"step {place}", tuple(Value(f"v{one}", 1.0) for one in range(40))) for place in range(90)]
    table = as_table("t", Trace((*steps, scored([0.5]))))
    assert len(table.rows) <= 50
    assert not table.left_out
    assert (table.rows[0][0], table.rows[-1][:3]) == ("step 0", ("score", "score", 0.5))
    assert any("more steps" in str(row[0]) for row in table.rows)


def test_a_name_shows_the_longest_feature_in_it():
    shown = names_shown(["age", "max_age", "town"], {"place": ["town"]})
    assert shown("num__max_age") == {"max_age"}
    assert shown("AGE in years") == {"age"}
    assert shown("town_Ulm") == {"town"}
    assert shown("page") == shown("") == frozenset()
    assert shown("place") == {"town"}


def test_a_feature_that_is_missing_or_zero_need_not_be_shown():
    rows = pd.DataFrame({"a": [1.0, 0.0, np.nan], "b": [1.0, 2.0, 3.0]})
    traces = [Trace((Step("a", (Value("a", 1.0),)),)), Trace(), Trace()]
    assert not_shown(traces, rows, ["a", "b"], {}) == ["b"]


def test_scores_of_classes_and_of_one_class_are_compared():
    both = Trace((scored([0.3, 0.7]),))
    assert ends_in(both, 0.7, 1e-9)
    assert not ends_in(both, 0.3, 1e-9)
    assert ends_in(Trace((scored([0.6]),)), [0.1, 0.6, 0.3], 1e-9)
    assert not ends_in(Trace(), 0.5, 1e-9)
    assert same("3.0000001", 3)
    assert same(None, float("nan"))
    assert not same("a", "b")
