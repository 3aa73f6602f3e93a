"""What a user reads when the configuration is missing or wrong: one message, exit status 4, never a traceback."""

from __future__ import annotations

import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError

USAGE = pytest.ExitCode.USAGE_ERROR


def refused(outcome: pytest.RunResult) -> str:
    """Return the one message of a refused run."""
    assert outcome.ret == USAGE
    text = "\n".join([*outcome.outlines, *outcome.errlines])
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    return text


def test_a_run_without_configuration_explains_what_to_write_in_five_lines(empty):
    outcome = empty.run()

    message = [line for line in outcome.errlines if line.strip()]
    assert outcome.ret == USAGE
    assert len(message) == 5
    assert "[tool.mltestscore.data.training]" in refused(outcome)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.mltestscore]\nsystm = 'x'\n", ["tool.mltestscore.systm", "Did you mean 'system'?"]),
        ("[tool.mltestscore.model]\npaht = 'x'\n", ["tool.mltestscore.model.paht", "Did you mean 'path'?"]),
        ("[tool.mltestscore.data.training]\nsourc = 'x'\n", ["data.training.sourc", "Did you mean 'source'?"]),
        ("[tool.mltestscore.data.trainig]\nsource = 'x'\n", ["data.trainig", "Did you mean 'training'?"]),
        ("[tool.mltestscore.data.weather]\nsource = 'x'\n", ["data.weather", "is not a dataset", "'outcomes'"]),
        ("[tool.mltestscore.gates.release]\nmin_scor = 1\n", ["min_scor", "Did you mean 'min_score'"]),
        ("[tool.mltestscore]\nproof_rows = 'many'\n", ["tool.mltestscore.proof_rows", "'many'"]),
        ("[tool.mltestscore]\nchecks_in = ['nowhere']\n", ["checks_in", "nowhere", "not a folder"]),
        ("[tool.mltestscore.checks.'data.99']\nx = 1\n", ["data.99", "no such check"]),
        ("[tool.mltestscore]\nhistory = '${NO_SUCH_VARIABLE}'\n", ["NO_SUCH_VARIABLE", "is not set"]),
    ],
)
def test_a_wrong_configuration_names_file_key_and_remedy(empty, text, expected):
    empty.write("pyproject.toml", text)

    message = refused(empty.run())

    assert "pyproject.toml" in message or "checks_in" in message
    for part in expected:
        assert part in message


def test_an_unknown_option_of_a_check_suggests_the_near_name(project):
    settings = (project.folder / "pyproject.toml").read_text()
    project.write("pyproject.toml", settings + "[tool.mltestscore.checks.'data.7/lengths']\nlongst = 3\n")

    message = refused(project.run())

    assert "Did you mean 'longest'?" in message


def test_an_option_of_the_wrong_type_is_refused(project):
    settings = (project.folder / "pyproject.toml").read_text()
    project.write("pyproject.toml", settings + "[tool.mltestscore.checks.'data.7/lengths']\nlongest = 'ten'\n")

    assert "longest is 'ten'" in refused(project.run())


def test_a_gate_that_is_not_configured_is_refused_before_the_run(project):
    settings = (project.folder / "pyproject.toml").read_text()
    project.write("pyproject.toml", settings + "[tool.mltestscore.gates.release]\nmin_score = 1\n")

    assert "Did you mean 'release'?" in refused(project.run("--mltestscore-gate", "relase"))


def test_an_output_folder_that_cannot_be_made_is_refused_before_the_run(project):
    project.write("occupied", "a file, not a folder")

    assert "--mltestscore-output" in refused(project.run("--mltestscore-output", "occupied/below"))


def test_a_value_is_taken_from_the_environment(project, monkeypatch):
    monkeypatch.setenv("SYSTEM_NAME", "from-environment")
    project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text().replace("sample", "${SYSTEM_NAME}"))

    project.run()

    assert project.scorecard()["system"] == "from-environment"


def test_a_file_that_is_not_toml_is_refused(project):
    project.write("broken.toml", "[tool.mltestscore\n")

    assert "broken.toml is not valid TOML" in refused(project.run("--mltestscore-config", "broken.toml"))


BASE = """
[tool.mltestscore]
system = "shop"
[tool.mltestscore.endpoint]
command = ["serve", "{port}"]
health = "/health"
[[tool.mltestscore.pipeline.stages]]
name = "train"
command = ["train"]
[[tool.mltestscore.pipeline.stages]]
name = "serve"
command = ["serve", "{port}"]
reads = ["model"]
"""


def written(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "variant.toml")


def test_a_variant_changes_what_it_names_and_keeps_the_rest(tmp_path):
    text = """
    [tool.mltestscore]
    extends = "pyproject.toml"
    [tool.mltestscore.endpoint]
    command = ["other", "{port}"]
    [[tool.mltestscore.pipeline.stages]]
    name = "serve"
    command = ["other", "{port}"]
    [[tool.mltestscore.pipeline.stages]]
    name = "after"
    command = ["after"]
    """
    found = written(tmp_path, pyproject=BASE, variant=text)
    assert (found.system, found.endpoint.health, found.endpoint.command) == ("shop", "/health", ["other", "{port}"])
    assert [(one.name, one.command[0], one.reads) for one in found.pipeline.stages] == [
        ("train", "train", []),
        ("serve", "other", ["model"]),
        ("after", "after", []),
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("../pyproject.toml", "put both files into one folder"),
        ("variant.toml", "leads back to this file"),
        ("pyprojet.toml", "pyprojet.toml cannot be read"),
        ("circle.toml", "leads back to this file"),
    ],
)
def test_a_variant_of_nothing_is_an_error(tmp_path, named, said):
    circle = '[tool.mltestscore]\nextends = "variant.toml"\n'
    with pytest.raises(ConfigError, match=said):
        written(tmp_path, pyproject=BASE, circle=circle, variant=f'[tool.mltestscore]\nextends = "{named}"\n')
