"""Faults of where the model comes from: code that nobody has, settings that nobody saw, changes that nobody read."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.proving.cases import fault
from tests.proving.system import System

LINEAGE = "build/registry/v2/lineage.json"
ADA = ("Ada Example", "ada@flight-delay.example")


def _git(system: System, *arguments: str) -> str:
    """Run git in the copy's repository as one of its people, and return what it prints."""
    identity = {f"GIT_{role}_{what}": said for role in ("AUTHOR", "COMMITTER") for what, said in
                zip(("NAME", "EMAIL", "DATE"), (*ADA, "2013-09-30T12:00:00+00:00"), strict=True)}  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(system.home), **identity}
    folder = system.home / "build" / "repository"
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def _committed(system: System, file: str, more: str) -> str:
    """Add text to a file of the repository, commit that without a review, and let it be what the model came from."""
    path = system.home / "build" / "repository" / file
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + more, encoding="utf-8")
    _git(system, "add", file)
    _git(system, "commit", "--quiet", "--message", f"Change {file}")
    commit = _git(system, "rev-parse", "HEAD")
    system.json(LINEAGE, lambda lineage: lineage | {"code_commit": commit})
    return commit[:12]


@fault(
    "M1a",
    "model.1",
    "trained from changed files; from a commit that was never merged; from one that nobody has",
    (0, 1, 2),
    ["not committed|outside the protected branch|has not"],
)
def not_checked_in(system: System, severity: float, seed: int) -> None:
    changed: dict[str, Any] = {"tree_clean": False}
    if severity == 1:
        _git(system, "checkout", "--quiet", "-b", "try")
        changed = {"code_commit": _committed(system, "flights/train.py", "\n")}
    elif severity == 2:
        changed = {"code_commit": f"{seed:040x}".replace("0", "e")}
    system.json(LINEAGE, lambda lineage: lineage | changed)


@not_checked_in.healthy("the commit is abbreviated, and beside the code lies a notebook that nobody committed")
def notebook(system: System, severity: float, seed: int) -> None:
    (system.home / "build" / "repository" / "try.ipynb").write_text("{}", encoding="utf-8")
    system.json(LINEAGE, lambda lineage: lineage | {"code_commit": lineage["code_commit"][:10]})


@fault(
    "M1b",
    "model.1",
    "the model has one more leaf, ten, and a hundred more than the reviewed file says",
    (1, 10, 100),
    ["max_leaf_nodes"],
)
def drifted(system: System, severity: float, seed: int) -> None:
    def more(lineage: dict[str, Any]) -> dict[str, Any]:
        leaves = lineage["parameters"]["max_leaf_nodes"] + int(severity)
        return lineage | {"parameters": lineage["parameters"] | {"max_leaf_nodes": leaves}}

    system.json(LINEAGE, more)


@drifted.healthy("the same settings in another order, as texts, with 0.15 written 1.5e-1")
def respelt(system: System, severity: float, seed: int) -> None:
    def texts(lineage: dict[str, Any]) -> dict[str, Any]:
        said = {name: json.dumps(value) for name, value in reversed(lineage["parameters"].items())}
        return lineage | {"parameters": said | {"learning_rate": "1.5e-1"}}

    system.json(LINEAGE, texts)


@fault(
    "M1c",
    "model.1",
    "the last commit, the last three, or one with a reviewer who wrote it, came without a review",
    (1, 3, 0),
    ["without a review"],
)
def unreviewed(system: System, severity: float, seed: int) -> list[str]:
    if severity:
        return [_committed(system, "flights/train.py", "\n" * number) for number in range(1, int(severity) + 1)]
    commit = _committed(system, "flights/train.py", "\n")
    _git(system, "notes", "--ref=review", "add", "--message", f"Reviewed-by: {ADA[0]} <ada@home.example>")
    return [commit]


@unreviewed.healthy("a commit of documents only needs no review, and one was reviewed afterwards")
def documents(system: System, severity: float, seed: int) -> None:
    _committed(system, "README.md", "How to train it.\n")
    _committed(system, "flights/train.py", "\n")
    _git(system, "notes", "--ref=review", "add", "--message", "Reviewed-by: Ben Example <ben@flight-delay.example>")
