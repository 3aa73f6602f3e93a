"""What is tried with a model, in the process that holds it: learning a handful by heart, going on, answering.

``python -m mltestscore.specification.trying WORK ROLE`` with the role ``learner`` or ``restorer`` reads
``WORK/request.json`` and the frames, and writes ``WORK/<role>.json``. The current folder is a copy of the project. The
restorer waits for each checkpoint of the learner, and shares nothing else with it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.training_process import told
from mltestscore.specification import Kind
from mltestscore.specification.answers import answers, frames_of
from mltestscore.specification.memorised import classes_of, kind_of, memorised, settled
from mltestscore.specification.rows import copies_of
from mltestscore.specification.stepper import Stepper

LOOKS = 20  # how often predictions are looked at while a handful is learned
STILL, PATIENT = 3, 6  # so many looks at which nothing changes end an attempt; the last one, which accuses
MANY, MORE = 1_024, 4_096  # examples that two rows are copied to; the second where the first told no rows apart
ROUNDING = 1e-6  # single precision
POLL = 0.02


class Trying:
    """One process at work."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.request = json.loads((work / "request.json").read_text(encoding="utf-8"))
        self.batch = pd.read_parquet(work / "batch.parquet")
        self.label: str = self.request["label"]
        self.known = classes_of(self.batch[self.label]) if self.label and self.request["single"] else []
        self.deadline = time.monotonic() + self.request["seconds"]
        self.unmeasured = False  # whether the part that is learned had to be taken from the losses
        self.result: dict[str, Any] = {"learned": [], "resumed": [], "restored": [], "answers": None}

    def learner(self) -> None:
        """Do everything but what needs a process that has not learned; checkpoints first, since they are waited for."""
        parts, seeds = self.request["parts"], self.request["seeds"]
        if "restoring" in parts:
            for seed in self.request["interrupted"]:
                self.result["resumed"].append(self._resumed(seed))
        if "answering" in parts:
            frames = frames_of(self.batch, self.work / "legal.parquet", self.request["origins"])
            self.result["answers"] = answers(self._new, self._kind, frames, self.batch, self.request)
        if "learning" in parts:
            for place, seed in enumerate(seeds[: self.request["handfuls"]]):
                share = (self.deadline - time.monotonic()) / (self.request["handfuls"] - place)
                self.result["learned"].append(self._learned(seed, time.monotonic() + share))

    def restorer(self) -> None:
        """Take up each checkpoint and go on from it."""
        for seed in self.request["interrupted"]:
            while not (self.work / f"saved-{seed}").exists():
                if (self.work / "over").exists() or time.monotonic() > self.deadline:
                    return
                time.sleep(POLL)
            self.result["restored"].append(self._restored(seed))

    def _new(self, seed: int) -> Stepper:
        return Stepper(self.request, seed, self.batch)

    # --- going on ------------------------------------------------------------------------------------------------

    def _resumed(self, seed: int) -> dict[str, Any]:
        stepper = self._new(seed)
        losses = [stepper.step(self.batch) for _ in range(self.request["before"])]
        stepper.save(self._checkpoint(seed))
        saved = self._predictions(stepper)
        (self.work / f"saved-{seed}").touch()
        losses += [stepper.step(self.batch) for _ in range(self.request["after"])]
        return {"losses": losses, "saved": saved, "ended": self._predictions(stepper)}

    def _restored(self, seed: int) -> dict[str, Any]:
        try:
            stepper = self._new(seed)
            stepper.load(self._checkpoint(seed))
            saved = self._predictions(stepper)
            losses = [stepper.step(self.batch) for _ in range(self.request["after"])]
            return {"losses": losses, "saved": saved, "ended": self._predictions(stepper), "said": ""}
        except Exception as error:  # what a restored model cannot do is what is looked for
            return {"losses": [], "saved": [], "ended": [], "said": told(error)[:500]}

    def _checkpoint(self, seed: int) -> Path:
        return self.work / "checkpoints" / str(seed) / "checkpoint"

    def _predictions(self, stepper: Stepper) -> list[Any]:
        return list(stepper.predict(self.batch.head(self.request["compared"])).tolist())

    # --- learning by heart ---------------------------------------------------------------------------------------

    def _learned(self, seed: int, until: float) -> list[dict[str, Any]]:
        """Learn a handful; where that does not do, two rows, copied for models that ask for many examples of a kind."""
        handful, pair = (pd.read_parquet(self.work / f"{name}-{seed}.parquet") for name in ("handful", "pair"))
        tries: list[tuple[pd.DataFrame, int]] = [(handful, 0), (pair, MANY), (pair, MORE)]
        made: list[dict[str, Any]] = []
        for rows, copies in tries:
            if copies == MORE and made[-1]["apart"]:
                break
            left = max(0.0, until - time.monotonic()) / (1 if made else 2)
            made.append(self._curve(seed, rows.reset_index(drop=True), copies, time.monotonic() + left))
            if settled(made[-1]["shares"]) >= self.request["least"]:
                break
        return made

    def _curve(self, seed: int, rows: pd.DataFrame, copies: int, until: float) -> dict[str, Any]:
        """Step on the rows until they are learned, nothing moves any more, or steps or time are over."""
        stepper, frame = self._new(seed), copies_of(rows, copies)
        self.unmeasured = False
        losses: list[float] = []
        shares: list[float] = []
        looks: list[npt.NDArray[Any]] = []
        for steps in self._turns():
            losses += [stepper.step(frame) for _ in range(steps)]
            looks.append(stepper.predict(rows))
            shares.append(self._share(stepper, rows, looks[-1], losses))
            still = _still(looks, PATIENT if copies == MORE else STILL)
            if self._known(shares[-2:]) or still or time.monotonic() > until:
                break
        moved = any(not _equal(looks[0], one) for one in looks)
        cut = len(losses) < self.request["steps"] and time.monotonic() > until and not _still(looks, STILL)
        found = {"losses": losses, "shares": shares, "moved": moved, "cut": cut}
        found["kind"] = "scores" if self.unmeasured else self._kind(looks[-1])
        return found | {"apart": not all(map(_constant, looks)), "rows": len(rows), "examples": len(frame)}

    def _known(self, shares: Sequence[float]) -> bool:
        """Say whether the rows are learned well beyond what is asked, and not by luck."""
        return len(shares) == 2 and min(shares) >= (1 + self.request["least"]) / 2

    def _turns(self) -> Iterator[int]:
        """How many steps to take before each look: one at first, since a first step may be a whole fit."""
        yield 1
        left, size = self.request["steps"] - 1, max(1, self.request["steps"] // LOOKS)
        while left > 0:
            yield min(size, left)
            left -= size

    def _share(self, stepper: Stepper, rows: pd.DataFrame, scores: npt.NDArray[Any], losses: list[float]) -> float:
        kind = self._kind(scores)
        found = None
        if self.label and kind != "scores":
            own = stepper.classes
            orders = [self.known, classes_of(rows[self.label])] if own is None else [own]
            found = memorised(rows[self.label], scores, kind, orders, own is not None)
        if found is not None:
            return found
        self.unmeasured = True
        with np.errstate(all="ignore"):
            share = 1 - losses[-1] / losses[0] if losses[0] > 0 else 0.0
        return float(share) if np.isfinite(share) else -np.inf

    def _kind(self, scores: npt.NDArray[Any]) -> Kind:
        labels = self.batch[self.label] if self.label and self.request["single"] else pd.Series(dtype=float)
        return kind_of(labels, scores, self.request["task"], self.request["predicts"])


def _still(looks: Sequence[npt.NDArray[Any]], least: int) -> bool:
    """Say whether nothing changed in so many looks, bit for bit, or no input ever made a difference to the numbers.

    What changes without telling rows apart needs no patience: it learns, and learns a constant.
    """
    same = len(looks) >= least and all(_equal(looks[-1], one) for one in looks[-least:])
    changes = len(looks) > STILL and not _equal(looks[0], looks[-1])
    return same or (changes and looks[-1].dtype.kind == "f" and all(map(_constant, looks)))


def _constant(scores: npt.NDArray[Any]) -> bool:
    """Say whether all rows get one prediction; the same sum in another lane of a processor differs in its last bits."""
    if scores.dtype.kind != "f":
        return all(_equal(scores[0], row) for row in scores)
    return bool(np.allclose(scores, scores[0], rtol=ROUNDING, atol=0, equal_nan=True))


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    nan = one.dtype.kind in "fc" and other.dtype.kind in "fc"
    return bool(np.array_equal(one, other, equal_nan=nan))


def main(work: Path, role: str) -> None:
    """Play a role and write what came of it."""
    trying = Trying(work)
    play: Callable[[], None] = getattr(trying, role)
    play()
    (work / f"{role}.json").write_text(json.dumps(trying.result), encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except MltestscoreError as failed:
        sys.exit(f"{failed}")
    except Exception as failed:
        sys.exit(told(failed))
