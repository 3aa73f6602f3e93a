"""From configuration to infrastructure: specification, pipeline, gate, trace, canary, rollback, dependencies."""

from __future__ import annotations
