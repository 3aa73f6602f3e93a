"""The facts of a run: when, where, on which commit, by CI or by hand."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

import psutil

from mltestscore.errors import MltestscoreError
from mltestscore.scorecard import Machine, Run

SHOWN_PACKAGES = ("mltestscore", "pytest", "pandas", "scikit-learn", "ibis-framework", "duckdb", "numpy", "scipy")

# The variable that a CI service sets, its name, and the variable with the id of the run (from the services' manuals).
CI_SERVICES = (
    ("GITHUB_ACTIONS", "GitHub Actions", "GITHUB_RUN_ID"),
    ("GITLAB_CI", "GitLab CI", "CI_PIPELINE_ID"),
    ("JENKINS_URL", "Jenkins", "BUILD_TAG"),
    ("BUILDKITE", "Buildkite", "BUILDKITE_BUILD_NUMBER"),
    ("CIRCLECI", "CircleCI", "CIRCLE_BUILD_NUM"),
    ("TF_BUILD", "Azure Pipelines", "BUILD_BUILDID"),
    ("TEAMCITY_VERSION", "TeamCity", "BUILD_NUMBER"),
    ("CI", "CI", ""),
)


def run_facts(folder: Path) -> Run:
    """Return the facts of a run that starts now, for the project in ``folder``."""
    ci = ci_name(os.environ)
    facts = Run(
        id=uuid4().hex[:12],
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        by="CI" if ci else "hand",
        ci=ci,
        machine=machine(),
        versions={name: found for name in SHOWN_PACKAGES if (found := installed(name))},
    )
    from mltestscore.inputs.repository import open_repository

    try:
        repository = open_repository(folder)
    except MltestscoreError:
        return facts
    update = {"commit": repository.commit, "branch": repository.branch, "dirty": repository.dirty}
    return facts.model_copy(update=update)


def ci_name(environment: os._Environ[str] | dict[str, str]) -> str:
    """Return the CI service and its run id, or an empty string outside CI.

    >>> ci_name({"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "77"})
    'GitHub Actions 77'
    """
    for variable, name, id_variable in CI_SERVICES:
        if environment.get(variable, "").lower() not in ("", "false", "0"):
            return f"{name} {environment.get(id_variable, '')[:80]}".strip()
    return ""


def machine() -> Machine:
    """Return what the run ran on."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 0),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
    )


def installed(package: str) -> str:
    """Return the installed version of a package, or an empty string."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
