"""Clustered rows that break a rule are worth less than as many independent ones."""

from __future__ import annotations

import ibis
import numpy
import pandas as pd
import pytest
from scipy import stats

from mltestscore.inputs.clusters import clustered_share
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema

HOURS = numpy.repeat(numpy.arange(50), 20)


def test_the_share_of_hours_that_are_wholly_hit_is_worth_its_hours():
    few = (stats.t.isf(0.0005, 49) / stats.norm.isf(0.0005)) ** 2  # what a variance from 50 clusters costs
    table = ibis.memtable(pd.DataFrame({"hour": HOURS, "wind": numpy.where(HOURS < 5, None, 7.0)}))
    assert clustered_share(table, table.wind.isnull(), table.hour) == pytest.approx(20 * 50 / 49 * few)


@pytest.mark.parametrize(("cluster", "effect"), [("", 1), ("hour", 23)])
def test_a_violation_knows_what_its_rows_are_worth(cluster, effect):
    frame = pd.DataFrame({"hour": HOURS, "wind": pd.Series(7.0, index=range(1000)).mask(HOURS < 5)})
    rule = Rule("expect_column_values_to_not_be_null", {"column": "wind", "mostly": 0.95})
    found = Schema("a test", [rule]).violations(open_dataset("serving", frame, Roles(cluster=cluster)))
    assert [round(one.design_effect) for one in found] == [effect]


def test_without_examples_nothing_but_the_verdict_is_asked():
    frame = pd.DataFrame({"hour": HOURS, "wind": pd.Series(7.0, index=range(1000)).mask(HOURS < 5)})
    rule = Rule("expect_column_values_to_not_be_null", {"column": "wind", "mostly": 0.95})
    data, schema = open_dataset("serving", frame, Roles(cluster="hour")), Schema("a test", [rule])
    (bare,), (full,) = schema.violations(data, examples=0), schema.violations(data)
    assert (bare.unexpected, bare.rows, full.unexpected, full.rows) == (100, 1000, 100, 1000)
    assert (bare.design_effect, bare.examples, round(full.design_effect), len(full.examples)) == (1, (), 23, 3)


def test_a_rule_that_no_row_may_break_is_not_weakened():
    frame = pd.DataFrame({"hour": HOURS, "wind": pd.Series(7.0, index=range(1000)).mask(HOURS < 5)})
    rule = Rule("expect_column_values_to_not_be_null", {"column": "wind"})
    found = Schema("a test", [rule]).violations(open_dataset("serving", frame, Roles(cluster="hour")))
    assert [one.design_effect for one in found] == [1]
