"""Candidates as files: made by the team's packaging function in a fresh process, loaded and scored in another one."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.codetests.sandbox import run_python
from mltestscore.errors import InputError
from mltestscore.inputs import digests
from mltestscore.inputs.validator import TABLE, Validator
from mltestscore.validation.recipes import Recipe, Ruined, frame_of
from mltestscore.validation.workplace import workplace

Scores = npt.NDArray[np.float64]

LOADING = 120.0  # seconds for loading all packages and scoring the judged rows


@dataclass(frozen=True)
class Material:
    """What candidates are made from and measured on.

    Attributes:
        training: labelled rows.
        judged: labelled rows that no candidate learns from.
        label: the column.
        features: the inputs that both have.
        slices: those that may be ruined.
        key: a digest of it all.
    """

    training: pd.DataFrame
    judged: pd.DataFrame
    label: str
    features: tuple[str, ...]
    slices: tuple[Ruined, ...]
    key: str


@dataclass(frozen=True, eq=False)
class Packaged:
    """A candidate as a file or folder, and what it says when it is loaded.

    Attributes:
        name: of the recipe.
        path: where it lies.
        seconds: for training and packaging.
        own: the fitted model's scores of the judged rows; ``None`` where the function does not return that model.
        scores: those of the loaded package; ``None`` where it cannot be loaded.
        error: why not.
        task, classes, features: of the loaded model.
    """

    name: str
    path: Path
    seconds: float
    own: Scores | None = None
    scores: Scores | None = None
    error: str = ""
    task: str = ""
    classes: tuple[Any, ...] = ()
    features: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A digest of its files."""
        return digests.of_settings((), _files(self.path), self.path.parent)


def packaged(validator: Validator, material: Material, recipes: Sequence[Recipe], timeout: float) -> list[Packaged]:
    """Return the candidates, in order; each is made once.

    Args:
        validator: whose function makes them.
        material: what they are made from.
        recipes: those of one call that are not made yet are made in one process.
        timeout: seconds for each.

    Raises :class:`InputError` with the last words of the function where it fails or takes too long.
    """
    key = ("packages", validator.code_digest, validator.package, repr(validator.loading), material.key)
    made = validator.memory.setdefault(key, {})
    new = [recipe for recipe in recipes if recipe not in made]
    if new:
        made.update(zip(new, _made(validator, material, new, timeout), strict=True))
    return [made[recipe] for recipe in recipes]


def _made(validator: Validator, material: Material, recipes: Sequence[Recipe], timeout: float) -> list[Packaged]:
    place = tempfile.TemporaryDirectory(prefix="mltestscore-", ignore_cleanup_errors=True)
    # Kept as long as the input: faults are planted on the gate, and need no other candidates.
    validator.memory.setdefault("folders", []).append(place)
    work = Path(place.name)
    trained = [recipe for recipe in recipes if not recipe.cut_from]
    for number, recipe in enumerate(trained):
        frame = frame_of(recipe, material.training, material.label, material.features, material.slices)
        _written(frame, work / f"frame-{number}.parquet")
    _written(material.judged.drop(columns=material.label), work / "probe.parquet")
    loading = dict(validator.loading)
    speaking = {name: loading[name] for name in ("task", "features", "rows_as") if name in loading}
    request: dict[str, Any] = {"source": validator.package, "setting": f"{TABLE} package", "speaking": speaking}
    request["seeds"] = [recipe.seed for recipe in trained]
    with workplace(validator) as copy:
        _run("packaging_process", request, "request.json", work, copy, validator, timeout * len(trained))
        for file in work.glob("frame-*.parquet"):
            file.unlink()
        made = json.loads((work / "packaged.json").read_text(encoding="utf-8"))
        paths = {recipe.name: Path(one["path"]) for recipe, one in zip(trained, made, strict=True)}
        for recipe in recipes:
            if recipe.cut_from:
                paths[recipe.name] = cut(paths[recipe.cut_from], work / "cut")
        scoring = {"paths": [str(paths[recipe.name]) for recipe in recipes], "loading": loading}
        _run("scoring_process", scoring, "scoring.json", work, copy, validator, LOADING)
    scored = json.loads((work / "scored.json").read_text(encoding="utf-8"))
    figures = dict(zip((recipe.name for recipe in trained), enumerate(made), strict=True))
    return [
        _packaged(recipe.name, paths[recipe.name], work, number, found, figures.get(recipe.name))
        for number, (recipe, found) in enumerate(zip(recipes, scored, strict=True))
    ]


def _packaged(
    name: str, path: Path, work: Path, number: int, found: dict[str, Any], made: tuple[int, dict[str, Any]] | None
) -> Packaged:
    own = None if made is None or not made[1]["own"] else _array(work / f"own-{made[0]}.npy")
    seconds = 0.0 if made is None else float(made[1]["seconds"])
    if found["error"]:
        return Packaged(name, path, seconds, own, error=found["error"])
    told = {"task": found["task"], "classes": tuple(found["classes"]), "features": tuple(found["features"])}
    return Packaged(name, path, seconds, own, _array(work / f"scores-{number}.npy"), **told)


def copied(path: Path, folder: Path) -> Path:
    """Return a copy of a package, in a new ``folder``."""
    folder.mkdir()
    target = folder / path.name
    if path.is_dir():
        shutil.copytree(path, target)
    else:
        shutil.copy2(path, target)
    return target


def cut(path: Path, folder: Path) -> Path:
    """Return a copy of a package, in ``folder``, of whose every file the second half is missing."""
    target = copied(path, folder)
    for file in _files(target):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    return target


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _written(frame: pd.DataFrame, file: Path) -> None:
    try:
        frame.to_parquet(file, index=False)
    except Exception as error:
        raise InputError(
            f"the labelled rows cannot be handed to the team as Parquet: {error}. Give each column one type."
        ) from error


def _run(
    module: str, request: dict[str, Any], file: str, work: Path, copy: Path, validator: Validator, timeout: float
) -> None:
    (work / file).write_text(json.dumps(request), encoding="utf-8")
    arguments = ["-m", f"mltestscore.validation.{module}", str(work), str(work)]
    done = run_python(arguments, sandbox=copy, home=validator.folder, timeout=timeout)
    if done.code == 0:
        return
    how = f"was stopped after {done.seconds:.0f} s" if done.code is None else f"failed (status {done.code})"
    what = f"package: {validator.package}" if module == "packaging_process" else "loading the packaged models"
    more = " Raise the option timeout, or lower rows." if done.code is None else ""
    raise InputError(f"{TABLE} {what} {how}.{more} It said:\n{done.said}")


def _array(file: Path) -> Scores:
    return np.asarray(np.load(file, allow_pickle=False))
