"""A small project under test: a team's checks on plain fixtures, run through the plugin as a user would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SETTINGS = """
[tool.mltestscore]
system = "sample"
checks_in = ["quality"]
"""

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def lengths():
    return (3, 4, 5)
"""

CHECKS = '''
"""A team's own checks."""
from mltestscore import at_most, check, fault


@check("data.7")
def check_lengths(lengths, *, longest: int = 10):
    yield at_most("longest", max(lengths), longest, n=len(lengths))


@fault(check_lengths, "one is far too long", caught_by="longest")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}
'''


class Project:
    """A project folder, and what a run in it left behind."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.folder = pytester.path

    def write(self, name: str, text: str) -> Path:
        """Write a file below the project's folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process, without the plugins that tests of ours bring along."""
        others = [word for name in ("randomly", "xdist", "hypothesispytest") for word in ("-p", f"no:{name}")]
        return self.pytester.runpytest_inprocess("--mltestscore", *others, *arguments)

    def start(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess("--mltestscore", *arguments)

    def scorecard(self) -> dict:
        """Return the scorecard that the last run wrote."""
        return json.loads((self.folder / "mltestscore-report" / "scorecard.json").read_text(encoding="utf-8"))

    def item(self, name: str) -> dict:
        """Return one rubric item of that scorecard, without built-in checks that this project offers nothing to."""
        item = next(item for item in self.scorecard()["items"] if item["id"] == name)
        ours = [check for check in item["checks"] if check["origin"] != "built-in" or check["state"] != "not_offered"]
        return item | {"checks": ours}


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what has C parts or registries before pytester looks: what it forgets after a test must not load twice."""
    import httpcore  # noqa: F401
    import numpy as np
    import pandas as pd
    import pandas.core.arrays.arrow.extension_types
    import scipy.stats  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    import mltestscore.run  # noqa: F401
    from mltestscore.catalogue import checks_of, import_file, our_files
    from mltestscore.inputs import endpoint, fixtures, model  # noqa: F401
    from mltestscore.inputs.dataset import open_dataset

    frame, folder = pd.DataFrame({"x": np.arange(3)}), tmp_path_factory.mktemp("warm")
    frame.to_csv(folder / "x.csv", index=False)
    frame.to_parquet(folder / "x.parquet")
    frame.to_json(folder / "x.jsonl", orient="records", lines=True)
    for source in (frame, *folder.iterdir()):
        dataset = open_dataset("warm", source)
        assert (dataset.rows, len(dataset.sample(2).frame()), bool(dataset.digest)) == (3, 2, True)
    for file in our_files():
        assert checks_of(import_file(file))


@pytest.fixture
def empty(loaded: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project without any file; the run is by hand, wherever this suite runs."""
    for variable in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "CIRCLECI", "TF_BUILD"):
        monkeypatch.delenv(variable, raising=False)
    return Project(pytester)


@pytest.fixture
def project(empty: Project) -> Project:
    """Give a project with one team check that passes and proves itself."""
    empty.write("pyproject.toml", SETTINGS)
    empty.write("conftest.py", CONFTEST)
    empty.write("quality/lengths.py", CHECKS)
    return empty


@pytest.fixture
def check_file(project: Project) -> Callable[[str], Path]:
    """Return a function that replaces the team's check file."""
    header = "from mltestscore import *\n"
    return lambda text: project.write("quality/lengths.py", header + text)
