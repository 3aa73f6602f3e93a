"""The model registry: a folder a version with the model and its lineage, and a file that names the current one."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

from sklearn.base import BaseEstimator
from skops import io as skops

MODEL, LINEAGE, POINTER = "model.skops", "lineage.json", "current"
# Every type that our models hold and skops does not know; a model with any other one is refused.
TRUSTED = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
    "flights.fog.FogCorrection",  # only under FLIGHTS_BREAK=monitor.5
]
NO_DATE = (1980, 1, 1, 0, 0, 0)


def publish(registry: Path, model: BaseEstimator, lineage: dict[str, object]) -> None:
    """Write ``model`` and its lineage, which names the version and gets the digest of the weights."""
    folder = registry / str(lineage["version"])
    folder.mkdir(parents=True, exist_ok=True)
    content = stable(skops.dumps(model))
    (folder / MODEL).write_bytes(content)
    write_lineage(registry, lineage | {"weights_digest": hashlib.sha256(content).hexdigest()[:16]})


def write_lineage(registry: Path, lineage: dict[str, object]) -> None:
    """Write the lineage of one version."""
    text = json.dumps(lineage, indent=2, sort_keys=True)
    (registry / str(lineage["version"]) / LINEAGE).write_text(text + "\n", encoding="utf-8")


def read_lineage(registry: Path, version: str) -> dict[str, object]:
    """Return the lineage of one version."""
    return json.loads((registry / version / LINEAGE).read_text(encoding="utf-8"))


def point_to(registry: Path, version: str) -> None:
    """Make ``version`` the current one. Rolling back is pointing to the version before."""
    (registry / POINTER).write_text(version + "\n", encoding="utf-8")


def load(registry: Path, version: str) -> BaseEstimator:
    """Return the model of ``version``; nothing outside :data:`TRUSTED` is executed."""
    return skops.load(registry / version / MODEL, trusted=TRUSTED)


def stable(content: bytes) -> bytes:
    """Return a skops file with the same content and, for the same model, the same bytes.

    skops names the parts of a model by their addresses in memory and dates them; here they are counted instead.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[int, int] = {}

    def count(node: object) -> object:
        if isinstance(node, list):
            return [count(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "__id__" in node:
            numbers.setdefault(node["__id__"], len(numbers))
        return {name: _renamed(name, count(value), numbers) for name, value in node.items()}

    schema = count(json.loads(parts.pop("schema.json")))
    renamed = {_part(name, numbers): value for name, value in parts.items()}
    renamed["schema.json"] = json.dumps(schema, indent=2).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(renamed):
            archive.writestr(zipfile.ZipInfo(name, NO_DATE), renamed[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _renamed(name: str, value: object, numbers: dict[int, int]) -> object:
    if name == "__id__":
        return numbers[value]  # type: ignore[index]
    return _part(value, numbers) if name == "file" and isinstance(value, str) else value


def _part(name: str, numbers: dict[int, int]) -> str:
    stem, dot, kind = name.partition(".")
    return f"{numbers[int(stem)]}{dot}{kind}" if stem.isdigit() else name
