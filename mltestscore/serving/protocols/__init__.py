"""Wire protocols as data, one small file a system: :class:`mltestscore.settings_serving.Protocol`.

Add one by a file with a ``PROTOCOL`` and a line in ``NAMES``; a team adds or changes one in
``[tool.mltestscore.protocols.<name>]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from mltestscore.errors import ConfigError, near
from mltestscore.serving.answers import Prediction
from mltestscore.serving.bodies import Columns
from mltestscore.serving.wire import Wire
from mltestscore.settings_serving import Protocol

__all__ = ["ALIASES", "NAMES", "Columns", "Prediction", "Wire", "declaration", "protocol_named"]

NAMES = (
    "azureml",
    "bentoml",
    "clipper",
    "databricks",
    "datarobot",
    "deepdetect",
    "drum",
    "feast",
    "in_process",
    "kserve_v1",
    "litserve",
    "mleap",
    "mleap_encoded",
    "mlflow",
    "multi_model_server",
    "open_inference",
    "open_inference_grpc",
    "openscoring",
    "plain_json",
    "predictionio",
    "ray_serve",
    "redis_ai",
    "redis_ml",
    "redis_ml_forest",
    "sagemaker",
    "seldon",
    "skil",
    "tensorflow",
    "tensorflow_columns",
    "tensorflow_grpc",
    "torchserve",
    "triton",
    "vertex",
    "watson",
    "yhat",
    "yhat_bulk",
)

ALIASES = {
    "fastapi": "plain_json",
    "flask": "plain_json",
    "kserve": "open_inference",
    "kserve_grpc": "open_inference_grpc",
    "kserve_v2": "open_inference",
    "michelangelo": "open_inference",
    "mlserver": "open_inference",
    "mlserver_grpc": "open_inference_grpc",
    "mms": "multi_model_server",
    "triton_grpc": "open_inference_grpc",
}

NOT_SPOKEN = {
    "h2o": "H2O-3 has no route that scores rows; export the MOJO and offer it as path under [tool.mltestscore.model]",
    "grpc": 'write protocol = "open_inference_grpc" for Triton, KServe and MLServer, "tensorflow_grpc" for '
    'TensorFlow Serving, or a protocol of your own with predict = "CALL /package.Service/Method"',
}


def declaration(name: str, declared: Mapping[str, Protocol] | None = None) -> Protocol:
    """Return the protocol called ``name``, the team's own before ours, with its base's fields where it has none.

    Raises :class:`ConfigError` for an unknown name, suggesting near ones, or one without a route that takes rows.
    """
    found = _merged(name, declared or {}, ())
    if not found.predict:
        raise ConfigError(
            f'endpoint: the protocol {name!r} says nowhere where rows are sent; write predict = "POST /…", '
            "or base = the name of a protocol that it changes."
        )
    return found


def _merged(name: str, declared: Mapping[str, Protocol], seen: tuple[str, ...]) -> Protocol:
    own = declared.get(name) if name not in seen else None
    if own is None:
        return _ours(name, declared)
    base = own.base or (name if name in NAMES else "")
    if base in seen or (base == name and name not in NAMES):
        names = " and ".join((*seen, name))
        raise ConfigError(f"endpoint: the protocols {names} have each other as base; one must have one of ours.")
    return _over(_merged(base, declared, (*seen, name)), own) if base else own


def _ours(name: str, declared: Mapping[str, Protocol]) -> Protocol:
    name = ALIASES.get(name, name)
    if name in NOT_SPOKEN:
        raise ConfigError(f"endpoint: {NOT_SPOKEN[name]}.")
    if name not in NAMES:
        known = {*NAMES, *ALIASES, *declared}
        raise ConfigError(f"endpoint: there is no protocol {name!r}.{near(name, known)}")
    own: Protocol = import_module(f"{__name__}.{name}").PROTOCOL
    return _over(_ours(own.base, {}), own) if own.base else own


def _over(base: Protocol, own: Protocol) -> Protocol:
    """Return ``base`` with the fields that ``own`` sets; settings are added, all others replaced."""
    changed = {key: getattr(own, key) for key in own.model_fields_set if key != "base"}
    return base.model_copy(update={**changed, "settings": {**base.settings, **own.settings}})


def protocol_named(
    name: str,
    settings: Mapping[str, object] | None = None,
    *,
    declared: Mapping[str, Protocol] | None = None,
    predict: str = "",
    health: str = "",
) -> Wire:
    """Return the protocol called ``name`` with its settings; ``predict`` and ``health`` are paths in place of its own.

    Raises :class:`ConfigError` for an unknown protocol or setting, suggesting near names.

    >>> protocol_named("plain_json", {"path": "/score"}).predict_path
    '/score'
    """
    found, given = declaration(name, declared), dict(settings or {})
    for key, path, field in (("path", predict, "predict"), ("health", health, "ready")):
        if path and key in found.settings:
            given.setdefault(key, path)
        elif path:
            found = found.model_copy(update=_route(found, field, path))
    return Wire(name, found, given)


def _route(found: Protocol, field: str, path: str) -> dict[str, object]:
    changed = Protocol.model_validate({field: f"{'POST' if field == 'predict' else 'GET'} {path}"})
    return {field: getattr(changed, field), **({"model_ready": None, "live": None} if field == "ready" else {})}
