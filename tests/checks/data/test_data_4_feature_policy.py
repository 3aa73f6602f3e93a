"""``data.4``: what the model reads, held to a catalogue, a policy and the protected attributes of its training data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.catalogue import Catalogue, read_catalogue
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FEATURES = ("income", "zip3", "visits")
POLICY = {"deny_tags": ["personal"]}
UNLISTED = "model inputs outside the catalogue"
UNOWNED = "model inputs without an owner, a description or a required field"
FORBIDDEN = "model inputs that the policy forbids"
OUTLIVED = "model inputs past their date"
PROXY = "how well one input tells a protected attribute"


def catalogue(protected: bool = True) -> Catalogue:
    said = {"owner": "Ada", "source": "crm"}
    return read_catalogue(
        {
            "features": {
                "income": {**said, "description": "Yearly income", "derived_from": ["salary"]},
                "zip3": {**said, "description": "First three digits of the postcode"},
                "visits": {**said, "description": "Visits in thirty days", "deprecated_after": date(2027, 1, 1)},
            },
            "columns": {"salary": {}, "age": {"tags": ["personal"]}, "race": {"protected": protected}},
            "sources": {"crm": {}},
        }
    )


def model(*features: str) -> Model:
    return as_model(lambda frame: np.full(len(frame), 0.5), task="binary", features=features or FEATURES)


def training(strength: float = 0.0, rows: int = 4000, clusters: int = 0) -> Dataset:
    """People of two groups; a share ``strength`` of them lives where their group does."""
    rng = np.random.default_rng(3)
    race = rng.random(rows) < 0.3
    anywhere = rng.integers(0, 900, rows)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "race": race,
            "income": rng.normal(size=rows),
            "zip3": np.where(rng.random(rows) < strength, anywhere // 2 + 450 * race, anywhere),
            "visits": rng.poisson(3, rows),
            "household": np.arange(rows) % (clusters or rows),
        }
    )
    return open_dataset("training", frame, Roles(key=("id",), cluster="household" if clusters else ""))


def run(**changes: Any) -> CheckResult:
    given = {"catalogue": catalogue(), "model": model(), "clock": NOW, "training": training()}
    options = {**POLICY, **changes.pop("options", {})}
    return run_check("data.4", options=options, **{"prove": False, **given, **changes})


def failed(result: CheckResult) -> dict[tuple[str, str], str]:
    return {(one.name, one.where): one.cause for one in result.findings if one.verdict == "failed"}


def test_a_sound_system_passes_and_every_planted_fault_is_caught():
    result = run(prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 6


def test_without_training_data_or_protected_attributes_five_faults_remain():
    result = run(catalogue=catalogue(protected=False), training=None, prove=True)
    assert (result.state, result.proof.state, len(result.proof.faults)) == ("passed", "proven", 5)


@pytest.mark.parametrize("missing", ["catalogue", "model", "clock"])
def test_without_a_required_input_it_is_not_offered(missing):
    result = run(**{missing: None})
    assert (result.state, missing in result.reason) == ("not_offered", True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": model(*FEATURES, "gate")}, {(UNLISTED, ""): "gate"}),
        ({"model": model(*FEATURES, "age")}, {(FORBIDDEN, ""): "age: tagged 'personal'"}),
        (
            {"catalogue": catalogue().declare("columns", "salary", derived_from=("age",))},
            {(FORBIDDEN, ""): "income: tagged 'personal', by age"},
        ),
        ({"model": model(*FEATURES, "race")}, {(FORBIDDEN, ""): "race: a protected attribute"}),
        ({"options": {"deny_names": ["SALARY"]}}, {(FORBIDDEN, ""): "income ← salary: the name 'salary' is denied"}),
        ({"options": {"deny_patterns": ["zip*"]}}, {(FORBIDDEN, ""): "zip3: the name matches 'zip*'"}),
        (
            {"catalogue": catalogue().declare("sources", "crm", deprecated_after=date(2026, 10, 31))},
            {(OUTLIVED, ""): "; ".join(f"{name}, source crm: deprecated after 2026-10-31" for name in FEATURES)},
        ),
        (
            {"catalogue": catalogue().declare("features", "zip3", owner="TBD")},
            {(UNOWNED, ""): "zip3: owner"},
        ),
        (
            {"options": {"also_require": ["deprecated_after"]}},
            {(UNOWNED, ""): "income: deprecated_after; zip3: deprecated_after"},
        ),
    ],
)
def test_what_breaks_a_rule_fails_by_name_and_nothing_else_does(changes, expected):
    said = {"owner": "Ada", "description": "said"}
    changes["catalogue"] = changes.get("catalogue", catalogue()).declare("columns", "age", **said)
    assert failed(run(**{**changes, "catalogue": changes["catalogue"].declare("columns", "race", **said)})) == expected


@pytest.mark.parametrize("clusters", [0, 500])
def test_an_input_that_stands_for_a_protected_attribute_fails(clusters):
    result = run(training=training(0.98, clusters=clusters))
    assert list(failed(result)) == [(PROXY, "zip3 for race True")]


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_an_ordinary_relation_passes_with_the_areas_shown(strength):
    result = run(training=training(strength))
    areas = {one.where: one.value for one in result.findings if one.name == PROXY}
    assert result.state == "passed", result.reason
    assert {where.partition(" ")[0] for where in areas} == set(FEATURES)
    assert not strength or max(areas, key=areas.__getitem__).startswith("zip3")


def test_a_relation_near_the_limit_is_not_decided():
    result = run(training=training(0.8, rows=1200), options={"max_auc": 0.88})
    assert result.state == "inconclusive", result.reason


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": None}, "offer it beside the features"),
        ({"training": training(rows=150)}, "no group of it has 50 judged rows"),
        ({"training": training(clusters=20)}, "ten clusters"),
        ({"model": model("income", "zip3", "visits", "salary")}, "do not have this input"),
    ],
)
def test_a_protected_attribute_that_cannot_be_judged_is_not_cleared(changes, says):
    result = run(**changes)
    assert any(one.verdict == "inconclusive" and says in one.note for one in result.findings), result.findings


def test_a_policy_that_says_nothing_decides_nothing_and_names_the_options():
    result = run(catalogue=catalogue(protected=False), options={"deny_tags": ()})
    assert (result.state, "set deny_names" in result.reason) == ("inconclusive", True)


def test_columns_that_nobody_reads_break_no_rule():
    old = catalogue().declare("features", "unread", deprecated_after=date(2000, 1, 1), tags=("personal",))
    result = run(catalogue=old.declare("columns", "raw", forbidden="never"))
    assert result.state == "passed", result.reason


def test_unusual_but_filled_names_pass():
    odd = catalogue().declare("features", "zip3", owner="李 (Ng)", description="п/индекс")
    assert run(catalogue=odd).state == "passed"


def test_a_misspelt_rule_is_shown_without_a_verdict():
    result = run(options={"deny_tags": ["persona"], "deny_names": ["x"]})
    (found,) = [one for one in result.findings if one.name == "rules that look misspelt"]
    assert (result.state, found.advisory, found.cause) == (
        "passed",
        True,
        "tag 'persona', where the catalogue has 'personal'",
    )


def test_an_unknown_required_field_is_an_error_with_near_names():
    result = run(options={"also_require": ["ownr"]})
    assert (result.state, "Did you mean 'owner'" in result.reason) == ("error", True)


def test_five_hundred_inputs_are_listed_within_bounds():
    names = tuple(f"f{n}" for n in range(500))
    result = run(model=model(*names), catalogue=catalogue(protected=False))
    (found,) = [one for one in result.findings if one.verdict == "failed"]
    assert (found.value, found.cause.endswith("and 490 more")) == (500, True)
    assert result.details[0].data["left_out"] == 450


def test_the_table_shows_what_each_input_is_made_from_and_breaks():
    inherited = catalogue().declare("columns", "salary", derived_from=("age",))
    (table,) = run(catalogue=inherited).details
    first = dict(zip(table.data["columns"], table.data["rows"][0], strict=True))
    assert (first["model input"], first["made from"], first["tags, with inherited ones"]) == (
        "income",
        "salary, age",
        "personal",
    )
    assert first["breaks"] == "income: tagged 'personal', by age"
