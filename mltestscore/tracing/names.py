"""The findings of infra.5, by name."""

from __future__ import annotations

FOLLOWED, LAST = "rows that cannot be followed", "rows whose trace does not end in the model's score"
SERVED = "rows whose trace does not end in the served score"
SHOWN, BETWEEN = "model inputs that the trace does not show", "different ways from input to score"
DEFAULT = "broken requests that are answered with a default"
BEFORE = "version before"
