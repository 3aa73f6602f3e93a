"""The tables of ``[tool.mltestscore]`` for infrastructure: specification, pipeline, gate, trace, canary, rollback."""

from __future__ import annotations
