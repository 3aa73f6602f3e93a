"""Credits, sections, score and readings: every rule of CONTRIBUTING.md, section Score, by example and by property."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore import at_most
from mltestscore import check as declare
from mltestscore.errors import ConfigError
from mltestscore.evidence import Statements
from mltestscore.result import CheckResult, FaultRecord, FindingRecord, Proof
from mltestscore.rubric import rubric
from mltestscore.score import assemble, is_repeated, score
from mltestscore.scorecard import ItemResult, Rejected
from mltestscore.testing import run_check
from tests.evidence import CAUGHT, IDS, PROOFS, check, items_of, waive

ESTIMATE = [FindingRecord(name="estimated quality lost", verdict="passed", proxy=True)]


def first(*checks: CheckResult, **how: object) -> ItemResult:
    """Return the item data.1."""
    return items_of(*checks, **how)[0]


def test_every_item_is_there_in_order_with_its_texts():
    """A run without any result still shows the whole rubric."""
    items = items_of()

    assert [item.id for item in items] == list(IDS)
    assert {(item.state, item.credit) for item in items} == {("not_offered", 0.0)}
    assert items[0].title == rubric().item("data.1").title
    assert items[0].credit_reason == "No evidence was offered."


def test_a_result_for_an_unknown_item_is_an_error():
    """Evidence never disappears."""
    with pytest.raises(ConfigError, match=r"no item 'data\.9'"):
        items_of(check("data.9"))


# One check, every combination.
EXPECTED: dict[tuple[str, str, str], tuple[str, float, float]] = {
    # (state, proof, origin): (item state, credit when repeated, credit when not)
    ("passed", "proven", "built-in"): ("passed", 1.0, 0.5),
    ("passed", "proven", "team"): ("passed", 1.0, 0.5),
    ("passed", "proven", "marked test"): ("passed", 1.0, 0.5),
    ("passed", "unproven", "marked test"): ("passed", 0.5, 0.5),
    ("passed", "unproven", "built-in"): ("inconclusive", 0.0, 0.0),
    ("passed", "unproven", "team"): ("inconclusive", 0.0, 0.0),
    ("passed", "vacuous", "built-in"): ("inconclusive", 0.0, 0.0),
    ("passed", "vacuous", "team"): ("inconclusive", 0.0, 0.0),
    ("passed", "vacuous", "marked test"): ("inconclusive", 0.0, 0.0),
}
STATES = ("passed", "failed", "inconclusive", "not_offered", "error")
ORIGINS = ("built-in", "team", "marked test")


@pytest.mark.parametrize("in_ci", [True, False])
@pytest.mark.parametrize(("state", "proof", "origin"), list(product(STATES, PROOFS, ORIGINS)))
def test_credit_of_one_check(state: str, proof: str, origin: str, in_ci: bool):
    """Only what passed earns anything, and how much depends on proof, origin and repetition."""
    expected, repeated, once = EXPECTED.get((state, proof, origin), (state, 0.0, 0.0))

    item = first(check(state=state, proof=proof, origin=origin), in_ci=in_ci)

    assert (item.state, item.credit) == (expected, repeated if in_ci else once)
    assert item.credit_reason.endswith(".")


@pytest.mark.parametrize(("before", "credit"), [(0, 0.5), (1, 0.5), (2, 1.0), (9, 1.0)])
def test_the_third_run_on_record_counts_as_repeated(before: int, credit: float):
    """This run counts too: two earlier ones are enough for three."""
    item = first(check(runs_before=before), in_ci=False)

    assert item.credit == credit


def test_ci_counts_as_repeated_at_once():
    """The first run in CI is the first of many."""
    assert is_repeated(check(runs_before=0), in_ci=True, repeated_runs=3)
    assert not is_repeated(check(runs_before=2), in_ci=False, repeated_runs=4)


def test_an_attestation_is_worth_half():
    """A person's word alone earns half a point."""
    item = first(attested=("data.1",))

    assert (item.state, item.credit) == ("attested", 0.5)
    assert item.credit_reason.startswith("Ada vouches for it until 2027-05-01; the other half takes a check")


def test_attestations_do_not_add_up():
    """Two statements are still half a point."""
    assert first(attested=("data.1", "data.1")).credit == 0.5


@pytest.mark.parametrize("state", ["failed", "error"])
def test_what_failed_cuts_the_credit_to_zero(state: str):
    """No other evidence makes up for a check that failed or erred."""
    item = first(check(), check(state=state, id="data.1/own"), attested=("data.1",))

    assert (item.state, item.credit) == (state, 0.0)
    assert item.credit_reason.startswith("data.1/own ")
    assert "cuts the credit to 0" in item.credit_reason


@pytest.mark.parametrize(
    ("failed", "named"),
    [(1, "data.1/0"), (3, "data.1/0, data.1/1, data.1/2"), (5, "data.1/0, data.1/1, data.1/2 and 2 more")],
)
def test_three_of_the_checks_that_failed_are_named_and_the_others_counted(failed: int, named: str):
    item = first(*(check(state="failed", id=f"data.1/{number}") for number in range(failed)))

    assert item.credit_reason.startswith(f"{named} failed, which cuts")


def test_doubt_never_passes():
    """An inconclusive check beside one with full credit leaves half a point."""
    item = first(check(), check(state="inconclusive", id="data.1/own"))

    assert (item.state, item.credit) == ("inconclusive", 0.5)
    assert "data.1/own came to no conclusion, so no more than ½" in item.credit_reason


def test_doubt_takes_nothing_from_half_a_point():
    """An attestation beside an inconclusive check keeps its half point, and the item stays in doubt."""
    item = first(check(state="inconclusive"), attested=("data.1",))

    assert (item.state, item.credit) == ("inconclusive", 0.5)


def test_a_missing_input_of_one_check_does_not_hurt_another():
    """Not offered is no evidence in either direction."""
    item = first(check(), check(state="not_offered", id="data.1/own"))

    assert (item.state, item.credit) == ("passed", 1.0)


def test_harm_shown_outranks_a_broken_check():
    """The reader sees the failure first."""
    item = first(check(state="error", id="data.1/own"), check(state="failed"))

    assert item.state == "failed"


def test_a_vacuous_check_names_the_fault_that_it_missed():
    """The reason for no credit is the planted fault by name."""
    item = first(check(proof="vacuous"))

    assert item.credit_reason == (
        "data.1 passed, but it proves nothing: it did not notice the planted fault «nulls are let in»."
    )


def test_a_proof_may_fail_in_other_ways():
    """A fault that could not be planted and a control that was not quiet are told as such."""
    broken = Proof(state="vacuous", faults=[FaultRecord(name="late rows", state="error", by="KeyError: 'time'")])
    noisy = Proof(state="vacuous", faults=[CAUGHT], control="p95 failed already")

    reasons = [first(check().model_copy(update={"proof": proof})).credit_reason for proof in (broken, noisy)]

    assert "the fault «late rows» (KeyError: 'time') could not be planted" in reasons[0]
    assert "it was not quiet on the unbroken copy (p95 failed already)" in reasons[1]


def test_a_vacuous_check_beside_an_attestation_is_attested():
    """A check that proves nothing neither gives nor takes; the reasons name both."""
    item = first(check(proof="vacuous"), attested=("data.1",))

    assert (item.state, item.credit) == ("attested", 0.5)
    assert "Ada vouches" in item.credit_reason
    assert "nulls are let in" in item.credit_reason


def test_what_is_missing_is_said_where_nothing_was_offered():
    """The reason carries the remedy of the missing input."""
    item = first(check(state="not_offered", reason="schema is not offered; set [tool.mltestscore.schema]"))

    assert item.credit_reason == "No evidence was offered. schema is not offered; set [tool.mltestscore.schema]"


@pytest.mark.parametrize(
    ("made", "in_ci", "words"),
    [
        (check(), True, "Full credit: data.1 passed, caught what was planted, and is repeated (it runs in CI)."),
        (check(runs_before=2), False, "is repeated (3 runs are on record)."),
        (check(runs_before=1), False, "not repeated yet: this is run 2 of the 3 within the window"),
        (check(proof="unproven", origin="marked test"), True, "a marked test is worth ½ until it has a planted fault"),
        (check(proof="unproven", origin="team"), True, "plants no fault, so nothing shows that it can fail"),
    ],
)
def test_the_reason_says_why_not_more(made: CheckResult, in_ci: bool, words: str):
    """Each credit comes with the sentence that explains it."""
    assert words in first(made, in_ci=in_ci).credit_reason


def test_statements_stand_with_their_item():
    """Waivers and rejected statements are shown where they belong and change no credit."""
    rejected = Rejected(item="data.2", what="attestation", source="a.toml", reason="it is undated")
    items = assemble([], Statements((), (waive("data.3"),), (rejected,)), in_ci=True)

    assert (items[1].rejected, items[2].waivers) == ([rejected], [waive("data.3")])
    assert {item.credit for item in items} == {0.0}


# ------------------------------------------------------------------------------------------------------ the score


def full(credit: Callable[[str], float]) -> list[ItemResult]:
    """Return items with the given credits, made of evidence that is worth that much."""
    checks = [check(id) for id in IDS if credit(id) == 1]
    return items_of(*checks, attested=tuple(id for id in IDS if credit(id) == 0.5))


def test_the_score_is_the_lowest_section():
    """The other sections do not help."""
    result = score(full(lambda id: 0.5 if id == "monitor.3" else 0.0 if id.startswith("monitor") else 1.0))

    assert [section.value for section in result.sections] == [7, 7, 7, 0.5]
    assert (result.value, result.points_2016) == (0.5, 1)
    assert result.holds_back == ["monitor"]
    assert result.band.startswith("Not wholly untested")


def test_nothing_at_all_is_a_research_project():
    """Zero has its own band in both versions, and every section holds back."""
    result = score(items_of())

    assert (result.value, result.points_2016) == (0, 0)
    assert result.band == result.band_2016 == "A research project rather than a system in production"
    assert result.holds_back == ["data", "model", "infra", "monitor"]


def test_a_perfect_system_is_held_back_by_nothing():
    """Seven of seven."""
    result = score(full(lambda id: 1.0))

    assert (result.value, result.points_2016, result.holds_back) == (7, 14, [])


def test_the_2016_gap_is_reached_and_named():
    """5.5 points are 11 in 2016, for which no band was published; 2017 closes the gap."""
    result = score(full(lambda id: {"6": 0.5, "7": 0.0}.get(id[-1], 1.0)))

    assert (result.value, result.points_2016) == (5.5, 11)
    assert result.band_2016.startswith("No band was published for 11")
    assert result.band == "Exceptional automated testing and monitoring"


credits = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=28, max_size=28)


@settings(deadline=None, max_examples=40)
@given(credits)
def test_the_minimum_rule_recomputed_by_hand(values: list[float]):
    """The score is the smallest of four sums of seven credits; 2016 points are twice that."""
    result = score(full(dict(zip(IDS, values, strict=True)).__getitem__))

    sums = [sum(values[start : start + 7]) for start in (0, 7, 14, 21)]
    assert [section.value for section in result.sections] == sums
    assert result.value == min(sums)
    assert result.points_2016 == 2 * min(sums)
    named = zip(("data", "model", "infra", "monitor"), sums, strict=True)
    assert result.holds_back == [section for section, total in named if total == min(sums) < 7]


def test_a_check_that_rests_on_a_proxy_is_worth_a_half_however_often_it_is_repeated():
    """An estimate without labels is better than nothing, and not what the item asks for."""
    estimated = first(check(findings=ESTIMATE), in_ci=True)
    measured = first(check(), check(findings=ESTIMATE, id="data.1/team"), in_ci=True)

    assert (estimated.state, estimated.credit) == ("passed", 0.5)
    assert "estimated quality lost" in estimated.credit_reason
    assert [
        score(items_of(*(check(item, findings=found) for item in IDS)), in_ci=True).readings.letter
        for found in ([], ESTIMATE)
    ] == [7, 3.5]
    assert measured.credit == 1


def test_a_finding_that_is_a_proxy_makes_its_check_one_unless_it_is_advisory():
    """What the check yields decides, not how it is declared."""

    @declare("data.1", id="data.1/estimate")
    def check_estimate(rows, *, advisory=False):
        yield replace(at_most("estimated rows", len(rows), 3), proxy=True, advisory=advisory)
        yield at_most("rows", len(rows), 3)

    assert run_check(check_estimate, rows=[1]).proxy == "estimated rows"
    assert run_check(check_estimate, rows=[1], options={"advisory": True}).proxy == ""
