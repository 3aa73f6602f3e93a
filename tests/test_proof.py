"""A planted fault is caught by the first finding that shows it; what the check would measure after it is not asked."""

from __future__ import annotations

from mltestscore import at_most, check, fault
from mltestscore.testing import run_check

seen: list[str] = []


@check("data.1")
def check_lengths(rows, *, most=3):
    seen.append("begun")
    try:
        yield at_most("longest", max(map(len, rows)), most)
        seen.append("went on")
        yield at_most("rows", len(rows), 5)
    finally:
        seen.append("ended")


@fault(check_lengths, "one is far too long", caught_by="longest")
def long_row(rows):
    return {"rows": [*rows, "x" * 99]}


@fault(check_lengths, "one is too long, among far too many", caught_by="rows")
def many_rows(rows):
    return {"rows": [*rows, "x" * 99, *["y"] * 9]}


def test_the_check_ends_at_the_finding_that_catches_the_fault():
    seen.clear()
    proof = run_check(check_lengths, rows=["a", "b"]).proof
    assert [(one.state, one.by) for one in proof.faults] == [("caught", "longest"), ("caught", "rows")]
    whole, cut = ["begun", "went on", "ended"], ["begun", "ended"]
    assert seen == [*whole, *whole, *cut, *whole]  # the check, its control, and a fault each: one failure is not enough
