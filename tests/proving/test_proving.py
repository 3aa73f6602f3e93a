"""Faults injected into copies of the flights example fail the right item by name; healthy look-alikes accuse nobody.

The quick cases run with every test run; ``-m slow`` runs each fault at one severity, each matched control and each
healthy control. ``python -m tests.proving`` runs all severities and prints the table.
"""

from __future__ import annotations

from collections import Counter

import pytest

from mltestscore.result import CheckResult, FindingRecord, State

from .cases import Cases, Fault, all_cases
from .report import markdown, merged, read, rows, totals, wrong
from .runner import Case, Outcome, control_case, fault_case, judge_fault, matched_case, run_all, run_case, spoken
from .system import ITEMS, System, copied, sound_example

CASES = all_cases()
QUICK = [
    fault_case(CASES.faults["O3b"], "M", 0),
    fault_case(CASES.faults["O4b"], "L", 0),
    control_case(CASES.controls["holiday"], 0),
]
# Performance needs the machine to itself, and these run two at a time: `python -m tests.proving --only monitor.6`. The
# cases of infra.2 take minutes of CPU, and tests/checks/infra shows the same on a smaller model: `--only infra.2`.
ALONE = ("monitor.6", "infra.2")
# The example as it is: tests/examples asks more of the same run, that all items pass.
AS_IT_IS = CASES.controls["nothing changed"]
SLOW = [
    *(fault_case(one, one.mildest, 0) for one in CASES.faults.values() if one.item not in ALONE and not one.at_length),
    *(
        matched_case(one, one.mildest, 0)
        for one in CASES.faults.values()
        if one.item not in ALONE and not one.at_length
    ),
    *(control_case(one, 0) for one in CASES.controls.values() if set(one.items) - {*ALONE} and one is not AS_IT_IS),
]


def named(case: Case) -> str:
    return " ".join(part for part in (case.kind, case.id, case.severity) if part)


@pytest.fixture(scope="session")
def sound():
    with sound_example() as folder:
        yield folder


@pytest.mark.parametrize("case", QUICK, ids=named)
def test_quick_case(sound, case):
    outcome = run_case(case, sound)
    assert outcome.right, f"{outcome.verdict}: {outcome.says}"


@pytest.fixture(scope="session")
def outcomes(request, sound):
    """The chosen slow cases, run two at a time; under pytest-xdist each test runs its own."""
    names = [] if hasattr(request.config, "workerinput") else [item.name for item in request.session.items]
    chosen = [case for case in SLOW if f"test_case[{named(case)}]" in names]
    return {named(one.case): one for one in run_all(chosen, sound, every_item=False, prove=False, workers=2)}


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=named)
def test_case(sound, outcomes, case):
    outcome = outcomes.get(named(case)) or run_case(case, sound)
    assert outcome.right, f"{outcome.verdict}: {outcome.says}"


def test_every_fault_has_a_matched_control_and_says_what_it_breaks():
    assert all(one.control is not None and one.harmless for one in CASES.faults.values())
    assert all(bool(one.below) == (one.reach != "L") for one in CASES.faults.values())


def test_each_kind_of_healthy_system_of_the_catalogue_is_made_or_said_to_be_left_out():
    made = {number for one in CASES.controls.values() for number in one.number.split(", ") if number}
    left_out = {int(name.split()[2].rstrip(",")) for name in CASES.left_out if name.startswith("healthy control ")}
    assert {int(number) for number in made} | left_out == set(range(1, 25))


def test_each_item_has_three_faults_of_the_catalogue():
    counts = Counter(one.item for one in CASES.faults.values())
    assert set(counts) == set(ITEMS)
    assert min(counts.values()) >= 3


def test_a_fault_that_is_not_seen_within_reach_is_missed():
    assert _outcome("passed", reach="L").verdict == "missed"


def test_a_fault_below_reach_may_pass():
    assert _outcome("passed", reach="H").verdict == "below reach"


def test_a_fault_that_another_item_reports_is_misattributed():
    assert _outcome("passed", other="failed").verdict == "misattributed"


def test_a_fault_that_another_item_reports_too_is_misattributed_unless_it_is_theirs():
    assert _outcome("failed", other="failed").verdict == "misattributed"
    assert _outcome("failed", other="failed", also=("data.1",)).verdict == "caught"


def test_a_fault_whose_cause_is_not_named_is_not_caught():
    assert _outcome("failed", cause=("pressure",)).verdict == "cause not named"


def test_an_error_is_no_catch():
    assert _outcome("error").verdict == "misattributed"


def test_a_case_that_cannot_be_applied_is_reported_as_broken(tmp_path):
    def gone(system: System) -> None:
        system.edit("pyproject.toml", "no such text", "")

    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    outcome = run_case(Case("control", "x", "x", "", 0, ("data.1",), gone), tmp_path)
    assert outcome.verdict == "broke"
    assert "has no 'no such text'" in outcome.says


def test_an_option_is_set_once_in_its_own_table(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.mltestscore.checks."monitor.4"]\nmax_age_days = 60 # why\n\n[tool.mltestscore.gates.release]\n',
        encoding="utf-8",
    )
    with copied(tmp_path) as system:
        system.option("monitor.4", "max_age_days", 400)
        system.option("monitor.6", "rate", 20)
        import tomllib

        found = tomllib.loads((system.home / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mltestscore"]
    assert found["checks"] == {"monitor.4": {"max_age_days": 400}, "monitor.6": {"rate": 20}}
    assert "release" in found["gates"]


def test_the_report_counts_what_came_out_and_lists_what_is_left_out():
    found = rows([_outcome("failed"), _outcome("passed")], "2013-11-18 0f0f0f0")
    assert totals(found).startswith("2 faults: 1 caught, 1 missed. 0 controls: none")
    page = markdown(found, {"I1d": "one environment"}, "today")
    assert "| T1 | data.1 passed, monitor.2 failed | a test | L | 0 | caught | missing values |" in page
    assert "- I1d: one environment" in page


def test_a_run_of_some_cases_keeps_the_rows_of_the_others(tmp_path):
    known = Cases(faults={name: _broken(name) for name in ("T1", "T2")})
    file = tmp_path / "last.md"
    first = rows([_outcome("failed", id=name) for name in ("T1", "T2", "T3")], "2013-11-17 0f0f0f0")
    file.write_text(markdown(first, {}, "yesterday"), encoding="utf-8")
    again = merged(read(file), rows([_outcome("passed", id="T2")], "2013-11-18 1e1e1e1"), known)
    found = [(row.case, row.verdict, row.run) for row in again["fault"]]
    assert found == [("T1", "caught", "2013-11-17 0f0f0f0"), ("T2", "missed", "2013-11-18 1e1e1e1")]
    assert [row.case for row in wrong(again)] == ["T2"]


def test_a_page_of_another_form_or_none_has_no_rows(tmp_path):
    (tmp_path / "other.md").write_text("# Something\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n", encoding="utf-8")
    assert not any(read(tmp_path / "other.md").values())
    assert not any(read(tmp_path / "none.md").values())


def test_what_a_fault_takes_away_must_be_said_to_be_missing():
    assert _outcome("not_offered", turns="not_offered", cause=("trainer",)).verdict == "caught"
    assert _outcome("not_offered", turns="not_offered", cause=("model",)).verdict == "cause not named"
    assert _outcome("passed", turns="not_offered", cause=()).verdict == "missed"
    assert _outcome("error", turns="not_offered", cause=()).verdict == "misattributed"


def _broken(id: str, cause=("wind",), also=(), reach: str = "L", turns: State = "failed") -> Fault:
    return Fault(id, "monitor.2", "a test", {"L": 1, "M": 2, "H": 3}, cause, lambda *_: None, also, reach, turns=turns)


def _outcome(state: State, *, id: str = "T1", other: State = "passed", **more) -> Outcome:
    """Judge a scorecard in which the item is in ``state`` and data.1 in ``other``."""
    verdict = "failed" if state == "failed" else "passed"
    finding = FindingRecord(name="missing values", where="wind_speed", verdict=verdict)
    reason = "needs trainer" if state == "not_offered" else ""
    results = {
        "monitor.2": CheckResult(id="monitor.2", item="monitor.2", state=state, findings=[finding], reason=reason),
        "data.1": CheckResult(id="data.1", item="data.1", state=other),
    }
    case = fault_case(_broken(id, **more), "L", 0)
    states: dict[str, str] = {id: result.state for id, result in results.items()}
    by = ("missing values",) if state == "failed" else ()
    assert "missing values" in spoken(results["monitor.2"]) or state != "failed"
    return Outcome(case, judge_fault(case, results, ()), states, by, "", 1.0)
