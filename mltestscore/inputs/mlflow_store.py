"""An MLflow store, asked with bounded patience (``pip install "mltestscore[mlflow]"``)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mltestscore import telemetry
from mltestscore.errors import InputError, NotOffered


def store_at(uri: str, base: Path, *, where: str) -> str:
    """Return the URI of a store with the path of a relative SQLite one from ``base``.

    Raises :class:`InputError` where that file is not there: MLflow would make a new, empty one.
    """
    if not uri.startswith("sqlite:///"):
        return uri
    path = (base / uri.removeprefix("sqlite:///")).resolve()
    if not path.is_file():
        raise InputError(f"{where} mlflow: there is no file {path}; name the database of your MLflow store.")
    return f"sqlite:///{path}"


def asked(uri: str, question: Callable[[Any], Any], *, where: str) -> Any:
    """Return what ``question`` gets from an MLflow client; raises :class:`InputError` when the store fails."""
    telemetry.off()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise NotOffered("MLflow", 'pip install "mltestscore[mlflow]"') from None
        try:
            return question(MlflowClient(tracking_uri=uri, registry_uri=uri))
        except InputError:
            raise
        except Exception as error:  # MLflow raises its store's own errors, of any kind
            raise InputError(f"{where} mlflow: the store failed: {error!s:.300}") from error
