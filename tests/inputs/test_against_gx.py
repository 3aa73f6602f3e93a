"""On thousands of random suites and frames our queries find what Great Expectations finds on pandas."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mltestscore.inputs import gx
from mltestscore.inputs.database import as_table
from mltestscore.inputs.expectations import can_compile, measure
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.sources import frame_to_arrow
from tests.inputs.gx_cases import difference, frames, rules

SUITES = 4  # of three rules, validated together: to start it takes longer than to run it
SIZE = 3
compared = {"pairs": 0, "rules": 0, "compiled": 0}
suites = st.lists(rules(), min_size=SUITES * SIZE, max_size=SUITES * SIZE)


def agree(frame: pd.DataFrame, several: list[Rule]) -> None:
    queried = [rule for rule in several if can_compile(rule)]
    ours = measure(as_table(frame_to_arrow(frame)), queried, examples=0)
    theirs = gx.validate(frame, queried)
    for rule, our, their in zip(queried, ours, theirs, strict=True):
        if our is None:
            continue
        compared["compiled"] += 1
        found = difference(rule, frame, our, their)
        assert not found, f"{found}\n{rule}\nours:   {our}\ntheirs: {their}\n{frame.to_dict('list')}\n{frame.dtypes}"
    compared["rules"] += len(queried)
    compared["pairs"] += SUITES


check = given(frame=frames(), several=suites)
profile = {
    "deadline": None,
    "derandomize": True,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


@settings(max_examples=30, **profile)
@check
def test_random_suites_agree(frame: pd.DataFrame, several: list[Rule]) -> None:
    agree(frame, several)


@pytest.mark.slow
def test_thousands_of_random_suites_agree() -> None:
    before = dict(compared)
    settings(max_examples=550, **profile)(check(agree))()
    done = {name: number - before[name] for name, number in compared.items()}
    print(f"{done['pairs']:,} suites on frames, {done['compiled']:,} of {done['rules']:,} rules compiled and compared")
    assert done["pairs"] >= 2_000
