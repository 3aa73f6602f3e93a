"""The next step is the cheapest one where it counts, and changes are told only where they are real."""

from __future__ import annotations

import pytest

from mltestscore.advice import changes, next_steps
from mltestscore.evidence import Statements
from mltestscore.result import CheckResult, FaultRecord, FindingRecord, Proof
from mltestscore.rubric import rubric
from mltestscore.score import assemble, score
from mltestscore.scorecard import Attestation, ItemResult, NextStep, Run, Scorecard, Waiver

PROVEN = Proof(state="proven", faults=[FaultRecord(name="a rule is dropped", state="caught")])
VACUOUS = Proof(state="vacuous", faults=[FaultRecord(name="nulls are let in", state="missed")])
DATED = {"date": "2026-11-01", "expires": "2027-05-01", "link": "https://wiki.example"}


def check(item: str, state: str = "passed", proof: Proof = PROVEN, **facts: object) -> CheckResult:
    return CheckResult(**{"id": item, "item": item, "state": state, "proof": proof, **facts})


def items_of(*checks: CheckResult, attested: tuple[str, ...] = (), in_ci: bool = True) -> list[ItemResult]:
    """Return the items: full credit but for those that a check or a statement is given for."""
    spoken_for = {made.item for made in checks} | set(attested)
    others = [check(id, runs_before=9) for id in rubric().ids if id not in spoken_for]
    statements = Statements(tuple(Attestation(item=item, by="Ada", **DATED) for item in attested))
    return assemble([*others, *checks], statements, in_ci=in_ci)


def only(*checks: CheckResult, in_ci: bool = True, **how: object) -> NextStep:
    """Return the one step that there is."""
    (step,) = next_steps(items_of(*checks, in_ci=in_ci, **how), in_ci=in_ci)
    return step


def test_a_perfect_system_has_no_next_step():
    """There is nothing to gain."""
    assert next_steps(items_of()) == []


def test_only_the_section_that_holds_back_gets_advice():
    """A cheaper step elsewhere would not move the score."""
    items = items_of(check("data.1", "failed"), check("data.2", "failed"), check("monitor.2", "failed"))

    assert [step.item for step in next_steps(items)] == ["data.1", "data.2"]


def test_steps_are_ordered_by_gain_for_their_effort():
    """Low before medium before high; at the same price in rubric order."""
    efforts = {item.id: item.effort for item in rubric().of("data")}
    items = items_of(*[check(item.id, "failed") for item in rubric().of("data")])

    steps = next_steps(items, limit=7, in_ci=True)

    assert [step.effort for step in steps] == sorted(efforts.values(), key=["low", "medium", "high"].index)
    assert [step.item for step in steps[:3]] == ["data.1", "data.4", "data.6"]


def test_a_whole_point_goes_before_half_a_point_of_the_same_effort():
    """Offering an input to a built-in check in CI earns more than a statement."""
    items = items_of(check("data.4", "not_offered", reason="model is not offered"), attested=("data.1",))

    steps = next_steps(items, in_ci=True)

    assert [(step.item, step.gain) for step in steps] == [("data.4", 1.0), ("data.1", 0.5)]


def test_at_most_the_asked_number_of_steps():
    """The list is cut after the best."""
    items = items_of(*[check(item.id, "failed") for item in rubric().of("data")])

    assert len(next_steps(items, limit=2)) == 2


@pytest.mark.parametrize(
    ("made", "in_ci", "gain", "effort", "remedy"),
    [
        (check("data.1", "failed", reason="age above 10"), True, 1.0, "low", "Repair what data.1 found: age above 10"),
        (check("data.1", "failed", reason="x"), False, 0.5, "low", "Repair what data.1 found: x"),
        (check("data.1", "failed", reason="x", runs_before=2), False, 1.0, "low", "Repair what data.1 found: x"),
        (check("data.2", "error", reason="KeyError: 'age'"), True, 1.0, "low", "Remove the error in data.2: KeyError"),
        (check("data.2", "inconclusive", reason="n 20"), True, 1.0, "medium", "Settle data.2: n 20"),
        (check("data.2", "not_offered", reason="set x"), True, 1.0, "medium", "set x"),
        (check("data.2", proof=VACUOUS), True, 1.0, "medium", "Sharpen data.2 until it catches «nulls are let in»."),
        (check("data.2", proof=Proof(), origin="team"), True, 1.0, "low", "Plant a fault that data.2 must catch"),
        (
            check("data.2", proof=Proof(), origin="marked test"),
            True,
            0.5,
            "medium",
            'Make data.2 a check with `@check("data.2")` and plant a fault',
        ),
        (check("data.2"), False, 0.5, "low", "Let CI run `pytest --mltestscore`, so that data.2 counts as repeated."),
    ],
)
def test_the_step_fits_what_is_missing(made: CheckResult, in_ci: bool, gain: float, effort: str, remedy: str):
    """Gain, effort and words depend on how far the item is."""
    step = only(made, in_ci=in_ci)

    assert (step.item, step.gain, step.effort) == (made.item, gain, effort)
    assert step.remedy.startswith(remedy)


def test_an_item_without_a_check_gets_the_remedy_of_the_rubric():
    """The rubric's own words, and half a point for a first statement or marked test."""
    items = assemble([], Statements(), in_ci=True)

    steps = next_steps(items, limit=28, in_ci=True)

    assert {step.item: step.remedy for step in steps} == {item.id: item.remedy for item in rubric().items}
    assert {step.gain for step in steps} == {0.5}


def test_what_does_not_apply_gets_no_advice():
    """A valid waiver as not applicable is respected."""
    items = items_of(check("data.1", "not_offered"), check("data.2", "not_offered"))
    items[0].waivers.append(Waiver(item="data.1", kind="not-applicable", reason="none", owner="Ada", **DATED))

    assert [step.item for step in next_steps(items)] == ["data.2"]


# ---------------------------------------------------------------------------------------------------------- changes


def card(items: list[ItemResult]) -> Scorecard:
    run = Run(id="r0", started="2026-11-21T10:00:00Z")
    return Scorecard(mltestscore="0.1.0", system="flights", run=run, score=score(items), items=items)


def finding(value: float | None, low: float | None = None, high: float | None = None, **facts: object) -> FindingRecord:
    """Return a finding with a ceiling of 0.2 s; without bounds an exact count."""
    ends = {"low": value if low is None else low, "high": value if high is None else high}
    about = {"name": "p95", "value": value, **ends, "ceiling": 0.2, "unit": "s", "verdict": "passed"}
    return FindingRecord(**{**about, **facts})


def moved(before: FindingRecord, now: FindingRecord) -> list[tuple[str, str]]:
    old, new = (items_of(check("monitor.6", findings=[found])) for found in (before, now))
    return [(change.kind, change.text) for change in changes(new, card(old))]


def test_a_first_run_has_no_changes():
    """There is nothing to compare with."""
    assert changes(items_of(check("data.1", "failed")), None) == []


def test_the_same_twice_has_no_changes():
    """No change is told where there is none."""
    items = items_of(check("data.1", "failed", findings=[finding(0.1)]))

    assert changes(items, card(items)) == []


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        ("passed", "failed", "broken"),
        ("passed", "error", "broken"),
        ("inconclusive", "failed", "broken"),
        ("failed", "passed", "fixed"),
        ("error", "passed", "fixed"),
        ("not_offered", "failed", None),
        ("not_offered", "passed", "better"),
        ("passed", "not_offered", "worse"),
        ("passed", "inconclusive", "worse"),
        ("failed", "error", None),
        ("failed", "inconclusive", None),
        ("inconclusive", "passed", "better"),
    ],
)
def test_items_break_and_are_fixed(before: str, now: str, kind: str | None):
    """What was never seen cannot break, what is merely in doubt is not fixed, and a lost credit is told."""
    found = changes(items_of(check("data.1", now)), card(items_of(check("data.1", before))))

    assert [change.kind for change in found] == ([kind] if kind else [])


def test_a_broken_item_says_why():
    """The state before, the state now and the reason."""
    now = items_of(check("data.1", "failed", reason="age: 3 rows above 120"))

    (change,) = changes(now, card(items_of()))

    assert (change.item, change.text) == ("data.1", "data.1 was passed and is failed now: age: 3 rows above 120")


def test_a_credit_that_is_lost_is_told_with_its_reason():
    """A check that can no longer fail loses its credit although it still passes."""
    (change,) = changes(items_of(check("data.1", proof=VACUOUS)), card(items_of()))

    assert change.kind == "worse"
    assert change.text.startswith("data.1 earns 0 and no longer 1: data.1 passed, but it proves nothing")
    assert "nulls are let in" in change.text


def test_a_value_that_left_both_intervals_is_told_with_both_values():
    """Towards the limit is worse, away from it is better."""
    slow, fast = finding(0.15, 0.14, 0.16), finding(0.10, 0.09, 0.11)

    assert [kind for kind, _ in moved(fast, slow)] == ["worse"]
    assert [kind for kind, _ in moved(slow, fast)] == ["better"]
    assert moved(fast, slow)[0][1] == "p95 0.100\u202fs → 0.150\u202fs"


def test_a_floor_turns_the_direction_round():
    """More is better where the limit is a lower one."""
    limits = {"ceiling": None, "floor": 0.05}

    assert [kind for kind, _ in moved(finding(0.10, **limits), finding(0.15, **limits))] == ["better"]


def test_between_two_limits_the_nearer_one_counts():
    """Away from the middle is worse on either side."""
    limits = {"ceiling": 1.0, "floor": 0.0}

    assert [kind for kind, _ in moved(finding(0.5, **limits), finding(0.2, **limits))] == ["worse"]
    assert [kind for kind, _ in moved(finding(0.9, **limits), finding(0.6, **limits))] == ["better"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (finding(0.10, 0.05, 0.16), finding(0.15, 0.14, 0.17)),
        (finding(0.10, 0.09, 0.11), finding(0.15, 0.08, 0.17)),
        (finding(0.10, 0.09, 0.11), finding(None, verdict="inconclusive")),
        (finding(0.10, 0.09, 0.11), finding(0.15, 0.10, 0.17)),
        (finding(0.2, ceiling=1.0, floor=0.0), finding(0.8, ceiling=1.0, floor=0.0)),
        (finding(0.10), finding(100.0, unit="ms")),
        (finding(0.10, ceiling=None), finding(0.15, ceiling=None)),
        (finding(0.10, advisory=True), finding(0.15, advisory=True)),
        (finding(0.10), finding(0.15, name="p99")),
        (finding(0.10), finding(0.15, where="jfk")),
        (finding(0.10000001), finding(0.10000002)),
    ],
    ids=[
        "inside-old",
        "inside-new",
        "unmeasured",
        "on-its-bound",
        "as-far-within",
        "unit",
        "no-limit",
        "advisory",
        "name",
        "where",
        "same-figures",
    ],
)
def test_what_cannot_be_told_apart_is_no_change(before: FindingRecord, now: FindingRecord):
    """Noise, other measures, other units and figures that print the same are left out."""
    assert moved(before, now) == []


def test_an_interval_without_an_end_hides_no_value():
    """An open end holds every value beyond."""
    assert moved(finding(0.10, 0.09).model_copy(update={"high": None}), finding(0.15)) == []


def test_the_bad_news_comes_first():
    """Broken, worse, fixed, better."""
    old = items_of(
        check("data.1", "failed"),
        check("model.5", findings=[finding(0.15)]),
        check("monitor.6", findings=[finding(0.1)]),
    )
    new = items_of(
        check("monitor.7", "failed"),
        check("model.5", findings=[finding(0.1)]),
        check("monitor.6", findings=[finding(0.15)]),
    )

    assert [change.kind for change in changes(new, card(old))] == ["broken", "worse", "fixed", "better"]
