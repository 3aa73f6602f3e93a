"""What the README and the page on serving show is generated, true and runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

from mltestscore.config import read_config
from mltestscore.declare import declared_check
from mltestscore.inputs import offered_infra
from mltestscore.inputs.dataset import open_dataset
from mltestscore.scorecard import load
from mltestscore.serving.protocols import protocol_named
from mltestscore.testing import run_check

FEATURES = """
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS = 3958.8

def distance(origin, destination):
    north, west, north_there, west_there = map(radians, (*origin, *destination))
    half = sin((north_there - north) / 2) ** 2 + cos(north) * cos(north_there) * sin((west_there - west) / 2) ** 2
    return 2 * EARTH_RADIUS * asin(sqrt(half))
"""

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SERVING = (ROOT / "mltestscore" / "serving" / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """Return the code block behind a marker comment."""
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None, f"README.md has no block {name}"
    return found.group(1)


def test_the_table_of_items_is_up_to_date():
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "README.md"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, "run `python -m cogapp -r README.md`\n" + done.stdout + done.stderr


def test_the_check_of_your_own_passes_proves_itself_and_fails_on_a_real_fault():
    names: dict = {"__name__": "quality.ids"}
    exec(compile(block("own-check"), "README.md", "exec"), names)
    check = names["check_no_ids_among_features"]
    sound = open_dataset("training", pd.DataFrame({"distance": [1.0, 2.0], "carrier": ["AA", "UA"]}))
    leaking = open_dataset("training", pd.DataFrame({"distance": [1.0, 2.0], "tail_id": ["N1", "N2"]}))

    result = run_check(check, training=sound)

    assert (result.state, result.proof.state) == ("passed", "proven")
    assert run_check(check, training=leaking).state == "failed"
    assert declared_check(check).id == "data.4/no_ids_among_features"


def test_both_examples_run_through_the_plugin(pytester):
    pytester.makepyprojecttoml('[tool.mltestscore]\nchecks_in = ["quality"]\n')
    pytester.mkdir("quality").joinpath("ids.py").write_text(block("own-check"))
    pytester.makeconftest(
        "import pandas, pytest\n@pytest.fixture\ndef training():\n    return pandas.DataFrame({'distance': [1.0]})\n"
    )
    pytester.makepyfile(features=FEATURES)
    pytester.makepyfile(block("own-test"))

    outcome = pytester.runpytest_subprocess("--mltestscore", "-p", "no:randomly", "-p", "no:xdist", "-m", "mltestscore")

    assert outcome.parseoutcomes()["passed"] == 2
    scorecard = load(pytester.path / "mltestscore-report" / "scorecard.json")
    (item,) = [one for one in scorecard.items if one.id == "data.7"]
    planted = [fault for check in item.checks for fault in check.proof.faults]
    assert [(fault.name, fault.state) for fault in planted] == [("the radius of the earth is in kilometres", "caught")]


def test_the_install_and_test_commands_are_those_that_ci_runs():
    assert "bash tests/run.sh\n" in TEXT
    assert "\nbash tests/run.sh || once_more\n" in (ROOT / ".ci" / "run").read_text()


def test_every_setting_that_it_shows_is_a_known_one(tmp_path):
    shown = re.findall(r"```toml\n(.*?)```", TEXT + SERVING, re.DOTALL)
    (library,) = (block for block in shown if 'url = "python:' in block)  # a second endpoint, so in a file of its own
    file, other = tmp_path / "pyproject.toml", tmp_path / "library.toml"
    file.write_text("\n".join(block for block in shown if block != library))
    other.write_text(library)

    config = read_config(file)

    assert len(shown) == 6
    assert read_config(other).endpoint.url == "python:acme.scoring:predict"
    spoken = protocol_named(config.endpoint.protocol, config.endpoint.settings, declared=config.protocols)
    assert spoken.predict_path == "/models/flights/score"
    assert offered_infra.rollback(config).registry.source == "flights on TorchServe at http://staging:8081"
    assert [entry.item for entry in config.evidence] == ["data.1"]


def test_what_they_link_to_is_there():
    for page, text in ((ROOT / "README.md", TEXT), (ROOT / "mltestscore" / "serving" / "README.md", SERVING)):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
