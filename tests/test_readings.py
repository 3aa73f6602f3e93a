"""What holds for the score and its other readings – the letter, proven, applicable – whatever the evidence is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.result import CheckResult
from mltestscore.score import score
from tests.evidence import IDS, PROOFS, check, items_of, waive


def every(**how: object) -> list[CheckResult]:
    """Return the same check for each item."""
    return [check(id, **how) for id in IDS]


@pytest.mark.parametrize(
    ("state", "in_ci", "letter"),
    [("passed", True, 7), ("failed", True, 7), ("inconclusive", True, 7), ("failed", False, 3.5), ("error", True, 0)],
)
def test_letter_counts_what_ran_whatever_it_found(state: str, in_ci: bool, letter: float):
    """The paper credits that the test exists and runs; a check that broke did not run."""
    items = items_of(*every(state=state), in_ci=in_ci)

    assert score(items, in_ci=in_ci).readings.letter == letter


def test_letter_keeps_a_statement_beside_a_check_that_broke():
    """By the letter, a test that was done by hand stays done."""
    items = items_of(*every(state="error"), attested=IDS)

    assert (score(items).value, score(items).readings.letter) == (0, 3.5)


def test_letter_knows_repetition_from_the_history():
    """Failing three times on record is repeated, by the letter."""
    items = items_of(*every(state="failed", runs_before=2), in_ci=False)

    assert (score(items).value, score(items).readings.letter) == (0, 7)


@pytest.mark.parametrize(
    ("checks", "attested", "proven"),
    [
        (every(), (), 7),
        ([], IDS, 0),
        (every(proof="unproven", origin="marked test"), (), 0),
        (every(proof="proven", origin="marked test"), (), 7),
        (every(proof="vacuous"), IDS, 0),
    ],
)
def test_proven_counts_only_checks_that_proved_themselves(
    checks: list[CheckResult], attested: tuple[str, ...], proven: float
):
    """No person's word and no test that never showed that it can fail."""
    assert score(items_of(*checks, attested=attested)).readings.proven == proven


def test_applicable_rescales_to_what_applies():
    """Three of seven items waived as not applicable: two full credits of four are 3.5 of 7."""
    waivers = tuple(waive(f"infra.{number}") for number in (5, 6, 7))
    checks = [check(id) for id in IDS if not id.startswith("infra")] + [check("infra.1"), check("infra.2")]

    result = score(items_of(*checks, waivers=waivers))

    assert (result.value, result.readings.applicable) == (2, 3.5)


def test_applicable_leaves_a_section_out_that_does_not_apply_at_all():
    """A section whose seven items are waived cannot hold the reading back; the score stays as it is."""
    waivers = tuple(waive(id) for id in IDS if id.startswith("monitor"))

    result = score(items_of(*[check(id) for id in IDS if not id.startswith("monitor")], waivers=waivers))

    assert (result.value, result.readings.applicable) == (0, 7)


def test_applicable_is_not_moved_by_accepted_risks():
    """To live with an item is not to be without it."""
    waivers = tuple(waive(id, "accepted") for id in IDS)

    assert score(items_of(check(), waivers=waivers)).readings.applicable == 0


def test_a_rubric_that_does_not_apply_at_all_reads_zero():
    """28 waivers are no perfect score."""
    assert score(items_of(waivers=tuple(map(waive, IDS)))).readings.applicable == 0


any_check = st.builds(
    check,
    item=st.sampled_from(IDS[:3]),
    state=st.sampled_from(["passed", "failed", "inconclusive", "not_offered", "error"]),
    proof=st.sampled_from(sorted(PROOFS)),
    origin=st.sampled_from(["built-in", "team", "marked test"]),
    runs_before=st.integers(0, 3),
)
some_ids = st.lists(st.sampled_from(IDS[:3]), max_size=3).map(tuple)


@settings(deadline=None, max_examples=60)
@given(st.lists(any_check, max_size=5), some_ids, any_check, st.booleans())
def test_evidence_that_passes_never_lowers_anything(
    checks: list[CheckResult], attested: tuple[str, ...], added: CheckResult, in_ci: bool
):
    """One more check that passes, of whatever proof and origin, takes nothing from any item or reading."""
    more = added.model_copy(update={"state": "passed"})
    before = items_of(*checks, attested=attested, in_ci=in_ci)
    after = items_of(*checks, more, attested=attested, in_ci=in_ci)

    assert all(new.credit >= old.credit for old, new in zip(before, after, strict=True))
    old, new = score(before, in_ci=in_ci), score(after, in_ci=in_ci)
    assert new.value >= old.value
    assert new.readings.letter >= old.readings.letter
    assert new.readings.proven >= old.readings.proven


@settings(deadline=None, max_examples=40)
@given(st.lists(any_check, max_size=5), some_ids, st.sampled_from(IDS[:3]))
def test_an_attestation_never_lowers_anything(checks: list[CheckResult], attested: tuple[str, ...], added: str):
    """One more statement takes nothing."""
    before = items_of(*checks, attested=attested)
    after = items_of(*checks, attested=(*attested, added))

    assert all(new.credit >= old.credit for old, new in zip(before, after, strict=True))


@settings(deadline=None, max_examples=40)
@given(st.lists(any_check, max_size=5), some_ids, any_check)
def test_a_failure_never_raises_anything(checks: list[CheckResult], attested: tuple[str, ...], added: CheckResult):
    """One more check that fails gives nothing."""
    before = items_of(*checks, attested=attested)
    after = items_of(*checks, added.model_copy(update={"state": "failed"}), attested=attested)

    assert all(new.credit <= old.credit for old, new in zip(before, after, strict=True))
