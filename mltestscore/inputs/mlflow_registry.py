"""A model registry in MLflow: its versions, the alias of the one in service, and the lineage that their runs tell.

``[tool.mltestscore.registry]``::

    mlflow = "sqlite:///mlflow.db"         # or the URI of a server
    name = "flights"                       # the registered model
    alias = "champion"                     # of the version in service

What a version's run has recorded is its lineage: parameters, metrics, the commit (``mlflow.source.git.commit``), the
digests of the datasets that it logged for training. Anything else that :class:`Lineage` knows stands in a tag of that
name, of the version or of its run: ``data_until``, ``config_digest``, …; times as in 2026-11-01T12:00:00+00:00,
``tables`` and the like as objects in JSON.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError, near
from mltestscore.inputs import digests
from mltestscore.inputs.mlflow_store import asked, store_at
from mltestscore.inputs.registry import Lineage, Registry, lineage_from
from mltestscore.serving.urls import redact

WHERE = "[tool.mltestscore.registry]"
MOST = 200  # of the versions, those that were registered last
LONGEST = 2_000
COMMIT, CONTEXT = "mlflow.source.git.commit", "mlflow.data.context"


def open_mlflow_registry(uri: str, name: str, alias: str, *, base: Path) -> Registry:
    """Read the versions of a registered model with their runs.

    Raises :class:`InputError` for a store, model or alias that is not there, and for a tag that is not understood.
    """
    uri = store_at(uri, base, where=WHERE)
    current, found = asked(uri, lambda client: _read(client, name, alias), where=WHERE)
    versions = {version: lineage_from(version, data, f"{name:.80}, version {version}") for version, data in found}
    digest = digests.of_settings(sorted(found))
    ordered = sorted(versions.values(), key=lambda one: (one.trained_at, int(one.version)))
    return Registry(f"models:/{name}@{alias} in {redact(uri)}", versions[current], tuple(ordered), digest)


def _read(client: Any, name: str, alias: str) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """Return the version that has the alias, and what is known of every version."""
    models = [one.name for one in client.search_registered_models(max_results=100)]
    try:
        model = client.get_registered_model(name)
    except Exception:
        raise InputError(f"{WHERE}: MLflow has no registered model {name!r:.80}.{near(name, models)}") from None
    if alias not in model.aliases:
        raise InputError(f"{WHERE} alias: {name!r:.80} has no alias {alias!r:.80}.{near(alias, model.aliases)}")
    quote = '"' if "'" in name else "'"  # MLflow knows both, and no way to escape them
    known = sorted(client.search_model_versions(f"name={quote}{name}{quote}"), key=lambda one: int(one.version))
    current = str(model.aliases[alias])
    kept = [one for one in known[:-MOST] if str(one.version) == current] + known[-MOST:]
    return current, [(str(one.version), _known_of(client, one)) for one in kept]


def _known_of(client: Any, version: Any) -> dict[str, Any]:
    """Return the lineage of a version, as in ``lineage.json``."""
    said: dict[str, Any] = {"trained_at": _time(version.creation_timestamp)}
    tags: dict[str, str] = {}
    if version.run_id:
        run = client.get_run(version.run_id)
        if run.info.end_time:
            said["trained_at"] = _time(run.info.end_time)
        tags = dict(run.data.tags)
        said["parameters"] = {key: literal(value) for key, value in run.data.params.items()}
        said["metrics"] = dict(run.data.metrics)
        said["code_commit"] = tags.get(COMMIT, "")
        said["data_digest"] = _trained_on(run)
    return {**said, **_tagged({**tags, **version.tags})}


def _tagged(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what tags say under the names of :class:`Lineage`, containers and truth values read as JSON."""
    kinds = {one.name: str(one.type) for one in fields(Lineage) if one.name != "version"}
    said = {}
    for key, kind in kinds.items():
        if key in tags:
            value = literal(tags[key]) if kind.startswith(("dict", "bool")) else tags[key]
            if isinstance(value, dict) or not kind.startswith("dict"):  # other texts under such names mean other things
                said[key] = value
    return said


def _trained_on(run: Any) -> str:
    """Return the digests of the datasets that were logged for training, or for no purpose that is named."""
    found = []
    for one in getattr(getattr(run, "inputs", None), "dataset_inputs", None) or ():
        purpose = next((tag.value for tag in one.tags or () if tag.key == CONTEXT), "training")
        if purpose.lower() in ("train", "training"):
            found.append(str(one.dataset.digest))
    return ", ".join(sorted(set(found)))


def literal(text: str) -> Any:
    """Return the value that MLflow has written as a text, of JSON or of Python; the text where it is none.

    >>> literal("0.5"), literal("True"), literal("deep"), literal('{"a": 1}')
    (0.5, True, 'deep', {'a': 1})
    """
    if len(text) > LONGEST:
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
