"""``infra.4`` on a small shop whose gate is sound, blind in one way, or strict and odd without being wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.validator import Validator, open_validator
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from tests.validation.shop import GATE_COMMAND, LOADING, dataset, rows, shop, sides

ACCEPTED, EQUAL = "bad candidates that the gate accepts", "equal candidates refused in a row"
ITSELF, AROUND = "candidates accepted with themselves as baseline", "ways around the gate"
PACKAGED = "rows that a package scores otherwise than the model that was packaged"
LOST, TWINS = "quality lost against the version before", "holdout rows with an exact twin in training"
SIDES = sides()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    """One shop for all tests that change only the command: its candidates are made once."""
    found = shop(tmp_path_factory.mktemp("gate") / "shop")
    yield found
    found.close()


def run(validator: Validator, prove: bool = False, **inputs: Any) -> CheckResult:
    return run_check("infra.4", validator=validator, prove=prove, **(SIDES | inputs))


def asked(validator: Validator, *flags: str, **changes: Any) -> Validator:
    return validator.replace(command=(*GATE_COMMAND, *flags), **changes)


def failed(result: CheckResult) -> set[tuple[str, str]]:
    assert result.state in ("passed", "failed", "inconclusive"), result.reason
    return {(found.name, found.where) for found in result.findings if found.verdict == "failed"}


def finding(result: CheckResult, name: str) -> FindingRecord:
    assert result.findings, result.reason
    return next(found for found in result.findings if found.name == name)


def test_a_sound_gate_passes_every_planted_fault_is_caught_and_the_project_is_as_it_was(gate):
    before = {file: file.read_bytes() for file in gate.folder.rglob("*") if file.is_file()}
    result = run(gate, prove=True)
    assert result.state == "passed", [found for found in result.findings if found.verdict != "passed"]
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4, result.proof
    (table,) = result.details
    assert [row[3] for row in table.data["rows"]] == ["accepts", *["refuses"] * 4]
    assert {file: file.read_bytes() for file in gate.folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("flags", "wrong"),
    [
        (["--margin", "0.3", "--on-slice", "9"], {(ACCEPTED, "worse by 0.1"), (ACCEPTED, "city = Bern ruined")}),
        (["--on-slice", "9"], {(ACCEPTED, "city = Bern ruined")}),
        (["--blind"], {(ITSELF, "")}),
        (["--floor", "0.9"], {(EQUAL, "")}),
        (["--margin", "-1"], {(EQUAL, "")}),
    ],
    ids=["10 points too loose", "the average only", "knows not itself", "a floor out of reach", "refuses all"],
)
def test_a_gate_that_is_wrong_in_one_way_fails_by_name(gate, flags, wrong):
    assert failed(run(asked(gate, *flags))) == wrong


def test_a_gate_whose_baseline_is_the_candidate_fails(gate):
    command = (*GATE_COMMAND[:-1], "{candidate}", "--blind")
    result = run(gate.replace(command=command))
    assert {(ACCEPTED, "labels shuffled"), (ACCEPTED, "worse by 0.1")} <= failed(result)
    assert "{baseline}" in finding(result, ITSELF).note


def test_a_gate_that_reports_one_model_twice_need_not_refuse_it(gate):
    result = run(asked(gate, "--tells", same="SAME MODEL"))
    assert result.state == "passed", result.reason
    assert "reported as one model" in finding(result, ITSELF).note
    assert failed(run(asked(gate, "--tells"))) == {(ITSELF, "")}


def test_a_strict_gate_that_refuses_some_equal_models_is_sound(gate):
    """Without room for chance, half of all equal candidates are worse."""
    for flags in (["--margin", "0.0", "--errors", "0.0"], ["--margin", "0.0005", "--errors", "0.0"]):
        result = run(asked(gate, *flags, "--on-slice", "9", "--floor", "0.1"))
        assert (EQUAL, "") not in failed(result)


def test_a_gate_that_only_knows_a_floor_is_told_to_compare_and_one_out_of_reach_is_no_proof(gate):
    high = run(gate.replace(command=(*GATE_COMMAND[:-1], "--floor", "0.9")))
    assert (finding(high, EQUAL).verdict, "{baseline}" in finding(high, EQUAL).note) == ("inconclusive", True)
    result = run(gate.replace(command=(*GATE_COMMAND[:-1], "--floor", "0.2")))
    assert failed(result) == {(ACCEPTED, "city = Bern ruined")}
    assert finding(result, ITSELF).verdict == "inconclusive"


def test_a_crash_on_what_cannot_be_loaded_stops_it_and_a_crash_on_a_good_one_is_an_error(gate):
    assert run(asked(gate, "--stumbles")).state == "passed"
    result = run(asked(gate, "--crashes"))
    assert result.state == "error"
    assert "ended with status 3" in result.reason
    declared = run(asked(gate, "--crashes", refuses=(1, 3)))
    assert failed(declared) == {(EQUAL, "")}


def test_a_deployment_that_does_not_ask_the_gate_fails_and_one_that_never_deploys_is_a_doubt(gate):
    eager = ("{python}", "-S", "-c", "print('deployed')", "{candidate}")
    result = run(gate.replace(deploy=eager))
    assert failed(result) == {(AROUND, "deploy command")}
    assert "has not seen" in finding(result, AROUND).cause
    assert "has refused" in finding(result, AROUND).cause
    never = ("{python}", "-S", "-c", "raise SystemExit('no cluster')", "{candidate}")
    lazy = finding(run(gate.replace(deploy=never)), AROUND)
    assert (lazy.verdict, "no cluster" in lazy.note) == ("inconclusive", True)
    unknown = finding(run(gate.replace(deploy=())), AROUND)
    assert (unknown.verdict, "offer deploy" in unknown.note) == ("inconclusive", True)


def test_a_workflow_stands_for_a_deploy_command(gate):
    text = "jobs: {gate: {steps: [{run: gate.py}]}, ship: {needs: gate, steps: [{run: ship}]}}"
    ci = {"workflow_name": "ci.yml", "gate_job": "gate", "deploy_job": "ship", "deploy": ()}
    result = run(gate.replace(workflow=text, **ci), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), result.proof
    assert failed(run(gate.replace(workflow=text.replace("needs: gate, ", ""), **ci))) == {(AROUND, "ci.yml")}


def test_slices_that_nobody_declares_count_only_where_all_say_the_same(gate):
    assert run(gate.replace(slices=())).state == "passed"
    blind = run(asked(gate, "--on-slice", "9", slices=()))
    assert failed(blind) == {(ACCEPTED, "one slice ruined")}
    none = run(gate.replace(slices=({"city": "Oslo"},)))
    assert none.state == "inconclusive"
    assert "slices" in none.reason or any("slices" in found.note for found in none.findings)


def test_packages_are_held_to_the_model_that_was_packaged(gate):
    rounded = run(gate.replace(package="making:rounded"))
    assert (PACKAGED, "") in failed(rounded)
    assert finding(run(gate.replace(package="making:only_path")), PACKAGED).verdict == "inconclusive"


@pytest.mark.parametrize(("share", "fails"), [(0.0, False), (0.05, True)])
def test_rows_by_which_the_gate_judges_are_not_among_those_learned_from(gate, share, fails):
    judged = rows(3_000, 7)
    learned = rows(4_000, 0)
    many = int(share * len(judged))
    learned = pd.concat([judged.head(many).assign(id=learned["id"].head(many)), learned.iloc[many:]], ignore_index=True)
    inputs = {"training": dataset("training", learned)}
    result = run(gate.replace(judged_on=dataset("judged_on", judged)), **inputs)
    assert ((TWINS, "") in failed(result)) == fails


def test_the_same_customers_on_another_day_are_no_contamination(gate):
    judged, learned = rows(3_000, 7), rows(4_000, 0)
    learned["id"] = [f"7-{number}" for number in range(4_000)]
    result = run(gate.replace(judged_on=dataset("judged_on", judged)), training=dataset("training", learned))
    assert result.state == "passed", result.reason


def scored(noise: float, number: int) -> Model:
    draw = np.random.default_rng(number)

    def predict(frame: Any) -> Any:
        chance = 1 / (1 + np.exp(-2 * (frame["a"] + 0.3 * frame["b"])))
        return np.clip(chance + noise * draw.normal(size=len(frame)), 0, 1).to_numpy()

    return as_model(predict, task="binary", features=["a", "b"])


@pytest.mark.parametrize(("noise", "verdict"), [(0.0, "passed"), (0.6, "failed")])
def test_the_model_is_held_to_the_version_before(gate, noise, verdict):
    result = run(gate, model=scored(noise, 1), previous_model=scored(0.0, 2))
    assert finding(result, LOST).verdict == verdict


def test_a_drop_by_chance_among_a_thousand_rows_does_not_fail(gate):
    small = dataset("holdout", rows(1_000, 1))
    result = run(gate, holdout=small, model=scored(0.1, 3), previous_model=scored(0.1, 4))
    assert finding(result, LOST).verdict != "failed"


def test_labels_that_nothing_foretells_and_few_rows_accuse_no_gate(gate):
    noise = run(gate, **sides(signal=0.0))
    assert not any(name == ACCEPTED for name, _ in failed(noise))
    few = run(gate, **sides(150))
    assert (few.state, "150" in few.findings[0].note) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"package": "making:broken"}, "no disk today"),
        ({"package": "making:elsewhere"}, "third argument"),
        ({"package": "making:nothing"}, "no function 'nothing'"),
        ({"command": ("no-such-program", "{candidate}")}, "cannot be started"),
        ({"loading": LOADING[1:]}, "cannot be loaded"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_says_so(gate, changes, said):
    result = run(gate.replace(**changes))
    assert (result.state, said in result.reason) == ("error", True), result.reason


def test_what_hangs_is_stopped(gate):
    result = run_check("infra.4", validator=gate.replace(package="making:hanging"), options={"timeout": 0.3}, **SIDES)
    assert (result.state, "was stopped" in result.reason) == ("error", True), result.reason


def test_shared_files_are_linked_and_must_stay_as_they_are(gate):
    shared = gate.replace(shared=("validation.csv",))
    assert run(shared).state == "passed"
    kept = (gate.folder / "validation.csv").read_bytes()
    result = run(asked(shared, "--writes"))
    (gate.folder / "validation.csv").write_bytes(kept)
    assert (result.state, "share only what the gate reads" in result.reason) == ("error", True), result.reason


def test_without_the_gate_or_a_label_it_is_not_offered(gate):
    assert run_check("infra.4", **SIDES).state == "not_offered"
    unlabelled = SIDES["holdout"].replace(SIDES["holdout"].frame())
    result = run(gate, holdout=type(unlabelled)("holdout", unlabelled._content, type(unlabelled.roles)(key=("id",))))
    assert (result.state, "label = …" in result.reason) == ("not_offered", True), result.reason


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"command": ["gate"]}, ConfigError, r"write \{candidate\} there"),
        ({"deploy": ("ship",)}, ConfigError, r"deploy does not say"),
        ({"refuses": (0,)}, ConfigError, "other than 0"),
        ({"package": "making"}, ConfigError, "module:function"),
        ({"shared": ("../data",)}, ConfigError, "within the project"),
        ({"shared": ("data",)}, InputError, "there is no 'data'"),
        ({"workflow": "jobs: {}"}, ConfigError, "gate_job and deploy_job"),
    ],
)
def test_impossible_settings_are_refused(tmp_path: Path, settings, kind, said):
    command = settings.pop("command", ["gate", "{candidate}"])
    package = settings.pop("package", "making:package")
    with pytest.raises(kind, match=said):
        open_validator(tmp_path, command, package, loading=LOADING, **settings)
