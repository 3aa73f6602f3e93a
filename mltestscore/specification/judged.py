"""The findings of infra.2 on a model that was stepped: it learns, goes on after a crash, answers what may be asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mltestscore import Finding, Interval, Series, Table, Text, at_least, at_most, undecided
from mltestscore.specification.answers import spread
from mltestscore.specification.memorised import settled
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.mean import spread as mean_spread

if TYPE_CHECKING:
    from mltestscore.declare import Observations
    from mltestscore.specification.trials import Curve, Going, Tried

MOVED = "starts whose steps change predictions"
FALLS = "part of its loss that a model loses by its steps"
BY_HEART = "part of a handful of rows that is learned by heart"
UNFIT = "checkpoints that another process cannot go on from"
RESTORED = "difference between restored and saved predictions"
GOES_ON = "difference between going on and having been interrupted"
ANSWERS = {
    "refused": "legal rows that the model refuses",
    "misshapen": "rows whose predictions have another shape",
    "mistyped": "rows whose predictions have another type",
    "not finite": "rows whose predictions are not finite",
    "strange": "rows whose predictions are no probabilities",
    "random": "rows that are predicted otherwise the second time",
    "beside others": "rows that are predicted otherwise alone or in another order",
    "no step": "frames of legal rows without a finite loss",
}
HINTS = {
    "mistyped": " (return one array of one type; where they are meant to be something else, say so: predicts)",
    "strange": " (where they are meant to be something else, say so: predicts)",
    "random": " (switch dropout off to predict, or say random = true)",
}
LEAST_FALL = 1e-6  # of the first loss: less is rounding in single precision
TEN_TIMES = 9  # how much longer a curve that wavers is thought to go on, at the pace of its last quarter


def learning(tried: Tried, *, min_memorised: float, alpha: float) -> Observations:
    """Say whether every start learned, none did, or only some; judged by the best attempt of each."""
    if not tried.learned:
        yield undecided(BY_HEART, "the training rows have no two different labels to learn; offer rows that have")
        return
    best = [max(attempts, key=lambda one: settled(one.shares)) for attempts in tried.learned]
    known = all(settled(one.shares) >= min_memorised for one in best)  # by every start: no luck of a first draw
    still = [not known and not any(one.moved for one in attempts) for attempts in tried.learned]
    cause = "as with a learning rate of 0, a gradient cut off, or leaves that ask for more rows" if any(still) else ""
    yield at_least(MOVED, len(still) - sum(still), 1, n=len(still), cause=cause)
    yield _falls(best, alpha, [known and one.shares[0] >= min_memorised for one in best])
    yield _by_heart(tried.learned, best, min_memorised)
    columns = ("start", "rows", "examples", "steps", "first loss", "last loss", "part learned")
    rows = [
        (start, one.rows, one.examples, len(one.losses), *map(_shown, _ends(one)))
        for start, attempts in enumerate(tried.learned, start=1)
        for one in attempts
    ]
    yield Table("Learning a handful by heart", columns, rows)
    longest = max(len(one.losses) for one in best)
    lines: dict[str, Sequence[float]] = {
        f"start {start}": [*one.losses, *[math.nan] * (longest - len(one.losses))]
        for start, one in enumerate(best, start=1)
    }
    yield Series("Loss while a handful is learned", "step", list(range(1, longest + 1)), lines, "loss")


def _ends(curve: Curve) -> tuple[float, float, float]:
    return curve.losses[0], curve.losses[-1], settled(curve.shares)


def judged_by(curve: Curve) -> str:
    """Say what the part that was learned is a part of."""
    if curve.kind == "scores":
        return "first loss"
    return {"values": "variance of labels", "classes": "error of the most frequent class"}.get(
        curve.kind, "Brier score of the constant"
    )


def reachable(curve: Curve) -> float:
    """Return how much would be learned if the curve went on as it did: its limit where it rises steadily.

    Aitken's delta-squared process on the part learned after half, three quarters and all of the steps; 1 where the
    curve does not slow down, or time was up.

    >>> from mltestscore.specification.trials import Curve
    >>> def learned(*shares):
    ...     return round(reachable(Curve((1.0,), shares, True, True, False, "values", 2, 2)), 3)
    >>> learned(0.0, 0.1, 0.2, 0.3, 0.4), learned(0.0, 0.1, 0.1, 0.1, 0.1), learned(0.0, 0.2, 0.3, 0.35, 0.375)
    (1.0, 0.1, 0.4)
    """
    shares = curve.shares
    if curve.cut:
        return 1.0
    last, size = settled(shares), len(shares)
    if size < 5 or not all(math.isfinite(share) for share in shares):
        return max((share for share in shares if math.isfinite(share)), default=-math.inf)
    middle, later = shares[-1 - size // 2], shares[-1 - size // 4]
    before, now = later - middle, shares[-1] - later
    steady = all(one < other for one, other in zip(shares[size // 2 :], shares[size // 2 + 1 :], strict=False))
    if not steady:
        return max(*shares[size // 2 :], last + TEN_TIMES * 4 * max(0.0, now))
    ratio = now / before if before > 0 else 1.0
    return 1.0 if ratio >= 1 else min(1.0, shares[-1] + now * ratio / (1 - ratio))


def _falls(best: Sequence[Curve], alpha: float, at_once: Sequence[bool]) -> Finding:
    """How much lower the last third of the losses lies than the first one, over the starts.

    A model that knows the rows after a single step has no more to lose: then what it learned counts.
    """
    values = np.array(
        [settled(one.shares) if able else _fall(one.losses) for one, able in zip(best, at_once, strict=True)]
    )
    mean, low, high = float(values.mean()), float(values.min()), float(values.max())
    method = "Student's t over starts; lower bound: the least of them"
    up = mean_spread(values).reaches(alpha)[1] if low < high else 0.0
    accusing = Interval(mean, min(low, mean), max(mean, min(1.0, mean + up)), len(values), 1 - alpha, method)
    clearing = Interval(mean, min(low, mean), max(high, mean), len(values), 1 - CLEAR, "least of all starts")
    return at_least(FALLS, two_levels(accusing, clearing, harm="below"), LEAST_FALL, unit="share")


def _fall(losses: Sequence[float]) -> float:
    if len(losses) < 2 or not all(map(math.isfinite, losses)):
        return -1.0 if losses and not all(map(math.isfinite, losses)) else 0.0
    late = losses[1:][-max(1, len(losses) // 3) :]
    fall = (losses[0] - sum(late) / len(late)) / (abs(losses[0]) or 1.0)
    return max(-1.0, min(1.0, fall))


def _by_heart(learned: Sequence[Sequence[Curve]], best: Sequence[Curve], min_memorised: float) -> Finding:
    """Fail only where no start could learn the rows even if it went on; pass only where every one did."""
    shares = [max(-1.0, settled(one.shares)) for one in best]
    could = [min(1.0, max(max(-1.0, reachable(one)) for one in attempts)) for attempts in learned]
    n, middle = len(shares), float(np.median(shares))
    told = 1 - 0.5**n
    method = "median of starts; bounds: the least, and the most that any would reach"
    share = Interval(middle, min(shares), max(middle, *could), n, told, method)
    ways = {judged_by(one) for one in best}
    finding = at_least(BY_HEART, share, min_memorised, unit="share", note=f"part of the {' or '.join(sorted(ways))}")
    if any(one.cut for attempts in learned for one in attempts) and finding.verdict == "inconclusive":
        return undecided(BY_HEART, "time was up before the steps were; give it more time (option seconds)")
    if finding.verdict == "failed" and ways == {"first loss"}:  # nobody knows how low this loss can get
        return undecided(BY_HEART, f"the loss fell by {middle:.0%}, and how far it could fall is not known")
    return finding


def restoring(tried: Tried, *, tolerance: float, max_departure: float, random: bool, alpha: float) -> Observations:
    """Hold a model that went on in another process to the one that nobody interrupted."""
    pairs = list(zip(tried.resumed, tried.restored, strict=True))
    unfit = [one.said for _, one in pairs if one.said]
    yield at_most(UNFIT, len(unfit), 0, n=len(pairs), cause="; ".join(dict.fromkeys(unfit))[:500])
    able = [(one, other) for one, other in pairs if not other.said]
    if not able:
        return
    differ = [_apart(one.saved, other.saved) / _scale(one.saved) for one, other in able]
    varies = random and "random" in tried.answers.get("counts", {})
    yield at_most(RESTORED, _capped(max(differ)), tolerance, unit="share", n=len(able), advisory=varies)
    same = max(differ) <= tolerance
    if random:
        yield _on_average(able, alpha, max_departure)
    else:
        departures = [_departure(one, other) for one, other in able]
        lost = "what a checkpoint lacks: the optimiser's state, a schedule, a scaler, a generator (else random = true)"
        yield at_most(
            GOES_ON,
            _capped(max(departures)),
            max_departure,
            unit="share",
            n=len(able),
            cause=lost if same and max(departures) > max_departure else "",
            note="largest difference of predictions, as a share of what the steps after the checkpoint changed",
        )
    first, again = able[0]
    before = len(first.losses) - len(again.losses)
    lines = {"not interrupted": first.losses, "interrupted": [*[math.nan] * before, *again.losses]}
    yield Series("Loss around a checkpoint", "step", list(range(1, len(first.losses) + 1)), lines, "loss")


def _on_average(able: Sequence[tuple[Going, Going]], alpha: float, most: float) -> Finding:
    """Where steps draw at random: how much higher the mean loss is after going on, over the starts."""
    rises = []
    for one, other in able:
        after = one.losses[-len(other.losses) :]
        rise = (float(np.mean(other.losses)) - float(np.mean(after))) / (abs(one.losses[0]) or 1.0)
        rises.append(rise if math.isfinite(rise) else 1.0)
    values = np.array(rises)
    mean, found = float(values.mean()), mean_spread(values)

    def interval(level: float) -> Interval:
        down, up = found.reaches(level) if len(values) > 1 else (math.inf, math.inf)
        return Interval(mean, mean - down, mean + up, len(values), 1 - level, "Student's t over starts")

    note = "mean loss of the steps after it, as a share of the first loss; steps draw at random"
    return at_most(GOES_ON, two_levels(interval(alpha), interval(CLEAR)), most, unit="share", note=note)


def _departure(one: Going, other: Going) -> float:
    """The difference at the end, as a share of what the steps in between changed, or of a hundredth of the spread.

    Rounding of a checkpoint in single precision is far below that.
    """
    moved = max(_apart(one.saved, one.ended), _scale(one.ended) / 100)
    return _apart(one.ended, other.ended) / moved


def _apart(one: Sequence[object], other: Sequence[object]) -> float:
    """The largest difference of two sets of predictions, or the share of rows that differ where they are no numbers."""
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape:
        return math.inf
    if left.dtype.kind not in "fiub" or right.dtype.kind not in "fiub":
        return float(np.mean(left.astype(str) != right.astype(str)))
    left, right = left.astype(np.float64), right.astype(np.float64)
    if (np.isfinite(left) != np.isfinite(right)).any():
        return math.inf
    both = np.isfinite(left)
    return float(np.abs(left[both] - right[both]).max(initial=0.0))


def _scale(scores: Sequence[object]) -> float:
    found = np.asarray(scores)
    return spread(found) if found.dtype.kind in "fiub" else 1.0


def _capped(value: float) -> float:
    return min(value, 1_000.0)


def _shown(value: float) -> float:
    return float(f"{value:.4g}") if math.isfinite(value) else value


def answering(tried: Tried, *, random: bool, edges: Sequence[str]) -> Observations:
    """Say what is wrong with predictions of legal rows, each kind of wrong a finding."""
    found = tried.answers
    for what, name in ANSWERS.items():
        if what == "strange" and found["kind"] != "probabilities":
            continue
        count, cause = found["counts"].get(what, 0), found["said"].get(what, "")
        n = found["stepped"] if what == "no step" else found["alone"] if what == "beside others" else found["asked"]
        if what == "beside others" and not n:
            why = "predictions of the same rows differ each time, so nobody can tell what other rows do to them"
            yield at_most(name, 0, 0, note=why, advisory=True)
            continue
        hint = HINTS.get(what, "") if count else ""
        yield at_most(name, count, 0, n=n, cause=(cause + hint)[:500], advisory=what == "random" and random)
    yield Text("Edges that rows were pushed to", ", ".join(edges) or "none: no rules on single columns, or arrays")
