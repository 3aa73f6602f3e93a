"""Release gates: what blocks, what is excused, and the reasons in words with numbers."""

from __future__ import annotations

import pytest

from mltestscore.errors import ConfigError
from mltestscore.evidence import Statements
from mltestscore.gate import INCOMPLETE, fail_under, judge
from mltestscore.result import CheckResult, FaultRecord, Proof
from mltestscore.rubric import rubric
from mltestscore.score import assemble, score
from mltestscore.scorecard import Attestation, Run, Scorecard, Waiver
from mltestscore.settings import GateConfig

PROVEN = Proof(state="proven", faults=[FaultRecord(name="a rule is dropped", state="caught")])
DATED = {"date": "2026-11-01", "expires": "2027-05-01", "link": "https://wiki.example"}


def card(
    attested: tuple[str, ...] = (), waived: dict[str, str] | None = None, incomplete: bool = False, **states: str
) -> Scorecard:
    """Return a scorecard on which every item passes but those named (``data_1="failed"``)."""
    changed = {name.replace("_", "."): state for name, state in states.items()}
    checks = [
        CheckResult(id=id, item=id, state=changed.get(id, "passed"), proof=PROVEN, reason=f"what {id} found")
        for id in rubric().ids
        if changed.get(id) != "nothing"
    ]
    statements = Statements(
        tuple(Attestation(item=item, by="Ada", **DATED) for item in attested),
        tuple(
            Waiver(item=item, kind=kind, reason="known", owner="Ada", **DATED) for item, kind in (waived or {}).items()
        ),
    )
    items = assemble(checks, statements, in_ci=True)
    run = Run(id="r1", started="2026-11-22T10:00:00Z", incomplete=incomplete)
    return Scorecard(mltestscore="0.1.0", system="flights", run=run, score=score(items), items=items)


def test_a_gate_that_asks_for_nothing_is_met():
    """No demand, no reason."""
    result = judge(card(data_1="failed"), "loose", GateConfig())

    assert (result.name, result.met, result.reasons) == ("loose", True, [])


def test_a_strict_gate_is_met_by_a_perfect_system():
    """All demands at their highest."""
    gate = GateConfig(min_score=7, min_section=7, require=rubric().ids)

    assert judge(card(), "release", gate).met


def test_a_score_below_the_minimum_blocks_and_names_what_holds_it_back():
    """Both numbers and the section are told."""
    result = judge(card(infra_1="failed", infra_2="failed"), "release", GateConfig(min_score=5.5))

    assert result.reasons == ["The score is 5 of 7 (held back by ML infrastructure); the gate needs at least 5.5."]
    assert not result.met


def test_a_score_at_the_minimum_is_enough():
    """The limit itself is allowed."""
    assert judge(card(infra_1="failed"), "release", GateConfig(min_score=6)).met


def test_each_section_below_its_floor_blocks():
    """One number is a floor for all four; a table names single ones."""
    scorecard = card(data_1="failed", monitor_2="failed", monitor_3="failed")

    for_all = judge(scorecard, "release", GateConfig(min_section=6))
    for_two = judge(scorecard, "release", GateConfig(min_section={"data": 6.5, "model": 7}))

    assert for_all.reasons == ["Monitoring has 5 of 7; the gate needs at least 6."]
    assert for_two.reasons == ["Features and data has 6 of 7; the gate needs at least 6.5."]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("failed", "failed"),
        ("error", "could not be checked"),
        ("inconclusive", "is inconclusive"),
        ("not_offered", "was not offered"),
        ("nothing", "was not offered"),
    ],
)
def test_a_required_item_that_is_not_passed_blocks(state: str, words: str):
    """The item, its title, its state and its credit are told."""
    (reason,) = judge(card(data_1=state), "release", GateConfig(require=("data.1",))).reasons

    assert reason.startswith(f"data.1 {rubric().item('data.1').title}: {words} (credit 0 of 1). ")


def test_an_attested_item_meets_a_requirement():
    """A person's valid word is enough for a gate."""
    scorecard = card(attested=("model.2",), model_2="not_offered")

    assert judge(scorecard, "release", GateConfig(require=("model.2",))).met


def test_a_vacuous_check_does_not_meet_a_requirement():
    """What cannot fail has shown nothing."""
    scorecard = card(data_1="nothing")
    missed = Proof(state="vacuous", faults=[FaultRecord(name="nulls are let in", state="missed")])
    checks = [CheckResult(id="data.1", item="data.1", state="passed", proof=missed)]
    items = [assemble(checks, Statements(), in_ci=True)[0], *scorecard.items[1:]]

    result = judge(scorecard.model_copy(update={"items": items}), "release", GateConfig(require=("data.1",)))

    assert "«nulls are let in»" in result.reasons[0]


@pytest.mark.parametrize("state", ["inconclusive", "not_offered"])
def test_a_gate_may_allow_doubt_and_absence_separately(state: str):
    """Each of the two allowances covers its own state only."""
    scorecard = card(data_1=state)
    other = "not_offered" if state == "inconclusive" else "inconclusive"

    assert judge(scorecard, "release", GateConfig(require=("data.1",), **{state: "allow"})).met
    assert not judge(scorecard, "release", GateConfig(require=("data.1",), **{other: "allow"})).met


@pytest.mark.parametrize("state", ["failed", "error"])
def test_allowances_never_cover_harm_or_errors(state: str):
    """A gate cannot be told to ignore what failed or broke."""
    gate = GateConfig(require=("data.1",), inconclusive="allow", not_offered="allow")

    assert not judge(card(data_1=state), "release", gate).met


@pytest.mark.parametrize("state", ["failed", "inconclusive", "not_offered"])
def test_an_accepted_risk_excuses_a_required_item(state: str):
    """Somebody answers for it, with a date."""
    scorecard = card(waived={"data.1": "accepted"}, data_1=state)

    assert judge(scorecard, "release", GateConfig(require=("data.1",))).met


def test_an_accepted_risk_does_not_excuse_an_error():
    """A check that broke has found nothing that could be accepted."""
    scorecard = card(waived={"data.1": "accepted"}, data_1="error")

    assert not judge(scorecard, "release", GateConfig(require=("data.1",))).met


def test_an_error_beside_a_failure_is_not_excused():
    """One of two checks of the item broke: the accepted risk covers only what the other one found."""
    scorecard = card(waived={"data.1": "accepted"}, data_1="failed")
    broken = CheckResult(id="data.1/own", item="data.1", state="error")
    scorecard.items[0].checks.append(broken)

    assert not judge(scorecard, "release", GateConfig(require=("data.1",))).met


def test_a_waiver_as_not_applicable_does_not_excuse_a_required_item():
    """A gate that requires an item says that it applies."""
    scorecard = card(waived={"data.1": "not-applicable"}, data_1="not_offered")

    assert not judge(scorecard, "release", GateConfig(require=("data.1",))).met


def test_an_accepted_risk_does_not_raise_the_score():
    """The waiver excuses the item, not the number."""
    scorecard = card(waived={"data.1": "accepted"}, data_1="failed")

    assert not judge(scorecard, "release", GateConfig(min_score=7, require=("data.1",))).met


def test_a_run_that_was_cut_short_meets_no_gate():
    """What did not run cannot be vouched for, however good the rest looks."""
    assert judge(card(incomplete=True), "loose", GateConfig()).reasons == [INCOMPLETE]
    assert fail_under(card(incomplete=True), 0).reasons == [INCOMPLETE]


def test_every_reason_is_told_once():
    """Score, section and items each give theirs; an item required twice is named once."""
    gate = GateConfig(min_score=7, min_section=7, require=("data.1", "data.1"))

    reasons = judge(card(data_1="failed"), "release", gate).reasons

    assert [reason.split()[0] for reason in reasons] == ["The", "Features", "data.1"]


def test_a_required_item_that_does_not_exist_is_an_error():
    """The gate, the key and the near name are told."""
    with pytest.raises(ConfigError, match=r"gates\.release\] require: .* 'monitr\.3'\. Did you mean 'monitor\.3'"):
        judge(card(), "release", GateConfig(require=("monitr.3",)))


@pytest.mark.parametrize(("minimum", "met"), [(5.5, True), (6, True), (6.5, False)])
def test_fail_under_holds_the_score_to_a_minimum(minimum: float, met: bool):
    """The limit itself is allowed; the name tells the limit."""
    result = fail_under(card(data_1="failed"), minimum)

    assert (result.name, result.met) == (f"fail under {minimum:g}", met)
    assert met or "The score is 6 of 7 (held back by Features and data); the gate needs at least 6.5." in result.reasons
