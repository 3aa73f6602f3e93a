"""Ways around a gate in CI: what lets the deploying job run though the gate's failed, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.validator import open_validator
from mltestscore.validation.workflow import Reading, read_workflow, telling_word, ungated

GITHUB = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{run: pytest}]
  gate:
    runs-on: ubuntu-latest
    needs: test
    steps:
      - uses: actions/checkout@v4
      - name: judge
        run: python -m shop.gate --candidate model.skops
  stage:
    runs-on: ubuntu-latest
    needs: [gate]
    steps: [{run: ./stage.sh}]
  release:
    runs-on: ubuntu-latest
    needs: [stage]
    if: github.ref == 'refs/heads/main'
    steps: [{run: ./release.sh}]
"""
GITLAB = """
stages: [test, judge, deploy]
.python:
  image: python:3.12
  before_script: !reference [.setup, script]
gate:
  extends: .python
  stage: judge
  script:
    - pip install .
    - python -m shop.gate --candidate model.skops | tee gate.log
release:
  stage: deploy
  script: ./release.sh
"""


def reading(text: str, **settings: str) -> Reading:
    command = ["{python}", "-m", "shop.gate", "--candidate", "{candidate}"]
    jobs = {"gate_job": "gate", "deploy_job": "release"} | settings
    gate = open_validator(Path(), command, "shop:package", workflow=text, workflow_name="ci.yml", **jobs)
    return read_workflow(gate)


@pytest.mark.parametrize("text", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_a_deployment_behind_the_gate_has_no_way_around_it(text):
    assert reading(text) == Reading(())


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("needs: [gate]", "needs: [test]", "job release does not need job gate"),
        ("github.ref == 'refs/heads/main'", "always()", "whatever the gate said"),
        ("github.ref == 'refs/heads/main'", "success() || failure()", "whatever the gate said"),
        ("github.ref == 'refs/heads/main'", "${{ !cancelled() }}", "whatever the gate said"),
        ("needs: test\n", "needs: test\n    continue-on-error: true\n", "job gate counts as passed"),
        ("- name: judge", "- name: judge\n        continue-on-error: true", "step of the gate counts as passed"),
        ("- name: judge", "- name: judge\n        if: ${{ false }}", "never runs"),
        ("--candidate model.skops", "--candidate model.skops || true", "goes on where the gate fails"),
        ("--candidate model.skops", "--candidate model.skops; exit 0", "goes on where the gate fails"),
        ("--candidate model.skops", "--candidate model.skops | tee log", "goes on where the gate fails"),
        ("run: python -m", "run: |\n          set +e\n          python -m", "goes on where the gate fails"),
        ("--candidate model.skops", "\\\n          --candidate model.skops \\\n          || echo", "needs|goes on"),
    ],
)
def test_ways_around_a_gate_of_github_are_named(before, after, told):
    assert before in GITHUB
    text = GITHUB.replace(before, after)
    if "\\" in after:
        text = text.replace("run: python", "run: |\n          python")
    ways = reading(text).ways
    assert len(ways) == 1
    assert any(part in ways[0] for part in told.split("|"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("github.ref == 'refs/heads/main'", "always() && needs.gate.result == 'success'"),
        ("needs: [stage]", "needs: gate"),
        ("--candidate model.skops", "--candidate model.skops || exit 1"),
        ("--candidate model.skops", "--candidate model.skops || (echo refused && exit 1)"),
        ("--candidate model.skops", "--candidate model.skops || ./tell_and_fail.sh"),
        ("--candidate model.skops", "--candidate model.skops && echo accepted"),
        ("- name: judge", "- name: judge\n        shell: bash\n        continue-on-error: false"),
        ("run: python -m", "run: |\n          set -o pipefail\n          python -m"),
        ("--candidate model.skops", "--candidate model.skops  # never || true"),
    ],
)
def test_what_only_looks_like_a_way_around_is_none(before, after):
    assert before in GITHUB
    text = GITHUB.replace(before, after)
    if "#" in after:
        text = text.replace("  # never || true", "")
    assert reading(text).ways == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("stage: deploy", "stage: test", "neither needs job gate nor stands in a later stage"),
        ("stage: deploy", "stage: deploy\n  needs: []", "neither needs"),
        ("stage: deploy", "stage: deploy\n  when: always", "whatever the gate said"),
        ("stage: deploy", "stage: deploy\n  rules: [{if: $CI, when: always}]", "whatever the gate said"),
        ("stage: judge", "stage: judge\n  allow_failure: true", "may fail"),
        ("stage: judge", "stage: judge\n  when: manual", "may fail"),
        ("image: python:3.12", "allow_failure: {exit_codes: [1]}", "may fail"),
        ("| tee gate.log", "|| true", "goes on where the gate fails"),
    ],
)
def test_ways_around_a_gate_of_gitlab_are_named(before, after, told):
    assert before in GITLAB
    (way,) = reading(GITLAB.replace(before, after)).ways
    assert told in way


def test_needs_of_gitlab_and_a_manual_gate_that_blocks_are_sound():
    assert reading(GITLAB.replace("stage: deploy", "stage: test\n  needs: [{job: gate}]")).ways == ()
    assert reading(GITLAB.replace("stage: judge", "stage: judge\n  when: manual\n  allow_failure: false")).ways == ()


def test_a_gate_that_no_step_names_is_a_doubt_that_a_setting_settles():
    text = GITHUB.replace("python -m shop.gate", "make judge ARGS=")
    assert "'shop.gate'" in reading(text).doubt
    assert reading(text, gate_step="make judge") == Reading(())


def test_bad_files_and_jobs_are_clear_errors():
    with pytest.raises(ConfigError, match=r"gate_job: ci.yml has no job 'gat'.*'gate'"):
        reading(GITHUB, gate_job="gat")
    with pytest.raises(InputError, match="not valid YAML"):
        reading("jobs: [")
    with pytest.raises(InputError, match="no workflow"):
        reading("just words")


@pytest.mark.parametrize("text", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_the_planted_fault_takes_the_dependence_away(text):
    assert any("need" in way for way in reading(ungated(text, "release", "ci.yml")).ways)


def test_the_telling_word_is_the_module_or_the_script():
    assert telling_word(("{python}", "tools/gate.py", "--limit", "0.1", "{candidate}")) == "tools/gate.py"
    assert telling_word(("make", "gate", "MODEL={candidate}")) == "make"
