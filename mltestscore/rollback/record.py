"""What a drill saw: every request with its answer, and what promoting, redeploying and restoring said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from mltestscore.rollback.traffic import Request

Kind = Literal["old", "new", "mixed", "neither", "failed"]
"""Whose answer a request got; ``mixed``: the scores of one version under the name of another."""


@dataclass(frozen=True)
class Answers:
    """By what the answers of the two versions are known.

    Attributes:
        current: the version in service before the drill, as the registry names it.
        previous: the version that the drill goes back to.
        named: the version that answers named before the drill, or empty.
        new: the answers of the current version, shape (rows, …), asked before the drill.
        old: the answers that the previous version must give, likewise; ``None`` where nobody knows.
        tolerance: how far answers may differ and be the same.
    """

    current: str
    previous: str
    named: str
    new: np.ndarray
    old: np.ndarray | None
    tolerance: float

    @property
    def differing(self) -> np.ndarray:
        """The rows that the two versions answer differently, the pinned set, largest difference first."""
        if self.old is None:
            return np.arange(0)
        apart = np.asarray(np.abs(self.old - self.new)).reshape(len(self.new), -1).max(axis=1)
        rows = np.flatnonzero(~self.same(self.old, self.new))
        return rows[np.argsort(-apart[rows], kind="stable")]

    def same(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Say for each row whether two answers to it are the same."""
        return np.asarray(self._close(left, right).reshape(len(left), -1).all(axis=1))

    def names_old(self, version: str) -> bool:
        """Say whether an answer that names ``version`` may be the previous one's."""
        if not (self.named and version):
            return not self.named  # a server that stops naming versions is not known to have swapped
        return version == self.previous if self.named == self.current else version != self.named

    def kind(self, request: Request) -> Kind:
        """Say whose answer a request got."""
        if request.scores is None:
            return "failed"
        new, old = self._is(request, self.new), self._is(request, self.old)
        if old and self.names_old(request.version) and not (new and not self.named):
            return "old"
        if new and request.version == self.named:
            return "new"
        return "mixed" if self.old is not None and (new or old) else "neither"

    def _is(self, request: Request, expected: np.ndarray | None) -> bool:
        if expected is None:
            return True
        answer, wanted = np.asarray(request.scores), np.asarray(expected[request.row])
        return answer.shape == wanted.shape and bool(np.all(self._close(answer, wanted)))

    def _close(self, answers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(answers - wanted) <= self.tolerance * (1 + np.abs(wanted)))


@dataclass(frozen=True)
class Drill:
    """What was seen; times are seconds since the traffic began.

    Attributes:
        current, previous: the two versions; ``previous`` is empty where there is none.
        versions: all versions that are kept, oldest first.
        gone: why the previous version cannot even be tried, or empty.
        unable: why the drill could not judge or did not begin, or empty; then nothing was changed.
        stale: why the server does not serve what the registry says, before the drill, or empty; likewise.
        unsure: why it is not known what the previous version must answer, or empty.
        answers: what the two versions answer.
        requests: all requests, in the order of their schedule.
        began: when promoting the previous version began.
        restoring: when putting back began.
        changing: from when to when promoting and redeploying took, going back and putting back.
        held: whether answers of the previous version alone came for as long as it takes to count as in service.
        trouble: what promoting or redeploying said when it failed.
        final: the answers to all rows after going back; ``None`` where there were none.
        left: what could not be put back, or empty.
        recovered: what an earlier drill had left and this one put back.
    """

    current: str
    previous: str = ""
    versions: Sequence[str] = ()
    gone: str = ""
    unable: str = ""
    stale: str = ""
    unsure: str = ""
    answers: Answers | None = None
    requests: Sequence[Request] = ()
    began: float = 0.0
    restoring: float = 0.0
    changing: Sequence[tuple[float, float]] = ()
    held: bool = False
    trouble: str = ""
    final: np.ndarray | None = None
    left: str = ""
    recovered: str = ""

    def during(self, since: float, until: float) -> list[tuple[Request, Kind]]:
        """Return the requests that ended after ``since`` and by ``until``, and whose answer each one got.

        What was still waiting when the next step began belongs to that step, which may have cut it off.
        """
        if self.answers is None:
            return []
        return [(one, self.answers.kind(one)) for one in self.requests if since < one.ended <= until]

    @cached_property
    def going_back(self) -> list[tuple[Request, Kind]]:
        """The requests from promoting the previous version until putting back began."""
        return self.during(self.began, self.restoring)

    @cached_property
    def putting_back(self) -> list[tuple[Request, Kind]]:
        """The requests since then."""
        return self.during(self.restoring, np.inf)

    @property
    def back_after(self) -> float | None:
        """Seconds until the first answer of the old version after which no other answer came; ``None``: not back."""
        after = settled(self.going_back, "old") if self.held else None
        return None if after is None else after - self.began

    @property
    def restored_after(self) -> float | None:
        """Likewise for the current version, from the beginning of putting back."""
        after = settled(self.putting_back, "new")
        return None if after is None else after - self.restoring


def settled(requests: Sequence[tuple[Request, Kind]], kind: Kind) -> float | None:
    """Return when the first of the last requests that were all answered by ``kind`` was answered."""
    found = None
    for request, seen in reversed(requests):
        if seen != kind:
            break
        found = request.ended
    return found
