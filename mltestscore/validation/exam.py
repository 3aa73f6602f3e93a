"""A gate's exam: candidates that are bad for a known reason, or as good as their baseline, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.validator import TABLE, Validator
from mltestscore.slices import declared
from mltestscore.tasks import INSTEAD, require_one_answer
from mltestscore.unstructured import is_array
from mltestscore.validation.gate_run import Verdict, judged
from mltestscore.validation.harm import Scale, scale_of
from mltestscore.validation.packaging import Material, Packaged, packaged
from mltestscore.validation.recipes import Recipe, ruinable

BASE, EQUAL, OTHER, SHUFFLED, CUT = (
    Recipe("baseline", 1),
    Recipe("equal", 2),
    Recipe("another equal", 3),
    Recipe("labels shuffled", 4, shuffled=True),
    Recipe("half of the file", 2, cut_from="equal"),
)
WORSE = tuple(
    Recipe(f"{share:.0%} of the labels follow an idle input", 5 + number, misled=share)
    for number, share in enumerate((0.25, 0.5))
)
WRONG = (0.5, 0.8)  # of the labels of a slice: enough to ruin it, while the average suffers little
ATTEMPTS = 5
"""Equal candidates that are refused in a row: a gate that refuses one in five does so once in 3,000 times."""
AT_ONCE = 2
ENOUGH = 1_000  # rows that show of what form labels are


@dataclass(frozen=True)
class Strictness:
    """What counts as bad.

    Attributes:
        drop: how much worse than its baseline a candidate is that no gate may accept.
        slice_loss: likewise, on one slice.
        alpha: of the bound that shows it.
        min_rows: the fewest judged rows.
    """

    drop: float
    slice_loss: float
    alpha: float
    min_rows: int


@dataclass(frozen=True)
class Asked:
    """A candidate that the gate was asked about.

    Attributes:
        name: why it is bad, or that it is not.
        one: the candidate.
        verdict: the gate's.
        harm: how much worse it is shown to be, where that was measured: the lower bound.
        bad: whether it is shown to be bad, and so must be refused.
        why: where it is not shown, what is missing.
        of_slice: whether it is bad on one slice only.
    """

    name: str
    one: Packaged
    verdict: Verdict
    harm: float | None
    bad: bool
    why: str = ""
    of_slice: bool = False


class Exam:
    """Everything that is asked of one gate; each answer is found when it is first needed."""

    def __init__(self, validator: Validator, material: Material, holdout: Dataset, strict: Strictness, timeout: float):
        self.validator, self.material, self.strict, self.timeout = validator, material, strict, timeout
        self.ruined = [
            [Recipe(f"{one.name}, {share:.0%} wrong", 7, ruined=number, wrong=share) for share in WRONG]
            for number, one in enumerate(material.slices)
        ]
        recipes = (BASE, EQUAL, OTHER, SHUFFLED, *WORSE, *chain(*self.ruined), CUT)
        made = packaged(validator, material, recipes, timeout)
        self.made = dict(zip((recipe.name for recipe in recipes), made, strict=True))
        for name in (BASE.name, EQUAL.name):
            if self.made[name].error:
                raise InputError(
                    f"{TABLE} package: the packaged model cannot be loaded as [tool.mltestscore.model] says, and so "
                    f"not be measured: {self.made[name].error} Complete that table, or name a loader under {TABLE}."
                )
        self.base = self.made[BASE.name]
        self.scale: Scale = scale_of(self.base, material, holdout)

    @cached_property
    def bad(self) -> list[Asked]:
        """The bad candidates with the gate's verdicts."""
        chosen = [self._shuffled(), *self._worse(), *self._ruined(), self._cut()]

        def ask(name: str) -> Verdict:
            deploys = "before" if name == SHUFFLED.name else ""
            return judged(self.validator, self.made[name], self.base, self.timeout, deploys=deploys)

        names = list(dict.fromkeys(one.one.name for one in chosen))  # one candidate may be bad for two reasons
        with ThreadPoolExecutor(AT_ONCE) as pool:
            said = dict(zip(names, pool.map(ask, names), strict=True))
        return [replace(one, verdict=said[one.one.name]) for one in chosen]

    @cached_property
    def itself(self) -> Verdict:
        """The verdict on a candidate that is its own baseline."""
        equal = self.made[EQUAL.name]
        return judged(self.validator, equal, equal, self.timeout)

    @cached_property
    def equals(self) -> list[tuple[str, Verdict]]:
        """Verdicts on equal candidates, until one is accepted, in both directions: what is worse by chance one way is
        better the other way."""
        found: list[tuple[str, Verdict]] = []
        for one, other in self._pairs():
            if one.digest == other.digest:
                continue
            verdict = judged(self.validator, one, other, self.timeout, deploys="after")
            if verdict.answer == "none":
                raise InputError(
                    f"{TABLE}: for a candidate as good as its baseline the gate {verdict.ending}. Statuses that refuse "
                    f"are named in refuses. It said:\n{verdict.done.said}"
                )
            found.append((f"{one.name}, against {other.name}", verdict))
            if verdict.answer == "accepts":
                break
        return found

    @cached_property
    def released(self) -> Verdict | None:
        """The verdict on the model that is served, against a candidate of ours; ``None`` where it is no file."""
        path = self.validator.released
        if path is None or not path.exists():
            return None
        return judged(self.validator, Packaged("the released model", path, 0.0), self.base, self.timeout)

    def strange(self, tolerance: float) -> tuple[int, int]:
        """Return how many rows a package scores otherwise than the model that was packaged, and of how many."""
        compared = [one for one in self.made.values() if one.own is not None and one.scores is not None]
        differing = 0
        for one in compared:
            assert one.own is not None
            assert one.scores is not None
            scores = one.scores[: len(one.own)]
            if one.own.shape != scores.shape:
                differing += len(one.own)
                continue
            close = np.isclose(one.own, scores, rtol=tolerance, atol=tolerance, equal_nan=True)
            differing += int((~close.reshape(len(close), -1).all(axis=1)).sum())
        return differing, sum(len(one.own) for one in compared if one.own is not None)

    def _pairs(self) -> Iterator[tuple[Packaged, Packaged]]:
        equal = self.made[EQUAL.name]
        yield equal, self.base
        yield self.base, equal
        other = self.made[OTHER.name]
        yield from ((other, self.base), (self.base, other), (other, equal))

    def _shuffled(self) -> Asked:
        one = self.made[SHUFFLED.name]
        shown = self._shown(one)
        why = "on these rows it is not shown to be worse than one that learned the true labels"
        return Asked(SHUFFLED.name, one, _UNASKED, shown, shown is not None and shown > 0, why)

    def _worse(self) -> Iterator[Asked]:
        """Yield the mildest candidate that is worse by what no gate may accept, or why there is none."""
        limit = self.strict.drop
        name = f"worse by {limit:g}"
        shown = [(self._shown(one), one) for one in (self.made[recipe.name] for recipe in (*WORSE, SHUFFLED))]
        if enough := [(least, one) for least, one in shown if least is not None and least >= limit]:
            least, one = min(enough, key=lambda pair: pair[0])
            yield Asked(name, one, _UNASKED, least, bad=True)
            return
        one = self.made[SHUFFLED.name]
        drop = self.scale.drop(one, self.base, 0.05)
        if drop is None or drop.high >= limit:
            why = f"{len(self.scale.truth):,} judged rows do not show any candidate to be worse by {limit:g}"
            yield Asked(name, one, _UNASKED, None, bad=False, why=why)

    def _ruined(self) -> Iterator[Asked]:
        """Yield for each slice the mildest candidate that is shown to be ruined on it, else the worst."""
        limit, least = self.strict.slice_loss, self.strict.min_rows
        why = f"wrong labels there are not shown to cost {limit:g} of quality; name other slices"
        for recipes, part in zip(self.ruined, self.material.slices, strict=True):
            for recipe in recipes:
                one = self.made[recipe.name]
                loss = self.scale.loss_on(one, self.base, part.judged, self.strict.alpha, least)
                shown = None if loss is None else loss.low
                bad = shown is not None and shown >= limit
                if bad:
                    break
            yield Asked(f"{part.name} ruined", one, _UNASKED, shown, bad, why, of_slice=True)

    def _cut(self) -> Asked:
        one = self.made[CUT.name]
        return Asked(CUT.name, one, _UNASKED, None, bool(one.error), "half of every file can still be loaded")

    def _shown(self, one: Packaged) -> float | None:
        """Return how much worse a candidate is shown to be: on average, or else, if it is that all the time."""
        drop = self.scale.drop(one, self.base, self.strict.alpha)
        if drop is None or np.isfinite(drop.low):
            return None if drop is None else drop.low
        lasting = self.scale.lasting(one, self.base, self.strict.alpha)
        return lasting if lasting is not None and lasting >= self.strict.drop else None


_UNASKED: Verdict = None  # type: ignore[assignment]  # replaced when the gate has answered


def require_one_label(model: Model | None, *sides: Dataset) -> None:
    """Raise :class:`NotOffered` for a ranking and for several labels a row.

    How bad a candidate is that learned wrong labels is known beforehand where a row has one label of its own: in a
    ranking its worth hangs on the other rows of the query, and of several labels a gate may rightly weigh some as none.
    """
    if model is not None:
        require_one_answer(model.task, model.name)
    for side in sides:
        if is_array(side.frame([side.roles.label], limit=ENOUGH)[side.roles.label]):
            raise NotOffered(f"one label a row of {side.name}", f"a model of such rows {INSTEAD['multilabel']}")


def material_of(validator: Validator, training: Dataset, holdout: Dataset, rows: int, least: int) -> Material:
    """Return the rows that candidates learn from and the rows, at most ``rows``, that they are measured on."""
    learned, later = training.sample(validator.rows), holdout.sample(rows)
    sides: list[pd.DataFrame] = []
    for side in (learned, later):
        frame = side.frame()
        sides.append(frame[frame[side.roles.label].notna()].reset_index(drop=True))
    names = [name for name in learned.features if name in sides[1].columns]
    columns = [*names, *(name for name in declared.columns_of(validator.slices) if name not in names)]
    for side in (learned, later):
        side.require(*columns)
    slices = ruinable(sides[0][columns], sides[1][columns], validator.slices, names, least)
    key = f"{learned.digest} {later.digest} {[one.name for one in slices]}"
    return Material(sides[0], sides[1], later.roles.label, tuple(names), tuple(slices), key)
