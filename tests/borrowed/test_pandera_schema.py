"""A pandera schema becomes ours as far as it translates, with the verdicts of pandera; the rest pandera judges."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.borrowed.pandera_rule import PanderaRule
from mltestscore.borrowed.pandera_schema import load_pandera
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.schema import Schema
from mltestscore.testing import run_check

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandera.pandas as pa

Check, Column = pa.Check, pa.Column
SOURCES = """
import pandera.pandas as pa

class Flights(pa.DataFrameModel):
    temp: float = pa.Field(ge=-60, le=60)
    dest: str = pa.Field(isin=["x", "y"], nullable=True)

whole = pa.DataFrameSchema({"temp": pa.Column(float)})
empty = pa.DataFrameSchema({})
number = 3
"""


def loaded(schema: Any, tmp_path: Path, name: str = "schema") -> Schema:
    """Return a live schema as ours, by way of a module that holds it."""
    import sys
    from types import ModuleType

    module = ModuleType(f"team_{abs(hash(str(tmp_path)))}")
    setattr(module, name, schema)
    sys.modules[module.__name__] = module
    return load_pandera(f"{module.__name__}:{name}", base=tmp_path, most_rows=1000)


def said(schema: Schema) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the translated rules' arguments by type and column."""
    rest = ("column",)
    return {
        (rule.type.removeprefix("expect_").removeprefix("column_"), rule.column): {
            key: value for key, value in rule.kwargs.items() if key not in rest
        }
        for rule in schema.rules
        if not isinstance(rule, PanderaRule)
    }


def own(schema: Schema) -> list[str]:
    return [rule.kwargs["check"] for rule in schema.rules if isinstance(rule, PanderaRule)]


def breaks(schema: Schema, frame: pd.DataFrame) -> list[str]:
    return [one.rule.text for one in schema.violations(open_dataset("training", frame))]


def test_what_translates_becomes_rules_and_nothing_else_is_left(tmp_path: Path):
    schema = loaded(
        pa.DataFrameSchema(
            {
                "temp": Column(float, Check.in_range(-60, 60, include_max=False), nullable=True),
                "wind": Column("Int64", [Check.ge(0), Check.lt(90)], required=False),
                "dest": Column(str, [Check.isin(["x", "y"]), Check.str_length(1, 3)]),
                "tail": Column(str, Check.str_matches("N[0-9]+"), unique=True),
                "any": Column(),
            },
            unique=["dest", "tail"],
            checks=[],
        ),
        tmp_path,
    )

    assert own(schema) == []
    rules = said(schema)
    assert rules["values_to_be_between", "temp"] == {"min_value": -60, "max_value": 60, "strict_max": True}
    assert ("values_to_not_be_null", "temp") not in rules
    assert rules["values_to_be_of_type", "wind"] == {"type_": "Int64"}
    assert rules["values_to_be_in_set", "dest"] == {"value_set": ["x", "y"]}
    assert rules["value_lengths_to_be_between", "dest"] == {"min_value": 1, "max_value": 3}
    assert rules["values_to_match_regex", "tail"] == {"regex": "^(?:N[0-9]+)"}
    assert rules["values_to_be_unique", "tail"] == {}
    assert rules["values_to_not_be_null", "any"] == {}
    assert rules["compound_columns_to_be_unique", "dest"] == {"column_list": ["dest", "tail"]}
    assert {rule.column for rule in schema.rules if rule.optional} == {"wind"}
    assert (schema.domain("temp").low, schema.domain("temp").nullable, schema.domain("dest").dtype) == (
        -60,
        True,
        "text",
    )


FRAME = pd.DataFrame(
    {
        "temp": [1.5, -3.0, 59.0, 12.25],
        "wind": [1, 2, 3, 4],
        "dest": ["x", "yy", "x", "yy"],
        "late": [True, False, True, True],
        "at": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
    }
)
CHECKS = {
    "gt": ("temp", Check.gt(-3.0)),
    "ge": ("temp", Check.ge(-3.0)),
    "lt": ("temp", Check.lt(59.0)),
    "le": ("temp", Check.le(59.0)),
    "in_range": ("temp", Check.in_range(-3.0, 59.0)),
    "in_open_range": ("temp", Check.in_range(-3.0, 59.0, include_min=False)),
    "eq": ("wind", Check.eq(1)),
    "ne": ("wind", Check.ne(9)),
    "ne_hit": ("wind", Check.ne(2)),
    "isin": ("wind", Check.isin([1, 2, 3, 4, 5])),
    "isin_short": ("dest", Check.isin(["x"])),
    "notin": ("dest", Check.notin(["z"])),
    "notin_hit": ("dest", Check.notin(["yy"])),
    "unique_values_eq": ("dest", Check.unique_values_eq(["x", "yy"])),
    "unique_values_short": ("dest", Check.unique_values_eq(["x", "yy", "z"])),
    "str_matches": ("dest", Check.str_matches("x|y+$")),
    "str_matches_start": ("dest", Check.str_matches("y")),
    "str_contains": ("dest", Check.str_contains("x|y")),
    "str_startswith": ("dest", Check.str_startswith("y")),
    "str_endswith": ("dest", Check.str_endswith("y")),
    "str_length": ("dest", Check.str_length(1, 2)),
    "str_length_exact": ("dest", Check.str_length(exact_value=2)),
    "flags": ("dest", Check.str_matches("(?i)X|Y+")),
    "times": ("at", Check.ge(pd.Timestamp("2026-01-15"))),
    "truth": ("late", Check.isin([True])),
    "own": ("temp", Check(lambda values: values < 50, name="below fifty")),
    "own_mean": ("temp", Check(lambda values: values.mean() < 5, name="mean")),
    "own_named_as_built_in": ("temp", Check(lambda values: values < 50, name="isin")),
    "element_wise": ("temp", Check(lambda value: value != 12.25, element_wise=True)),
    "raises": ("temp", Check(lambda values: values.nonsense(), name="raises")),
    "only_warns": ("temp", Check.lt(0, raise_warning=True)),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_a_check_has_the_verdict_of_pandera(tmp_path: Path, name: str, gaps: bool):
    column, check = CHECKS[name]
    frame = FRAME.copy()
    if gaps and column in ("temp", "dest", "at"):
        frame.loc[1, column] = None
    live = pa.DataFrameSchema({column: Column(checks=check, nullable=True)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            live.validate(frame, lazy=True)
            passes = True
        except pa.errors.SchemaErrors:
            passes = False

    assert (breaks(loaded(live, tmp_path), frame) == []) is passes


STRUCTURES = {
    "coerced": (pa.DataFrameSchema({"wind": Column(str, Check.str_length(1, 1), coerce=True)}), []),
    "coerced by the table": (pa.DataFrameSchema({"dest": Column(int)}, coerce=True), ["dest, coerced"]),
    "named by a pattern": (pa.DataFrameSchema({"^[td]": Column(float, regex=True)}), ["columns like ^[td]"]),
    "unique with gaps": (
        pa.DataFrameSchema({"dest": Column(unique=True, nullable=True)}),
        ["dest unique, null values too"],
    ),
    "ordered": (pa.DataFrameSchema({"wind": Column(), "temp": Column()}, ordered=True), ["which columns there are"]),
    "strict with optional": (
        pa.DataFrameSchema({name: Column(required=name != "x") for name in (*FRAME, "x")}, strict=True),
        [],
    ),
    "strict": (pa.DataFrameSchema({"wind": Column(int)}, strict=True), ["table columns to match set"]),
    "on the table": (
        pa.DataFrameSchema({}, checks=[Check(lambda frame: frame["temp"] < frame["wind"], name="cold")]),
        ["cold on the table"],
    ),
    "together": (pa.DataFrameSchema({"dest": Column(), "late": Column()}, unique=["dest", "late"]), ["compound"]),
    "odd type": (pa.DataFrameSchema({"temp": Column("complex128")}), ["temp of type complex128"]),
    "null values": (pa.DataFrameSchema({"temp": Column(float)}), []),
    "absent": (pa.DataFrameSchema({"gone": Column(float)}), ["to exist"]),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_what_a_schema_says_beyond_checks_is_kept(tmp_path: Path, name: str):
    live, broken = STRUCTURES[name]

    found = breaks(loaded(live, tmp_path), FRAME)

    assert len(found) == 0 if not broken else all(any(part in text for text in found) for part in broken)
    if not broken:
        assert live.validate(FRAME) is not None


def test_rows_that_break_a_rule_of_pandera_are_counted_with_examples(tmp_path: Path):
    schema = loaded(pa.DataFrameSchema({"temp": Column(checks=CHECKS["own"][1])}), tmp_path)

    (violation,) = schema.violations(open_dataset("training", FRAME))

    assert (violation.column, violation.unexpected, violation.rows, violation.examples) == ("temp", 1, 4, ("59.0",))
    assert violation.rule.text == "pandera: below fifty on temp"
    assert schema.source.endswith("; judged by pandera on up to 1,000 rows: below fifty on temp")


def test_a_number_of_all_rows_is_asked_of_training_only_and_a_check_of_values_of_all(tmp_path: Path):
    checks = [CHECKS["own_mean"][1], CHECKS["element_wise"][1]]
    schema = loaded(pa.DataFrameSchema({"temp": Column(checks=checks)}), tmp_path)

    assert [rule.on_figure for rule in schema.rules if isinstance(rule, PanderaRule)] == [True, False]


@pytest.fixture
def system() -> dict[str, Any]:
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"temp": rng.uniform(-20, 40, 3000), "wind": rng.integers(0, 30, 3000)})
    model = LinearRegression().fit(frame, frame["temp"] + frame["wind"])
    return {"training": open_dataset("training", frame), "model": as_model(model, name="sum")}


def test_data_1_scores_a_pandera_schema_with_all_faults_caught(tmp_path: Path, system: dict[str, Any]):
    temp = Column(float, [Check.in_range(-60, 60), Check(lambda values: values.nunique() > 9, name="varied")])
    wind = Column(int, [Check.in_range(0, 60), Check(lambda values: values.nunique() > 9, name="varied")])
    schema = loaded(pa.DataFrameSchema({"temp": temp, "wind": wind}), tmp_path)

    result = run_check("data.1", schema=schema, **system)

    assert (result.state, result.proof.state) == ("passed", "proven")
    assert {fault.state for fault in result.proof.faults} == {"caught"}


def test_data_1_fails_a_pandera_schema_that_the_data_break(tmp_path: Path, system: dict[str, Any]):
    schema = loaded(pa.DataFrameSchema({"temp": Column(float, Check.le(1)), "wind": Column(int)}), tmp_path)

    result = run_check("data.1", schema=schema, prove=False, **system)

    assert result.state == "failed"
    failed = [finding.where for finding in result.findings if finding.verdict == "failed"]
    assert "training: temp: values to be between: max value 1" in failed


@pytest.mark.parametrize("form", ["to_yaml", "to_json"])
def test_a_file_that_pandera_wrote_is_read(tmp_path: Path, form: str):
    live = pa.DataFrameSchema({"temp": Column(float, Check.in_range(-60, 60)), "dest": Column(str, Check.isin(["x"]))})
    name = f"schema.{form.removeprefix('to_')}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(live, form)(tmp_path / name)

    schema = load_pandera(name, base=tmp_path, most_rows=1000)

    assert (schema.domain("temp").high, schema.domain("dest").categories) == (60, ("x",))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("module:Flights", ""),
        ("module:whole", ""),
        ("module:number", "'module:number' is a int; name a DataFrameSchema"),
        ("module:flights", "Did you mean 'Flights'"),
        ("module:empty", "says nothing of any column"),
        ("schema.yml", "there is no file .*schema.yml. Did you mean 'schema.yaml'"),
        ("schema.yaml", "cannot be read: .* Write it with schema.to_yaml"),
        ("nowhere:schema", "there is no module 'nowhere'"),
    ],
)
def test_a_source_that_is_no_schema_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
):
    module = f"schemas_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{module}.py").write_text(SOURCES)
    (tmp_path / "schema.yaml").write_text("columns: [1, 2\n")
    source, message = source.replace("module", module), message.replace("'module:", f"'{module}:")
    monkeypatch.syspath_prepend(tmp_path)

    if not message:
        assert "temp" in load_pandera(source, base=tmp_path, most_rows=1000).columns
        return
    with pytest.raises((InputError, ConfigError), match=message):
        load_pandera(source, base=tmp_path, most_rows=1000)
