"""Switches by which libraries are kept from reporting to their makers, set before any of them is imported."""

from __future__ import annotations

import os

# Each as its library documents it; servers and trainings that a run starts inherit them.
SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, on by default on Linux too; after the import it is too late
    "DO_NOT_TRACK": "1",  # Evidently, and others that keep to consoledonottrack.com
    "GX_ANALYTICS_ENABLED": "false",  # Great Expectations
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "FEAST_USAGE": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def off() -> None:
    """Set every switch that the team has not set itself, in this process and in those that it starts."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
