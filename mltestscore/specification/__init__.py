"""Machinery of infra.2: a model stepped, overfit, saved, restored and asked, in processes of its own."""

from __future__ import annotations

from typing import Literal

Kind = Literal["", "probabilities", "values", "classes", "scores"]
"""What a model predicts. ``scores``: numbers of which only the order means something."""
Part = Literal["learning", "restoring", "answering"]
"""What is tried: that it learns a handful of rows by heart, goes on after a crash, answers what the schema allows."""
