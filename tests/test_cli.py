"""``mltestscore init`` writes a suite for a person to review, and nothing over one that is there."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mltestscore.cli import app
from mltestscore.inputs.schema import load_schema

FRAME = pd.DataFrame({"id": range(100), "size": [0.5, 1.5] * 50, "colour": ["red", "blue"] * 50})


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    FRAME.to_parquet(tmp_path / "training.parquet")
    data = '[tool.mltestscore.data.training]\nsource = "training.parquet"\nkey = ["id"]\n'
    (tmp_path / "pyproject.toml").write_text(f'[tool.mltestscore]\nsystem = "shop"\n{data}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["init", *words])
    return done.exit_code, done.output


def test_init_writes_a_suite_on_every_column_and_says_what_to_add(project):
    code, said = ran()
    assert code == 0, said
    schema = load_schema(project / "expectations.json")
    assert schema.columns == {"id", "size", "colour"}
    assert "expect_column_values_to_be_unique" in {rule.type for rule in schema.rules if rule.column == "id"}
    assert "Review them" in said
    assert "[tool.mltestscore.schema]" in said


def test_init_names_the_system_in_the_suite(project):
    ran()
    assert json.loads((project / "expectations.json").read_text())["name"] == "shop training data"


def test_init_leaves_a_suite_that_is_there_alone_unless_forced(project):
    (project / "expectations.json").write_text("mine")
    code, said = ran()
    assert (code, (project / "expectations.json").read_text()) == (4, "mine")
    assert "--force" in said
    assert ran("--force")[0] == 0
    assert load_schema(project / "expectations.json").rules


def test_init_takes_data_and_output_from_the_command_line(project):
    FRAME.drop(columns="id").to_csv(project / "other.csv", index=False)
    code, said = ran("other.csv", "--output", "suite.json")
    assert code == 0, said
    assert load_schema(project / "suite.json").columns == {"size", "colour"}


def test_init_without_data_says_what_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = ran()
    assert code == 4
    assert "[tool.mltestscore.data.training]" in said


def test_init_into_a_folder_that_is_not_there_is_an_error_and_no_traceback(project):
    code, said = ran("--output", "nowhere/suite.json")
    assert code == 4
    assert "nowhere" in said


@pytest.fixture
def dependent(project, monkeypatch) -> Path:
    """A project that depends on one table."""
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.mltestscore.dependencies]\nmanifest = "dependencies.toml"\n')
    entry = '[[dependency]]\nname = "orders"\nkind = "table"\nowner = "A"\nchannel = "#a"\ncontract = "orders.json"\n'
    (project / "dependencies.toml").write_text(entry)
    (project / "orders.json").write_text('{"total": "number"}')
    return project


def acknowledged(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["acknowledge", *words])
    return done.exit_code, done.output


def test_acknowledge_lists_what_nobody_agreed_to_and_records_who_does(dependent):
    assert "orders: nobody has agreed to it yet" in acknowledged()[1]
    code, said = acknowledged("orders", "--by", "Ada")
    assert (code, "1 fields, by Ada" in said) == (0, True), said
    (held,) = json.loads((dependent / "acknowledged.json").read_text())["orders"]
    assert (held["by"], held["fields"]) == ("Ada", {"total": "number"})
    assert acknowledged()[1].strip() == "All are as agreed."
    (dependent / "orders.json").write_text('{"total": "text"}')
    assert "orders: 'total' is text, not number" in acknowledged()[1]


def test_acknowledge_accepts_an_announced_contract_beside_the_present_one(dependent):
    acknowledged("orders", "--by", "Ada")
    (dependent / "next.json").write_text('{"sum": "number"}')
    assert acknowledged("orders", "--by", "Ada", "--upcoming", "next.json")[0] == 0
    assert "All are as agreed" in acknowledged()[1]
    (dependent / "orders.json").write_text('{"sum": "number"}')
    assert "All are as agreed" in acknowledged()[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["orders"], "--by NAME"), (["order", "--by", "Ada"], "Did you mean 'orders'"), (["--by", "Ada"], "nobody has")],
)
def test_acknowledge_writes_nothing_without_a_name_and_a_person(dependent, words, said):
    assert said in " ".join(acknowledged(*words)[1].split())
    assert not (dependent / "acknowledged.json").exists()


def test_acknowledge_says_how_to_offer_a_manifest(project):
    code, said = acknowledged()
    assert (code, "[tool.mltestscore.dependencies]" in said) == (4, True)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("monitor.3", ["[tool.mltestscore.data.recomputed] source, label", "Passes when"]),
        ("data.5", ["[tool.mltestscore.stores.NAME] source, raw", "deadline_days = 30.0"]),
        ("infra.5", ["[tool.mltestscore.trace] call, timeout", "Its inputs: model, tracer"]),
    ],
)
def test_explain_names_the_tables_keys_and_options_of_our_check(item, said):
    done = CliRunner().invoke(app, ["explain", item])
    assert done.exit_code == 0, done.output
    for part in said:
        assert part in done.output
    assert "tool.mltestscore.clock" not in done.output
