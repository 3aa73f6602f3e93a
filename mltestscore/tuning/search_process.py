"""A search in its own process: ``python -m mltestscore.tuning.search_process WORK OUT``.

``WORK`` holds, beside ``frame.parquet`` and ``probe.parquet``, the arrays ``fit`` (positions of the rows to learn from,
in random order, so that the first of them are a sample), ``chosen_by`` (positions of the rows that choose) and
``truth`` (their labels, encoded), and ``request.json``: ``candidates`` and ``incumbent`` (settings), ``rungs`` (pairs
of how many rows to learn from and how many candidates to keep), ``metric``, ``seed``, ``features``, ``label``,
``seconds``.

Candidates are halved: each rung trains those that are left on more rows, and keeps the best (Jamieson and Talwalkar
2016). Then incumbent and winner learn from all rows of the frame and score the probe. Nothing of the probe chooses.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.training_process import as_process, predict, training_function
from mltestscore.stats.quality import quality

Settings = Mapping[str, Any]


class _Search:
    """The trials of one search, and what they came to."""

    def __init__(self, work: Path, request: dict[str, Any], started: float) -> None:
        self.request = request
        self._train = _with_parameters(request)
        self.frame = pd.read_parquet(work / "frame.parquet")
        self._fit, self._chosen_by, self._truth = (
            np.load(work / f"{name}.npy", allow_pickle=False) for name in ("fit", "chosen_by", "truth")
        )
        self._until = started + request["seconds"]
        self.trials: list[dict[str, Any]] = []
        self.stopped = False

    def winner(self) -> int:
        """Return the number of the candidate that is left; 0 where there are no rungs."""
        alive = list(range(len(self.request["candidates"])))
        for rows, keep in self.request["rungs"]:
            found = {number: self._trial(number, rows) for number in alive if self._time_left()}
            ranked = sorted((-value, number) for number, value in found.items() if value is not None)
            tried = [number for _, number in ranked]
            if found and not tried:
                raise MltestscoreError(
                    f"{self.request['setting']}: {self.request['source']} failed with all {len(found)} settings that "
                    f"were tried, last: {self.trials[-1]['error']}"
                )
            alive = (tried or alive)[:keep]
        return alive[0]

    def _time_left(self) -> bool:
        self.stopped = self.stopped or perf_counter() > self._until
        return not self.stopped or not self.trials  # the first is always tried

    def _trial(self, number: int, rows: int) -> float | None:
        """Return the metric of a candidate on the rows that choose, or ``None`` where its training failed."""
        started = perf_counter()
        learned = self.frame.iloc[np.sort(self._fit[:rows])].reset_index(drop=True)
        judged = self.frame.iloc[self._chosen_by].reset_index(drop=True)
        found, error = None, ""
        try:
            scores = self.scores(self.request["candidates"][number], learned, judged)
            found = float(quality(self.request["metric"], self._truth, scores))
        except Exception as wrong:  # settings that do not go together are bad settings, and no reason to stop
            error = f"{type(wrong).__name__}: {wrong}"[:300]
        seconds = perf_counter() - started
        self.trials.append({"number": number, "rows": rows, "quality": found, "seconds": seconds, "error": error})
        return found

    def scores(self, settings: Settings, learned: pd.DataFrame, probe: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return what a training with ``settings`` makes of ``probe``.

        Raises :class:`MltestscoreError` for scores that are no finite numbers.
        """
        estimator = self._train(learned, self.request["seed"], parameters=dict(settings))
        label = self.request["label"]
        inputs = probe.drop(columns=[label], errors="ignore")
        scores = predict(estimator, inputs, self.request["features"], self.request["source"])
        if scores.dtype.kind not in "fiub" or not np.isfinite(scores.astype(np.float64)).all():
            raise MltestscoreError("scores that are no finite numbers")
        return np.asarray(scores, dtype=np.float64)


def main(work: Path, out: Path) -> None:
    """Search as ``work/request.json`` says; write ``result.json``, ``incumbent.npy`` and ``winner.npy`` to ``out``."""
    started = perf_counter()
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    search = _Search(work, request, started)
    winner = search.winner()
    probe = pd.read_parquet(work / "probe.parquet")
    for name, settings in (("incumbent", request["incumbent"]), ("winner", request["candidates"][winner])):
        np.save(out / f"{name}.npy", search.scores(settings, search.frame, probe), allow_pickle=False)
    result = {"trials": search.trials, "winner": winner, "stopped": search.stopped}
    text = json.dumps({**result, "seconds": perf_counter() - started})
    (out / "result.json").write_text(text, encoding="utf-8")


def _with_parameters(request: dict[str, Any]) -> Callable[..., object]:
    """Return the training function, which must take the keyword ``parameters``.

    Raises :class:`MltestscoreError` that says how to write it when it does not.
    """
    own = import_function(request["source"], base=Path(), setting=request["setting"])
    kinds: Sequence[inspect.Parameter] = list(inspect.signature(own).parameters.values())
    if not any(one.name == "parameters" or one.kind is inspect.Parameter.VAR_KEYWORD for one in kinds):
        raise MltestscoreError(
            f"{request['setting']}: {request['source']} has no argument named parameters; write it as "
            "train(frame, seed, parameters=None), with hyperparameters that it uses in place of its own, or remove "
            "takes_parameters."
        )
    return training_function(request)


if __name__ == "__main__":
    as_process(main)
