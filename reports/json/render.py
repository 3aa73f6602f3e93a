"""The scorecard as JSON: the record itself, which every other report is made from."""

from __future__ import annotations

from mltestscore.scorecard import Scorecard, dump


def render(scorecard: Scorecard) -> str:
    """Return ``scorecard.json``; ``scorecard.schema.json`` beside this file describes it."""
    return dump(scorecard)
