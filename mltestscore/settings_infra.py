"""The tables of ``[tool.mltestscore]`` for infrastructure: specification, pipeline, gate, trace, canary, rollback."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mltestscore.settings import Table


class RollbackConfig(Table):
    """``[tool.mltestscore.rollback]``: the drill of going back; see :mod:`mltestscore.inputs.rollback`.

    Nothing is touched without ``drill = true``. ``registry`` says what names the version in service: a ``folder``
    (``path``, ``pointer``), ``mlflow`` (``uri``, ``name``, ``alias``) or ``commands``.
    """

    drill: bool = False
    registry: Literal["folder", "mlflow", "commands"] = "folder"
    path: str = ""
    pointer: str = "current"
    uri: str = ""
    name: str = ""
    alias: str = "champion"
    current_command: list[str] = []
    versions_command: list[str] = []
    promote_command: list[str] = []
    promote_request: str = ""
    command: list[str] = []
    url: str = ""
    redeploy_command: list[str] = []
    redeploy_request: str = ""
    restart: bool = False
    on_copy: bool = False
    reference_command: list[str] = []
    protocol: str = "plain_json"
    model: str = ""
    predict: str = ""
    health: str = ""
    settings: dict[str, Any] = {}
    token_variable: str = ""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    request_timeout: float = Field(default=5.0, gt=0, le=120)
    max_seconds: float = Field(gt=0, le=86_400)
    downtime_seconds: float = Field(default=0.0, ge=0, le=3600)
    previous: str = ""
    rows: str | list[str] | None = None
    answers: str | list[str] | None = None
    score: str = "score"
    features: list[str] = []
