"""What a team's unit tests are worth: findings of a run under coverage.py, and of changes of the code beneath them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore import Table, at_least, at_most, undecided
from mltestscore.codetests.mutation import Mutation, Tried
from mltestscore.codetests.observed_run import TestRun, run_tests
from mltestscore.stats.finite import finite_share
from mltestscore.stats.interval import CLEAR, Interval, two_levels

if TYPE_CHECKING:
    from mltestscore.codetests.session import Session
    from mltestscore.declare import Observations

FAILING, UNRUN, COVERED = "failing tests", "functions that no test runs", "statements and branches that tests run"
NOTICED, UNNOTICED = "changes of the code that a test notices", "functions in which no change is noticed"


def judged_tests(
    session: Session,
    *,
    min_coverage: float,
    min_noticed: float,
    min_changes: int,
    mutants: int,
    alpha: float,
    seconds: float,
    timeout: float,
) -> Observations:
    """Run the tests, then, where none fails, small changes of the code against them; a second look where one is open.

    Args:
        session: the tests at hand, and the code that they are for.
        min_coverage: share of a module's statements and branches that tests must run.
        min_noticed: share of the changes that they must notice.
        min_changes: so many changes of one function at least must be missed before it counts as not tested.
        mutants: changes drawn for the first look, and again for the second.
        alpha: level at which tests are accused.
        seconds: time for the changes.
        timeout: time for the tests.
    """
    run = run_tests(session, timeout)
    first = "; ".join(f"{name}: {said.splitlines()[-1]}" for name, said in list(run.failed.items())[:3] if said)
    yield at_most(FAILING, run.failures, 0, n=run.tests, cause=first[:500])
    yield from _run_by_tests(run, min_coverage)
    if not run.failures:
        mutation = Mutation(session, run)
        tried = mutation.tried(mutants, seconds)
        if not _decided(_share(tried, alpha), min_noticed):
            tried = mutation.tried(2 * mutants, seconds)
        yield from _changed(tried, _share(tried, alpha), min_noticed, min_changes)


def _run_by_tests(run: TestRun, min_coverage: float) -> Observations:
    unrun = [
        f"{module}: {function.name}"
        for module, file in run.files.items()
        for function in file.functions
        if not function.covered
    ]
    functions = sum(len(file.functions) for file in run.files.values())
    yield at_most(UNRUN, len(unrun), 0, n=functions, cause=", ".join(unrun[:5]))
    for module, file in run.files.items():
        if n := file.statements + file.branches:
            share = (file.covered + file.covered_branches) / n
            yield at_least(COVERED, share, min_coverage, where=module, unit="share", n=n)
    columns = ("module", "function", "line", "statements", "run by tests")
    rows = [
        (module, one.name, one.line, one.statements, one.covered)
        for module, file in run.files.items()
        for one in sorted(file.functions, key=lambda one: (one.covered == one.statements, one.line))
    ]
    yield Table("What the tests run", columns, rows)


def _share(tried: Tried, alpha: float) -> Interval | None:
    """The share of changes that are noticed; the levels are halved, since there may be a second look."""
    if not tried.drawn:
        return None
    n, every = len(tried.drawn), tried.all
    accusing, clearing = (finite_share(tried.noticed, n, every, level / 2) for level in (alpha, CLEAR))
    return two_levels(accusing, clearing, harm="below")


def _decided(share: Interval | None, limit: float) -> bool:
    return share is None or share.low >= limit or share.high < limit


def _changed(tried: Tried, share: Interval | None, min_noticed: float, min_changes: int) -> Observations:
    late = f"{tried.untried} more were drawn and not reached in time" if tried.untried else ""
    if share is None:
        yield undecided(NOTICED, late or "nothing in the code can be changed in a way that tests could notice")
        return
    missed = [outcome for outcome in (*tried.drawn, *tried.followed) if not outcome.noticed]
    places = ", ".join(f"{one.mutant.place.module}:{one.mutant.place.line}" for one in missed[:3])
    yield at_least(NOTICED, share, min_noticed, unit="share", cause=places, note=late)
    dull = list(tried.unnoticed_functions(min_changes))
    named = ", ".join(f"{module}: {function} ({count} changes)" for module, function, count in dull[:5])
    functions = {(one.mutant.place.module, one.mutant.place.function) for one in (*tried.drawn, *tried.followed)}
    yield at_most(UNNOTICED, len(dull), 0, n=len(functions), cause=named)
    columns = ("module", "line", "function", "as it is", "changed to", "tests that run the line")
    rows = [
        (place.module, place.line, place.function, one.mutant.before[:120], one.mutant.after[:120], one.tests)
        for one in missed
        for place in (one.mutant.place,)
    ]
    yield Table("Changes that no test notices", columns, rows)
