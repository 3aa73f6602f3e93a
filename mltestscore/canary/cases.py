"""Candidates of known worth, made from the served model's own answers: what a rule must let pass and what it must stop.

Each is a table with a row a request: ``served_score`` and ``candidate_score`` (with more than one score a row,
``served_score_0`` and so on), ``served_failed`` and ``candidate_failed``, ``served_seconds`` and
``candidate_seconds``, and ``label`` where it is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mltestscore.canary.shadow import Answers, Shadow
from mltestscore.stats.seeds import generator

SAME = "the served model itself"
BAD = ("errors", "other scores", "no numbers")
LEAST_ERRORS = 0.25  # of the requests, where the served model makes hardly any
MUTE = 0.2  # of the scores that are no numbers


def cases(found: Shadow, wanted: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the served model against itself, and against itself broken in each of the ways that are ``wanted``."""
    served = found.served
    assert served is not None  # who asks for cases has answers to make them from
    label = None if found.requests.label is None else found.requests.label.iloc[: len(served)].reset_index(drop=True)
    rows = {name: table(served, broken(served, name), label) for name in wanted}
    return {SAME: table(served, served, label), **rows}


def broken(answers: Answers, how: str) -> Answers:
    """Return answers that are bad in one way, the same ones each time.

    ``errors``: three times as many, at least one in four. ``other scores``: each request gets another one's.
    ``no numbers``: one score in five is none, and nobody calls that an error.
    """
    rng, n = generator("canary", how), len(answers)
    scores, failed = answers.scores.copy(), answers.failed.copy()
    if how == "errors":
        failed |= rng.random(n) < max(LEAST_ERRORS, 3 * float(failed.mean()))
        scores[failed] = np.nan
    elif how == "other scores":
        order = rng.permutation(n)
        scores[order] = answers.scores[np.roll(order, 1)]
        failed[order] = answers.failed[np.roll(order, 1)]
    else:
        scores[rng.random(n) < MUTE] = np.nan
    return Answers(scores, failed, answers.seconds.copy(), answers.reasons)


def table(served: Answers, candidate: Answers, label: pd.Series | None) -> pd.DataFrame:
    """Return both versions' answers as the rule gets them."""
    n = min(len(served), len(candidate))
    columns: dict[str, object] = {}
    arms: Mapping[str, Answers] = {"served": served, "candidate": candidate}
    for name, one in arms.items():
        wide = one.scores[:n].reshape(n, -1)
        for place in range(wide.shape[1]):
            columns[f"{name}_score{f'_{place}' if wide.shape[1] > 1 else ''}"] = wide[:, place]
        columns |= {f"{name}_failed": one.failed[:n], f"{name}_seconds": one.seconds[:n]}
    found = pd.DataFrame(columns)
    return found if label is None else found.assign(label=label.iloc[:n].to_numpy())
