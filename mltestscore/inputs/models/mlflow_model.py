"""MLflow model folders: the library's own file where MLflow says which it is, else MLflow's general function.

A folder of scikit-learn, XGBoost, LightGBM, CatBoost or ONNX holds one file that is read as if it had been named
itself, without MLflow and with the same permissions: MLflow's own function of it would answer classes where checks
need probabilities. Source: MLflow's documentation, "MLflow Models": storage format, model signature.
"""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from mltestscore.errors import InputError
from mltestscore.inputs.functions import make_importable
from mltestscore.inputs.models.folders import ReadFile, needs_permission, unnamed
from mltestscore.inputs.models.native import Loading, NativeModel, in_shape

if TYPE_CHECKING:
    import pandas as pd

# Flavours with one file of a format that is read here, and the key that names it.
FILES = {"sklearn": "pickled_model", "xgboost": "data", "lightgbm": "data", "catboost": "data", "onnx": "data"}
GENERAL = "python_function"
LARGEST = 2_000_000  # bytes of a description; MLflow's own are a few thousand


def read(folder: Path, loading: Loading, read_file: ReadFile) -> object:
    """Return the estimator or model in the folder.

    Raises :class:`InputError` for a description that is none, a file that it names outside of the folder or that is not
    there, and without the permission or the package that reading it needs.
    """
    described = _description(folder, loading)
    flavors = described["flavors"]
    names = _names(described)
    for flavor, key in FILES.items():
        if flavor in flavors:
            file = _inside(folder, flavors[flavor], key, flavor, loading)
            code = flavors[flavor].get("code")
            if code and loading.allow_pickle:  # a pickle's own classes
                make_importable(_within(folder, str(code), loading))
            return unnamed(read_file(file), names)
    if GENERAL not in flavors:
        raise InputError(
            f"{loading.table} path: {folder} is an MLflow model of {', '.join(map(str, flavors))[:200]}, without "
            f"{GENERAL}; name a loader that reads the folder."
        )
    return _general(folder, loading, names, _version(folder))


def _description(folder: Path, loading: Loading) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped,unused-ignore]  # its stubs are a package of their own

    file = folder / "MLmodel"
    if file.stat().st_size > LARGEST:
        raise InputError(f"{loading.table} path: {file} is larger than {LARGEST:,} bytes; is it MLflow's description?")
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{loading.table} path: {file} is no YAML: {str(error)[:200]}") from None
    flavors = said.get("flavors") if isinstance(said, dict) else None
    if not (isinstance(flavors, dict) and flavors and all(isinstance(one, dict) for one in flavors.values())):
        raise InputError(f"{loading.table} path: {file} describes no model: it has no table of flavors.")
    return dict(said)


def _inside(folder: Path, flavor: dict[str, Any], key: str, name: str, loading: Loading) -> Path:
    file = flavor.get(key)
    if not isinstance(file, str) or not file:
        raise InputError(f"{loading.table} path: {folder}/MLmodel names no {key} for {name}.")
    return _within(folder, file, loading)


def _within(folder: Path, name: str, loading: Loading) -> Path:
    found = (folder / name).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise InputError(f"{loading.table} path: {folder}/MLmodel names {name!r:.80}, which is not in the folder.")
    if not found.exists():
        raise InputError(f"{loading.table} path: {folder}/MLmodel names {name!r:.80}, which is not there.")
    return found


def _names(described: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the signature's columns; empty where it has none, or one without a name."""
    signature = described.get("signature")
    try:
        inputs = json.loads(signature["inputs"]) if isinstance(signature, dict) and signature.get("inputs") else []
        names = [one["name"] for one in inputs]
    except (ValueError, TypeError, KeyError):
        return ()
    return tuple(names) if all(isinstance(name, str) for name in names) else ()


def _version(folder: Path) -> str:
    """Return the registered version that MLflow notes beside a model that was fetched from its registry."""
    import yaml

    try:
        said = yaml.safe_load((folder / "registered_model_meta").read_text(encoding="utf-8"))
        return str(said["model_version"])[:100]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return ""


def _general(folder: Path, loading: Loading, names: tuple[str, ...], version: str) -> NativeModel:
    needs_permission(
        folder, loading, "an MLflow model of a general function", "MLflow runs whatever code such a folder holds"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies, and of models without type hints
        try:
            from mlflow import pyfunc
        except ImportError as error:
            raise InputError(
                f"{loading.table} path: {folder} is an MLflow model, but mlflow cannot be imported ({error}); "
                "install mltestscore[mlflow]."
            ) from error
        loaded = pyfunc.load_model(str(folder))
    return NativeModel(
        native=loaded,
        score=partial(_score, loaded),
        numbers=lambda: iter(()),
        feature_names_in_=names or None,
        version=version,
    )


def _score(loaded: Any, frame: pd.DataFrame, task: str) -> npt.NDArray[Any]:
    answer = loaded.predict(frame)
    try:
        return in_shape(answer, task)
    except (TypeError, ValueError):
        raise InputError(
            f"the MLflow model answers {type(answer).__name__} that holds no numbers; log it so that predict gives "
            "probabilities (pyfunc_predict_fn), or name a loader."
        ) from None
