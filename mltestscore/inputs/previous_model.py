"""The version of the model that was served before the current one, loaded in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore.config import Config
from mltestscore.errors import NotOffered
from mltestscore.inputs import offered

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

NAME = "previous_model"
REMEDY = 'write previous_path = "…" under [tool.mltestscore.model]'


def open_previous(config: Config) -> Model:
    """Open ``previous_path`` of ``[tool.mltestscore.model]``, else the file beside the model's in the registry.

    A model at ``registry/v2/model.skops`` was preceded by ``registry/v1/model.skops`` where the registry in
    ``[tool.mltestscore.registry]`` says that v2 is current and v1 was trained last before it.

    Raises :class:`NotOffered` where there is no earlier version, or its file is not known or gone.
    """
    found = config.model
    if found is None or not (found.path or found.loader):
        raise NotOffered(NAME, REMEDY)
    path, version = (found.previous_path, "") if found.previous_path else _in_registry(config, found.path)
    changes = {"path": path, "version": version, "previous_path": ""}
    return offered.model(config.model_copy(update={"model": found.model_copy(update=changes)}))


def _in_registry(config: Config, path: str) -> tuple[str, str]:
    if config.registry is None or not config.registry.path:
        raise NotOffered(NAME, f"{REMEDY}, or offer a registry that is a folder")
    registry = offered.registry(config)
    folder, file = config.path(config.registry.path).resolve(), config.path(path).resolve()
    current = folder / registry.current.version
    if not file.is_relative_to(current):
        raise NotOffered(NAME, f"{REMEDY}: {path} does not lie in the registry's folder of {current.name!r:.80}")
    if registry.previous is None:
        raise NotOffered(NAME, "it exists from the second version in the registry on")
    earlier = folder / registry.previous.version / file.relative_to(current)
    if not earlier.exists():
        raise NotOffered(
            NAME, f"keep {earlier.name} of version {earlier.parent.name!r:.80} in the registry, or {REMEDY}"
        )
    return str(earlier), registry.previous.version
