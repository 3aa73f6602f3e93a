"""The web application: scores flights and logs what it served."""

from __future__ import annotations

import json
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

import numpy as np
from flask import Flask, Response, jsonify, request

from flights import registry, spec
from flights.features_online import REQUEST, OnlineFeatures
from flights.scorer import scoring
from flights.switches import broken

LOG = "served log"
LOG_BYTES = 20_000_000
SWALLOWED = 0.2  # only under FLIGHTS_BREAK=infra.5
STALL_SECONDS, STALL_EVERY = 0.15, 5  # only under FLIGHTS_BREAK=monitor.6


class BadRequestError(ValueError):
    """The request cannot be answered; the message says why."""


def create_app(build: Path, version: str, log: Path, versions: Path | None = None) -> Flask:
    """Return the application that serves ``version`` of the registry in ``build`` and logs to ``log`` (JSON lines).

    ``versions`` is a registry elsewhere that takes its place.
    """
    scores_of = scoring(registry.load(versions or build / "registry", version))
    online = OnlineFeatures(build / "store.sqlite")
    served = _logger(log, version)
    app = Flask("flights")
    app.extensions[LOG] = served.handlers[0]  # for whoever stops the application to close
    calls = 0

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok", version=version)

    @app.post("/predict")
    def predict() -> Response:
        nonlocal calls
        began, calls = time.perf_counter(), calls + 1
        rows = _rows(request.get_json(silent=True))
        features = _features(rows, online)
        scores = scores_of(features)
        if broken("monitor.6") and version == spec.CURRENT and calls % STALL_EVERY == 0:
            time.sleep(STALL_SECONDS)
        latency = (time.perf_counter() - began) * 1000
        used = zip(*(column.tolist() for column in features.values()), strict=True)
        for row, values, score in zip(rows, used, scores, strict=True):
            entry = {spec.KEY: row.get(spec.KEY), "version": version, "score": score, "latency_ms": round(latency, 3)}
            served.info(json.dumps(entry | dict(zip(features, values, strict=True))))
        return jsonify(scores=scores, version=version)

    @app.errorhandler(BadRequestError)
    def refuse(error: BadRequestError) -> tuple[Response, int]:
        if broken("infra.5"):
            return jsonify(scores=[SWALLOWED], version=version), 200
        return jsonify(error=str(error)), 400

    return app


def _rows(body: object) -> list[dict[str, object]]:
    rows = body.get("rows") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequestError('send {"rows": [{…}, …]} with at least one row')
    return rows


def _features(rows: list[dict[str, object]], online: OnlineFeatures) -> dict[str, np.ndarray]:
    """Return the model's inputs by column: as sent where a row has all of them, else looked up."""
    if all(name in row for row in rows for name in spec.FEATURES):
        found = rows
    else:
        missing = [name for name in REQUEST if not all(isinstance(row.get(name), str) for row in rows)]
        if missing:
            raise BadRequestError(f"each row needs the text fields {list(REQUEST)} or all features; missing: {missing}")
        try:
            found = [online.features(row) for row in rows]
        except ValueError as error:
            raise BadRequestError(f"scheduled_local is not an ISO 8601 time: {error}") from None
    return {name: _column(name, [row[name] for row in found]) for name in spec.FEATURES}


def _column(name: str, values: list[object]) -> np.ndarray:
    """Return one feature of all rows; a missing number becomes NaN. Quicker by far than casting a data frame."""
    if name in spec.CATEGORICAL:
        return np.array(values, dtype=object)
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise BadRequestError(f"{name} is not a number: {error}") from None


def _logger(log: Path, version: str) -> logging.Logger:
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger(f"flights.served.{version}", logging.INFO)
    logger.addHandler(handler)
    return logger
