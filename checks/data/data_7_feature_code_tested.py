"""The feature code has tests that run it and that notice when it is wrong, and both of its paths keep its promises.

Why
    A feature that is wrong in training and in test data alike looks right to every measure of quality. Its own unit
    tests are about the only place where the bug can still be seen.

Measured
    The team's tests run once in a copy of the project, under coverage.py with branches. Then small changes of the code
    (``<`` for ``<=``, 23 for 24, a lost ``not``; by Cosmic Ray, drawn at random) are run against the tests that run the
    changed line: how many are noticed? Functions in which none is noticed are looked at again. Last, where ``batch``,
    ``online`` and ``raw`` are configured, Hypothesis draws frames of raw rows, with midnights, leap days and changes of
    the clock, and holds both paths to six properties.

Passes when
    no test fails, the tests run 80 % of statements and branches and some of every function, they notice 80 % of the
    changes and one at least in every function, and no frame of raw rows breaks a property.

If it fails
    Test the functions that are named; for each change that is listed as not noticed, write the test that tells both
    lines apart. Exclude what needs no test with ``# pragma: no cover``. A broken property comes with rows that show it.

Options
    min_coverage .8: common practice; full coverage of glue code is no aim. min_noticed .8: Breck et al. give none; the
    value that data.1 asks of a schema. min_changes 3: fewer changes of one function may all leave it the same program.
    mutants 24, and as many more where these do not decide at 95 %, both looks together; alpha .0001, likewise. seconds
    90 for the changes. examples 10: frames of up to 16 rows, besides every edge. tolerance 1e-9: sums in another order
    differ in the 16th digit. timeout: seconds for the tests.

Source
    Breck et al. 2017, Data 7; DeMillo, Lipton and Sayward 1978 (mutants); Buonaccorsi 1987 (hypergeometric bounds).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from mltestscore import Table, Text, at_most, check, fault
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.codetests.properties import Tries
    from mltestscore.declare import Observations
    from mltestscore.inputs.feature_code import FeatureCode

NOTICED = "changes of the code that a test notices"
FAULTS = "mltestscore.codetests.path_faults"


@check("data.7", proof_options={"mutants": 7})
def check_feature_code_tested(
    features: FeatureCode,
    *,
    min_coverage: float = 0.8,
    min_noticed: float = 0.8,
    min_changes: int = 3,
    mutants: int = 24,
    alpha: float = 0.0001,
    seconds: float = 90.0,
    examples: int = 10,
    tolerance: float = 1e-9,
    timeout: float = 120.0,
) -> Observations:
    """Run the tests of the feature code, change the code under them, and hold both paths to their properties."""
    from mltestscore.codetests.judged import judged_tests
    from mltestscore.codetests.properties import try_properties
    from mltestscore.codetests.session import Session
    from mltestscore.inputs.feature_code import TABLE

    offered = features.raw is not None and bool(features.batch or features.online)
    with ThreadPoolExecutor(1) as pool, Session(features) as session:
        held = partial(try_properties, features, examples=examples, seconds=seconds, tolerance=tolerance)
        tries = pool.submit(held) if offered else None  # while the tests run
        yield from judged_tests(
            session,
            min_coverage=min_coverage,
            min_noticed=min_noticed,
            min_changes=min_changes,
            mutants=mutants,
            alpha=alpha,
            seconds=seconds,
            timeout=timeout,
        )
        if tries is not None:
            yield from _held(tries.result())
        else:
            yield Text(
                "Properties that were not tried", f"Name batch, online and raw under {TABLE} to have them tried."
            )


def _held(tries: Tries) -> Observations:
    rows = []
    for one in tries.properties:
        shown = f"{one.feature}: {one.values[0]} and {one.values[1]}" if any(one.values) else one.feature
        said = ", ".join(filter(None, (one.said, shown)))
        yield at_most(one.name, one.broken, 0, n=one.tried, cause=said[:500])
        if one.broken:
            rows.append((one.name, said[:500], one.rows[:600]))
    if rows:
        yield Table("Raw rows that break a property", ("property", "what differs", "raw rows"), rows)
    yield Text("Edges that raw rows were pushed to", ", ".join(tries.edges) or "none: no rules and no dates to move")


@fault(check_feature_code_tested, "the tests run everything and compare nothing", caught_by=NOTICED)
def deaf_tests(features: FeatureCode) -> Mapping[str, Any]:
    """Every test passes whatever it sees."""
    return {"features": features.deafened()}


@fault(check_feature_code_tested, "the batch path takes features from the row before")
def row_before(features: FeatureCode) -> Mapping[str, Any]:
    """As a shift over a frame that nobody sorted."""
    return {"features": _with(features, "batch", "from_the_row_before")}


@fault(check_feature_code_tested, "the online path computes in another unit")
def another_unit(features: FeatureCode) -> Mapping[str, Any]:
    """Hours for minutes."""
    if not features.batch:
        raise NotOffered("batch", "name it under [tool.mltestscore.features]")
    return {"features": _with(features, "online", "another_unit")}


@fault(check_feature_code_tested, "the batch path writes into its input")
def into_the_input(features: FeatureCode) -> Mapping[str, Any]:
    """The caller's frame loses a column's values."""
    return {"features": _with(features, "batch", "into_the_input")}


def _with(features: FeatureCode, path: str, name: str) -> FeatureCode:
    if features.raw is None or not getattr(features, path):
        raise NotOffered(path, "name it under [tool.mltestscore.features]")
    return features.wrapped(path, f"{FAULTS}:{name}")
