"""Runs the rehearsal of adding a feature twice, with and without it, and compares what came out."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.codetests.properties_of import same
from mltestscore.codetests.sandbox import Done, copied, run, run_python
from mltestscore.errors import InputError
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.dry_run import TABLE, DryRun

START = 10.0  # seconds that a rehearsal gets beyond twice its declared time, before it is stopped
LOADING = 60.0  # seconds for loading the model and scoring the served rows
TOLERANCE = 1e-6  # between a served score and the model's own: as in monitor.3


@dataclass(frozen=True)
class Outcome:
    """What one run of the command left behind.

    Attributes:
        done: how the command ended.
        training: the training rows, or ``None`` where it failed.
        served: the served rows, likewise.
        features: the model's inputs; ``None`` where no model is written, or no feature was added.
        scores: the model's own scores of the served rows, likewise.
        changed: source files that the command changed, added or removed in its copy.
    """

    done: Done
    training: pd.DataFrame | None = None
    served: pd.DataFrame | None = None
    features: tuple[str, ...] | None = None
    scores: tuple[float, ...] | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rehearsal:
    """The command's outcomes without and with the new feature, and files of the real project that now name it."""

    plain: Outcome
    added: Outcome
    touched: tuple[str, ...]


def rehearse(dry_run: DryRun) -> Rehearsal:
    """Run the command in two copies at once, without and with the new feature; look at each outcome.

    A rehearsal that takes longer than declared is run once more, alone; the quicker one counts.

    Raises :class:`InputError` when the command fails without a new feature, or does not write what it should.
    """
    key = ("rehearsal", dry_run.replace(tampering="", max_seconds=1.0).digest)
    if key not in dry_run.memory:
        dry_run.memory[key] = _rehearse(dry_run)
    found: Rehearsal = dry_run.memory[key]
    return replace(found, added=TAMPERING[dry_run.tampering](dry_run, found.added))


def _rehearse(dry_run: DryRun) -> Rehearsal:
    before = dry_run.content()
    with ThreadPoolExecutor(2) as pool:
        plain, added = pool.map(lambda feature: _outcome(dry_run, feature), ("", dry_run.feature))
    if plain.done.code != 0:
        raise InputError(
            f"{TABLE}: the command {_ending(plain.done)} even without a new feature ({{feature}} left empty). It said:"
            f"\n{plain.done.said}"
        )
    if added.done.code == 0 and added.done.seconds > dry_run.max_seconds:
        again = _outcome(dry_run, dry_run.feature)
        added = min(added, again, key=lambda one: one.done.seconds if one.done.code == 0 else np.inf)
    changed = _differing(before, dry_run.content())
    return Rehearsal(plain, added, tuple(name for name in changed if _names(dry_run, name)))


def _names(dry_run: DryRun, name: str) -> bool:
    """Say whether a file of the project names the new feature: what people saved meanwhile does not."""
    file = dry_run.folder / name
    return file.is_file() and dry_run.feature.encode() in file.read_bytes()


def _outcome(dry_run: DryRun, feature: str) -> Outcome:
    words = [word.replace("{feature}", feature).replace("{python}", sys.executable) for word in dry_run.command]
    with copied(dry_run.folder, dry_run.ignored, TABLE) as copy:
        before = dry_run.content(copy)
        limit = 2 * dry_run.max_seconds + START
        try:
            done = run(words, sandbox=copy, home=dry_run.folder, timeout=limit)
        except OSError as error:
            raise InputError(f"{TABLE} command: {words[0]!r} cannot be started: {error}.") from None
        if done.code != 0:
            return Outcome(done)
        changed = _differing(before, dry_run.content(copy))
        outputs = tuple(name for name in (dry_run.training, dry_run.served, dry_run.model) if name)
        kept = tuple(name for name in changed if name not in outputs)
        training, served = (_table(copy, name) for name in (dry_run.training, dry_run.served))
        features, scores = _model(dry_run, copy, served) if dry_run.model and feature else (None, None)
        return Outcome(done, training, served, features, scores, kept)


def _table(copy: Path, name: str) -> pd.DataFrame:
    if not (copy / name).is_file():
        raise InputError(f"{TABLE}: the command ended well and did not write {name}; it must write that file.")
    return open_dataset(name, str(copy / name)).frame()


def _model(dry_run: DryRun, copy: Path, served: pd.DataFrame) -> tuple[tuple[str, ...], tuple[float, ...] | None]:
    """Return inputs and scores of the model that was written; it is loaded in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        served.to_parquet(work / "served.parquet", index=False)
        loading = dict(dry_run.loading)
        request = {"model": str(copy / dry_run.model), "loading": loading, "feature": dry_run.feature}
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        arguments = ["-m", "mltestscore.features.rehearsal_process", name]
        done = run_python(arguments, sandbox=copy, home=dry_run.folder, timeout=LOADING)
        if done.code != 0:
            raise InputError(
                f"{TABLE} model: {dry_run.model} {_ending(done)} when it was loaded. It said:\n{done.said}"
            )
        found = json.loads((work / "result.json").read_text(encoding="utf-8"))
    scores = found["scores"]
    own = None if scores is None else tuple(np.nan if score is None else float(score) for score in scores)
    return tuple(found["features"]), own


def not_reached(dry_run: DryRun, added: Outcome) -> list[str]:
    """Return the places (training data, model, served rows) in which the new feature is not, or never has a value."""
    missing = []
    for name, table in (("training data", added.training), ("served rows", added.served)):
        if table is None or dry_run.feature not in table.columns:
            missing.append(f"{name} (no such column)")
        elif table[dry_run.feature].isna().all():
            missing.append(f"{name} (never has a value)")
    if added.features is not None and dry_run.feature not in added.features:
        missing.append("model (no such input)")
    return missing


def other_columns(dry_run: DryRun, plain: Outcome, added: Outcome) -> list[str]:
    """Return what differs between the two outcomes besides the new feature, such as ``"training: temp"``."""
    found = []
    for name, without, with_it in (
        ("training", plain.training, added.training),
        ("served", plain.served, added.served),
    ):
        if without is None or with_it is None:
            continue
        expected = [column for column in without.columns if column != dry_run.score or name == "training"]
        lost = [column for column in expected if column not in with_it.columns]
        more = [column for column in with_it.columns if column not in without.columns and column != dry_run.feature]
        found += [f"{name}: {column} is gone" for column in lost] + [f"{name}: {column} is new" for column in more]
        if len(without) != len(with_it):
            found.append(f"{name}: {len(with_it):,} rows, not {len(without):,}")
            continue
        left, right = (_in_order(table, dry_run.key) for table in (without, with_it))
        found += [f"{name}: {column}" for column in expected if column not in lost and _differs(left, right, column)]
    return found


def strange_scores(dry_run: DryRun, added: Outcome) -> int | None:
    """Return how many served scores are not the model's own on the served features; ``None`` where none are known."""
    if added.scores is None or added.served is None or dry_run.score not in added.served.columns:
        return None
    served = added.served[dry_run.score].to_numpy(dtype=float, na_value=np.nan)
    close = np.isclose(served, np.array(added.scores), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return int((~close).sum())


def _in_order(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    names = [name for name in key if name in table.columns]
    return table.sort_values(names, kind="stable", ignore_index=True) if names else table


def _differs(left: pd.DataFrame, right: pd.DataFrame, column: str) -> bool:
    pairs = zip(left[column].tolist(), right[column].tolist(), strict=True)
    return not all(same(one, other, 0.0) for one, other in pairs)


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def _ending(done: Done) -> str:
    return f"was stopped after {done.seconds:.0f} s" if done.code is None else f"failed (status {done.code})"


def _unserved(dry_run: DryRun, added: Outcome) -> Outcome:
    """The online path drops what it does not know."""
    served = None if added.served is None else added.served.drop(columns=dry_run.feature, errors="ignore")
    return replace(added, served=served)


def _shifted(dry_run: DryRun, added: Outcome) -> Outcome:
    """Another column of the training rows takes the place of its neighbour."""
    if added.training is None:
        return added
    table: pd.DataFrame = added.training.copy()
    others = [name for name in table.columns if name not in (dry_run.feature, *dry_run.key)]
    table[others[-1]] = None
    return replace(added, training=table)


def _kept(_: DryRun, added: Outcome) -> Outcome:
    return added


TAMPERING: dict[str, Any] = {"": _kept, "unserved": _unserved, "shifted": _shifted}
