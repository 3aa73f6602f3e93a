"""Faults planted on what two versions answered: as if the candidate itself were broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mltestscore.canary.cases import broken
from mltestscore.canary.shadow import Shadow
from mltestscore.stats.seeds import generator

UNREADABLE = "planted: the artefact cannot be read in the serving environment"


def tampered(found: Shadow, how: str) -> Shadow:
    """Return the answers as a candidate with a fault would have given them; as they are for any other name."""
    if found.candidate is None:
        return found
    if how == "unreadable":
        return replace(found, candidate=None, candidate_scores=None, why=UNREADABLE)
    if how == "errors":
        return replace(found, candidate=broken(found.candidate, "errors"))
    if how == "other scores":
        scores = found.candidate_scores
        if scores is not None:
            order = generator("canary", how).permutation(len(scores))
            mixed = np.empty_like(scores)
            mixed[order] = scores[np.roll(order, 1)]
            scores = mixed
        return replace(found, candidate=broken(found.candidate, how), candidate_scores=scores)
    return found
