"""A log of roll-outs, read as steps: which share of the traffic a version got, for how long, with which errors.

A roll-out starts where a version gets traffic for the first time and is done where it has all of it. What comes later,
giving way to the next version or coming back when that one is rolled back, is no roll-out. Nor is the version that has
the traffic where the log begins: nobody knows how it got there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.canary import TABLE, Ramp
from mltestscore.stats.proportion import bounds

MOST_ROWS = 100_000
ALL = 0.995  # of the traffic: all of it, however shares were rounded
WAVER, SMALLEST_WAVER, LARGEST_WAVER = 0.1, 0.005, 0.04  # of a share, by which it may waver within a step
EVENLY = 6  # rows of a step from which its errors may be seen to come in bursts


@dataclass(frozen=True)
class Counts:
    """Requests and errors row by row: of the canary, and of what was served beside it; shape (rows,) each."""

    requests: np.ndarray
    errors: np.ndarray

    @property
    def rate(self) -> float:
        """Errors a request."""
        return float(self.errors.sum() / self.requests.sum()) if self.requests.sum() else 0.0

    @property
    def dispersion(self) -> float:
        """By how much errors that come in bursts vary more than independent ones would; at least 1."""
        kept, rate = self.requests > 0, self.rate
        if kept.sum() < EVENLY or not 0 < rate < 1:
            return 1.0
        expected = self.requests[kept] * rate
        return max(1.0, float(((self.errors[kept] - expected) ** 2 / (expected * (1 - rate))).sum() / (kept.sum() - 1)))


@dataclass(frozen=True)
class Step:
    """One share of the traffic for a while.

    Attributes:
        share: in (0, 1].
        start: when it was given.
        until: when it was changed; ``None`` where the log ends before.
        canary: requests and errors of the version, or ``None``.
        served: likewise of what was served beside it.
    """

    share: float
    start: pd.Timestamp
    until: pd.Timestamp | None = None
    canary: Counts | None = None
    served: Counts | None = None

    @property
    def minutes(self) -> float | None:
        """How long it lasted."""
        return None if self.until is None else (self.until - self.start).total_seconds() / 60

    def worse(self, ratio: float, alpha: float) -> bool | None:
        """Say whether the canary is shown to err more than ``ratio`` times as often; ``None`` without counts.

        Given all errors of both, the canary's are binomial (the conditional test of two Poisson rates; Przyborowski
        and Wilenski 1940), on fewer where errors come in bursts.
        """
        if self.canary is None or self.served is None:
            return None
        ours, theirs = self.canary.requests.sum(), self.served.requests.sum()
        errors = self.canary.errors.sum() + self.served.errors.sum()
        if not ours or not theirs:
            return None
        if not errors:
            return False
        fewer = max(self.canary.dispersion, self.served.dispersion)
        low = bounds(float(self.canary.errors.sum() / fewer), float(errors / fewer), alpha)[0]
        return bool(low > ratio * ours / (ratio * ours + theirs))


@dataclass(frozen=True)
class Rollout:
    """A version's way from no traffic to all of it, or as far as it came."""

    version: str
    steps: tuple[Step, ...] = field(default=())

    @property
    def rises(self) -> Iterator[tuple[Step, Step]]:
        """Each step that was followed by a larger share, with that one."""
        return ((one, two) for one, two in zip(self.steps, self.steps[1:], strict=False) if two.share > one.share)

    def at_once(self) -> Rollout:
        """Return the same roll-out with all traffic at its first step: how a fault is planted."""
        return replace(self, steps=(replace(self.steps[0], share=1.0),))


def rollouts(ramp: Ramp) -> list[Rollout]:
    """Return the roll-outs of a log in the order of their start.

    Raises :class:`InputError` for a log that is too long, or holds times or shares that are none.
    """
    rows = _rows(ramp)
    before = _there_before(rows)
    found: list[Rollout] = []
    for version, own in rows.groupby("version", sort=False):
        others = rows[rows["version"] != version]
        found += _of_version(str(version), own, others, done=version in before)
    return sorted(found, key=lambda one: one.steps[0].start)


def _there_before(rows: pd.DataFrame) -> set[str]:
    """Return the versions that had traffic before the log begins: those that have lost it, else what has most of it.

    A log of one version that starts with everything is a roll-out at once; before others, it is what was there.
    """
    first = rows[rows["time"] == rows["time"].iloc[0]]
    lost = set(first.loc[first["share"] == 0, "version"])
    if lost:
        return lost
    largest = first.loc[first["share"].idxmax()]
    return {str(largest["version"])} if largest["share"] >= 0.5 and rows["version"].nunique() > 1 else set()


def versions_in(ramp: Ramp) -> set[str]:
    """Return the versions that the log names."""
    return set(_rows(ramp)["version"])


def _of_version(version: str, own: pd.DataFrame, others: pd.DataFrame, *, done: bool) -> Iterator[Rollout]:
    """Walk through the rows of a version; rows that repeat a share belong to one step."""
    changes = _changes(own["share"].to_numpy(dtype=np.float64))
    times = own["time"].reset_index(drop=True)
    steps: list[Step] = []
    for (place, share), after in zip(changes, [*changes[1:], None], strict=True):
        if done or share == 0:
            if steps:
                yield Rollout(version, tuple(steps))
            steps = []
            continue
        start, until = times[place], None if after is None else times[after[0]]
        ours, theirs = (_between(one, start, until) for one in (own, others))
        steps.append(Step(share, start, until, _counts(ours, ""), _counts(ours, "served_") or _counts(theirs, "")))
        done = share >= ALL
    if steps:
        yield Rollout(version, tuple(steps))


def _changes(shares: np.ndarray) -> list[tuple[int, float]]:
    """Return where a share was changed, and to what. A share that was measured wavers about the one that was set."""
    found: list[tuple[int, float]] = []
    for place, share in enumerate(shares.tolist()):
        now = found[-1][1] if found else -1.0
        least = min(LARGEST_WAVER, max(SMALLEST_WAVER, WAVER * now))
        edge = share != now and (share == 0 or now == 0 or (share >= ALL > now))
        if not found or edge or abs(share - now) > least:
            found.append((place, share))
    return found


def _between(rows: pd.DataFrame, start: pd.Timestamp, until: pd.Timestamp | None) -> pd.DataFrame:
    first = int(rows["time"].searchsorted(start))
    return rows.iloc[first : None if until is None else int(rows["time"].searchsorted(until))]


def _counts(rows: pd.DataFrame, side: str) -> Counts | None:
    names = [f"{side}requests", f"{side}errors"]
    if not set(names) <= set(rows.columns):
        return None
    known = rows[names].dropna()
    return Counts(*(known[name].to_numpy(dtype=np.float64) for name in names)) if len(known) else None


def _rows(ramp: Ramp) -> pd.DataFrame:
    """Return the log as time, version, share in [0, 1] and counts, in the order of time."""
    where = f"{TABLE[:-1]}.ramp] ({ramp.log.source})"
    if ramp.log.rows > MOST_ROWS:
        raise InputError(f"{where} has {ramp.log.rows:,} rows; name a log of at most {MOST_ROWS:,}, a row a step.")
    named = {"time": ramp.time, "version": ramp.version, "share": ramp.share}
    counts = {name: getattr(ramp, name) for name in ("requests", "errors", "served_requests", "served_errors")}
    named |= {name: column for name, column in counts.items() if column}
    frame = ramp.log.frame(dict.fromkeys(named.values()))
    rows = pd.DataFrame({name: frame[column] for name, column in named.items()})
    rows["version"] = rows["version"].map(str)
    if pd.api.types.is_numeric_dtype(rows["time"]):
        raise InputError(f"{where}: {ramp.time!r} holds numbers; expected times such as 2026-01-31T12:00:00Z.")
    rows["time"] = pd.to_datetime(rows["time"], utc=True, errors="coerce", format="ISO8601" if _texts(rows) else None)
    rows["share"] = _shares(rows["share"])
    for name in set(rows.columns) - {"time", "version", "share"}:
        rows[name] = pd.to_numeric(rows[name], errors="coerce")
        if (rows[name] < 0).any():
            raise InputError(f"{where}: the column {named[name]!r} holds counts below 0; is it the right one?")
    for name, expected in (("time", "a time such as 2026-01-31T12:00:00Z"), ("share", "a share of the traffic")):
        if (bad := rows[name].isna()).any():
            shown = frame[named[name]][bad].iloc[0]
            raise InputError(
                f"{where}: {int(bad.sum())} rows of {named[name]!r} hold no {name}, such as {shown!r:.80}; expected "
                f"{expected}."
            )
    return rows.sort_values("time", kind="stable").reset_index(drop=True)


def _texts(rows: pd.DataFrame) -> bool:
    return rows["time"].dtype == object or str(rows["time"].dtype).startswith(("str", "string"))


def _shares(given: pd.Series[Any]) -> pd.Series[Any]:
    """Return shares in [0, 1]; above 1 anywhere, or with the sign, they are per cent. What is none of both is NaN."""
    texts = given.map(str).str.strip()
    percent = bool(texts.str.endswith("%").any())
    shares = pd.to_numeric(texts.str.rstrip("%").str.strip(), errors="coerce")
    percent = percent or bool((shares > 1).any())
    shares = shares / 100 if percent else shares
    return shares.where(shares.between(0, 1))
