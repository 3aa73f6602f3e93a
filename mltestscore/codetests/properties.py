"""Properties of feature code, tried on raw rows in a process of their own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltestscore.codetests.properties_of import PROPERTIES
from mltestscore.codetests.raw_rows import raw_rows
from mltestscore.codetests.sandbox import copied, run_python
from mltestscore.errors import InputError
from mltestscore.inputs.feature_code import TABLE, FeatureCode

START = 60.0  # seconds that importing the project and its libraries may take, besides the trials


@dataclass(frozen=True)
class Property:
    """One property.

    Attributes:
        name: what is counted where it does not hold.
        tried: frames of raw rows on which it was observed.
        broken: how many of them break it.
        said: how, on the smallest such frame that was found; empty if none.
        feature: the feature that shows it, if it is one.
        values: its two values.
        rows: the frame, in words.
    """

    name: str
    tried: int
    broken: int
    said: str = ""
    feature: str = ""
    values: tuple[str, str] = ("", "")
    rows: str = ""


@dataclass(frozen=True)
class Tries:
    """All properties that could be observed, and the edges that raw rows were pushed to."""

    properties: tuple[Property, ...]
    edges: tuple[str, ...]


def try_properties(features: FeatureCode, *, examples: int, seconds: float, tolerance: float) -> Tries:
    """Hold both paths to every property on each edge and on ``examples`` frames drawn at random, for ``seconds``.

    Remembered for the same code and rows. Raises :class:`InputError` when a path cannot be imported, or the process
    dies or hangs.
    """
    key = ("properties", features.replace(deaf=False).digest, examples, tolerance)
    if key not in features.memory:
        features.memory[key] = _tried(features, examples, seconds, tolerance)
    found: Tries = features.memory[key]
    return found


def _tried(features: FeatureCode, examples: int, seconds: float, tolerance: float) -> Tries:
    frame, edges = raw_rows(features)
    if frame.empty:
        raise InputError(f"{TABLE} raw has no rows; offer some that come in service.")
    with copied(features.folder, features.ignored, TABLE) as sandbox, tempfile.TemporaryDirectory() as name:
        work = Path(name)
        frame.to_parquet(work / "rows.parquet", index=False)
        for number, one in enumerate(edges):
            one.values.to_frame("value").to_parquet(work / f"edges-{number}.parquet", index=False)
        request = {
            "table": TABLE,
            "batch": features.batch,
            "online": features.online,
            "wrappers": features.wrappers,
            "edges": [{"column": one.column, "labels": one.labels} for one in edges],
            "examples": examples,
            "seconds": seconds,
            "tolerance": tolerance,
        }
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        arguments = ["-m", "mltestscore.codetests.property_process", name]
        done = run_python(arguments, sandbox=sandbox, home=features.folder, timeout=seconds + START)
        if done.code is None:
            raise InputError(
                f"{TABLE}: {features.batch or features.online} did not come back from a few rows within "
                f"{seconds + START:g} s and was stopped."
            )
        if done.code != 0:
            last = done.said.splitlines()
            own = last and last[-1].startswith(TABLE)
            raise InputError(last[-1] if own else f"{TABLE}: trying the paths failed. They said:\n{done.said}")
        result = json.loads((work / "properties.json").read_text(encoding="utf-8"))
    found = (_property(name, result) for name in PROPERTIES)
    return Tries(tuple(one for one in found if one.tried), tuple(label for one in edges for label in one.labels))


def _property(name: str, result: Mapping[str, Any]) -> Property:
    broken = dict(result["broken"].get(name, {}))
    if "values" in broken:
        broken["values"] = tuple(broken["values"])
    return Property(name, result["tried"][name], result["counts"][name], **broken)
