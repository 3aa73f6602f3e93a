"""Runs what is tried with a model in two processes, one that learns and one that restores; reads what came of it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd

from mltestscore.codetests.libraries import libraries_of
from mltestscore.codetests.sandbox import Running, copied
from mltestscore.codetests.warm import START, Forked, WarmPython
from mltestscore.errors import InputError
from mltestscore.inputs.functions import split_name
from mltestscore.inputs.specification import SETTING, TABLE, Specification
from mltestscore.specification.memorised import is_single
from mltestscore.specification.rows import Rows
from mltestscore.unstructured import as_texts

TRYING = "mltestscore.specification.trying"
COMPARED = 256  # rows of the batch whose predictions are compared after a restore
OURS = ("pandas", "pyarrow.parquet", TRYING)  # what the trials themselves import
HASH_SEEDS = {"learner": "1", "restorer": "2"}


@dataclass(frozen=True)
class Curve:
    """One model on a handful of rows.

    Attributes:
        losses: what each step returned.
        shares: of what there was to learn, after the first step and at every look from then on.
        moved: whether predictions ever changed.
        apart: whether predictions of the rows ever differed from each other.
        cut: whether time was up before the last step.
        kind: what the predictions are; ``"scores"`` where ``shares`` come from the losses.
        rows: how many rows there were to learn.
        examples: how many it was shown of them, copies counted.
    """

    losses: tuple[float, ...]
    shares: tuple[float, ...]
    moved: bool
    apart: bool
    cut: bool
    kind: str
    rows: int
    examples: int


@dataclass(frozen=True)
class Going:
    """Losses and predictions of a model that goes on: ``saved`` when it was, ``ended`` some steps later."""

    losses: tuple[float, ...]
    saved: tuple[Any, ...]
    ended: tuple[Any, ...]
    said: str = ""


@dataclass(frozen=True)
class Tried:
    """What came of all.

    Attributes:
        learned: for each start, its attempts at a handful, at two rows, at two rows in more copies.
        resumed: for each start, the model that nobody interrupted; its losses begin with those before the checkpoint.
        restored: for each start, the model that went on from its checkpoint in another process.
        answers: see :class:`mltestscore.specification.answers.Answers`; empty where that was not tried.
    """

    learned: tuple[tuple[Curve, ...], ...]
    resumed: tuple[Going, ...]
    restored: tuple[Going, ...]
    answers: Mapping[str, Any]


def tried(specification: Specification, rows: Rows, settings: Mapping[str, Any], *, seconds: float) -> Tried:
    """Try the model on the rows; remembered for the same code, rows and settings.

    Args:
        specification: the stepper, and what of it is looked at.
        rows: what it is stepped on and asked.
        settings: ``starts``, ``steps``, ``before``, ``after``, ``least`` and ``tolerance``; see
            :mod:`mltestscore.specification.trying`.
        seconds: time for the trials, besides :data:`START`.

    Raises :class:`InputError` with what the stepper said where it cannot be stepped at all, or hangs.
    """
    drawn = tuple(int(pd.util.hash_pandas_object(one.apply(as_texts)).sum()) for one in (rows.batch, rows.legal))
    key = ("tried", specification.digest, drawn, tuple(settings.items()), seconds)
    if key not in specification.memory:
        specification.memory[key] = _tried(specification, rows, settings, seconds)
    found: Tried = specification.memory[key]
    return found


def _tried(specification: Specification, rows: Rows, settings: Mapping[str, Any], seconds: float) -> Tried:
    code, parts = specification.code, specification.parts
    seeds = list(range(1, settings["starts"] + 1))
    request = {
        **settings,
        "setting": SETTING,
        "stepper": specification.stepper,
        "wrappers": specification.wrappers,
        "predicts": specification.predicts,
        "task": specification.task,
        "compared": COMPARED,
        "parts": parts,
        "seeds": seeds,
        "interrupted": seeds if specification.random else seeds[:1],  # without chance, one tells as much as three
        "features": rows.features,
        "label": rows.label,
        "single": bool(rows.label) and is_single(rows.batch[rows.label]),
        "handfuls": len(rows.handfuls),
        "origins": rows.origins,
        "seconds": seconds,
    }
    roles = ["learner", *(["restorer"] if "restoring" in parts else [])]
    with (
        copied(code.folder, code.ignored, TABLE) as sandbox,
        tempfile.TemporaryDirectory() as name,
        ExitStack() as stack,
    ):
        work = Path(name).resolve()
        _write(work, rows, seeds, request)
        warm = {role: _warm(specification, role) for role in roles}
        running = [stack.enter_context(one.running(TRYING, [str(work), role], sandbox)) for role, one in warm.items()]
        until = monotonic() + seconds + START
        for one in running:
            _finish(specification, one, until, seconds + START)
            (work / "over").touch()  # the learner has ended: nobody need wait for a checkpoint any more
        results = [json.loads((work / f"{role}.json").read_text(encoding="utf-8")) for role in roles]
    return _read(results[0], results[-1])


def _write(work: Path, rows: Rows, seeds: Sequence[int], request: Mapping[str, Any]) -> None:
    frames = {"batch": rows.batch, **({"legal": rows.legal} if rows.origins else {})}
    for seed, (handful, pair) in zip(seeds, rows.handfuls, strict=False):
        frames |= {f"handful-{seed}": handful, f"pair-{seed}": pair}
    for name, frame in frames.items():
        try:
            frame.to_parquet(work / f"{name}.parquet", index=False)
        except Exception as error:
            raise InputError(
                f"rows cannot be handed to the stepper's process as Parquet: {str(error)[:300]}. Give each column of "
                "the training data one type."
            ) from error
    for seed in seeds:
        (work / "checkpoints" / str(seed)).mkdir(parents=True)
    (work / "request.json").write_text(json.dumps(request), encoding="utf-8")


def _warm(specification: Specification, role: str) -> WarmPython:
    """Return the process of a role: where the restorer has another hash seed, it cannot lean on the order of a set."""
    if ("warm", role) not in specification.memory:
        home = specification.code.folder
        libraries = [*OURS, *libraries_of(split_name(specification.stepper, SETTING)[0], home)]
        warm = WarmPython(libraries, home, {"PYTHONHASHSEED": HASH_SEEDS[role]})
        specification.memory["warm", role] = warm
    specification.memory["warm", role].prepare()
    found: WarmPython = specification.memory["warm", role]
    return found


def _finish(specification: Specification, running: Running | Forked, until: float, seconds: float) -> None:
    try:
        code = running.wait(max(0.0, until - monotonic()))
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{SETTING}: {specification.stepper} did not come back from a few steps within {seconds:g} s and was "
            "stopped. Give it fewer rows (option rows) or more time (option seconds)."
        ) from None
    if code != 0:
        said = running.said()
        last = said.splitlines()
        own = last and last[-1].startswith((SETTING, "wrapper"))
        raise InputError(last[-1] if own else f"{SETTING}: {specification.stepper} cannot be tried. It said:\n{said}")


def _read(learner: Mapping[str, Any], restorer: Mapping[str, Any]) -> Tried:
    def curve(one: Mapping[str, Any]) -> Curve:
        return Curve(**{**one, "losses": tuple(one["losses"]), "shares": tuple(one["shares"])})

    def going(one: Mapping[str, Any]) -> Going:
        return Going(tuple(one["losses"]), tuple(one["saved"]), tuple(one["ended"]), one.get("said", ""))

    return Tried(
        learned=tuple(tuple(curve(one) for one in attempts) for attempts in learner["learned"]),
        resumed=tuple(going(one) for one in learner["resumed"]),
        restored=tuple(going(one) for one in restorer["restored"]),
        answers=learner["answers"] or {},
    )
