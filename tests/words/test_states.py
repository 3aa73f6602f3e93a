from mltestscore import Interval, at_most
from mltestscore.finding import undecided
from mltestscore.scorecard import ItemResult
from mltestscore.words import states
from tests.reports.records import check, record
from tests.reports.samples import card, flights, perfect


def item(id: str) -> ItemResult:
    return next(item for item in flights().items if item.id == id)


def test_items_are_grouped_worst_first_and_in_rubric_order() -> None:
    groups = states.grouped(reversed(flights().items))
    assert [state for state, _ in groups] == list(states.STATES)
    assert [entry.section for entry in dict(groups)["passed"]] == ["data"] * 3 + ["model"] * 4 + ["infra"] * 3 + [
        "monitor"
    ] * 3


def test_the_verdict_answers_first_and_then_says_why() -> None:
    assert states.verdict(item("monitor.3")).startswith("Does not hold. temp: rows that differ is 4.9 %")
    assert states.verdict(item("model.2")).endswith("By R. Okafor on 2026-10-02.")
    assert states.verdict(item("infra.5")).startswith("Not looked at. Endpoint is not offered")
    assert states.verdict(item("data.3")) == "Not looked at."


def test_a_check_that_missed_a_fault_is_said_to_prove_nothing() -> None:
    assert "proves nothing" in states.verdict(item("data.4"))


def test_a_reason_is_made_of_the_deciding_findings_where_the_check_gives_none() -> None:
    findings = [at_most("errors", n, 0, where=name, n=9) for n, name in ((0, "a"), (1, "b"), (2, "c"), (3, "d"))]
    assert states.reason(check("data.1", findings)) == (
        "b: errors 1 (limit: at most 0); c: errors 2 (limit: at most 0); and 1 more finding"
    )
    assert states.reason(check("data.1", findings[:1])) == "1 finding within the limit"


def test_a_finding_is_said_with_its_cause_or_why_it_was_not_measured() -> None:
    broken = at_most("late rows", Interval(0.2, 0.1, 0.3, 50, 0.95, "x"), 0.05, unit="share", cause="a stalled table")
    assert states.said(record(broken)) == "late rows 20\u202f% (limit: at most 5 %): a stalled table"
    assert states.said(record(undecided("late rows", "no rows"))) == "late rows – no rows"


def test_only_a_proof_made_again_in_this_run_is_a_renewed_one() -> None:
    quiet = [at_most("errors", 0, 0, n=9)]
    results = [
        check("data.1", quiet, proof_of=""),
        check("data.2", quiet),
        check("data.3", quiet, proof_of="", runs_before=0),
        check("data.4", quiet, faults=0, proof_of=""),
        check("data.5", quiet, missed="a fault"),
    ]
    assert [one.proof.state for one in results] == ["proven"] * 3 + ["unproven", "vacuous"]
    assert states.renewed(card(results)) == "1 proof renewed"
    assert states.renewed(card(results[1:])) == ""
    assert states.renewed(flights()) == "2 proofs renewed"


def test_the_trend_goes_from_the_first_run_on_record_to_this_one() -> None:
    assert states.trend(flights()) == "0.5 → 2.5 over 6 runs"
    assert states.trend(flights(trend=[])) == ""


def test_counts_and_the_section_that_holds_the_score() -> None:
    assert states.counts(flights())[0] == "1 failing"
    assert states.counts(perfect()) == ["28 passed"]
    assert states.holding_back(flights()) == "Infrastructure"
    assert states.holding_back(card([])) == "Data and Model and Infrastructure and Monitoring"
