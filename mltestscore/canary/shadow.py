"""Both versions asked the same requests: one row a request, side by side, until the errors decide; then scores in bulk.

Errors are compared while the pairs come in, by bounds that hold at every look, so that a bad candidate is dropped
early and a sound one need not answer more than it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.canary.requests import Requests
from mltestscore.errors import InputError
from mltestscore.inputs.canary import Canary
from mltestscore.inputs.endpoint import Endpoint

Vector = npt.NDArray[np.float64]

AT_ONCE = 4  # requests in flight: a pause of a server then fails four at most
LOOK = 100  # pairs between two looks
ALONE = 300  # requests to a version that has none beside it
PROBES = 5  # rows that a server may refuse before it counts as not loaded
STARTS = 2  # a server that comes up at the second try is sound
LONGEST, BULK_LONGEST = 120.0, 30.0  # seconds for pairs, and for a version's scores in bulk: slow models answer less
BULK = 200  # rows of a request for scores alone
NO_NUMBER = "the score is no finite number"
REFUSED = 100  # requests in bulk that may fail before the rest is left alone

Asked = tuple[Any, float, str]
"""The score, the seconds and what went wrong."""


@dataclass(frozen=True)
class Answers:
    """What one version answered, request by request.

    Attributes:
        scores: shape (n,) or (n, classes); NaN where there is no answer or no finite one.
        failed: shape (n,), whether there was an error, a time-out or a score that is no finite number.
        seconds: shape (n,), how long each took; NaN where nobody waited.
        reasons: what went wrong, and how often.
    """

    scores: Vector
    failed: npt.NDArray[np.bool_]
    seconds: Vector
    reasons: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.failed)


@dataclass(frozen=True)
class Shadow:
    """Two versions on the same requests.

    Attributes:
        requests: what was asked.
        served: answers of the served version to the first requests, one at a time; ``None`` where it is not known.
        candidate: likewise; ``None`` where it could not be loaded, or none is offered.
        starts: how often the candidate was started; 0 where none is offered.
        why: why it did not load.
        served_scores, candidate_scores: scores of all requests, asked in bulk; ``None`` where there are none.
    """

    requests: Requests
    served: Answers | None
    candidate: Answers | None
    starts: int = 0
    why: str = ""
    served_scores: Vector | None = None
    candidate_scores: Vector | None = None


def shadow(
    canary: Canary,
    endpoint: Endpoint | None,
    requests: Requests,
    enough: Callable[[Answers, Answers], bool],
) -> Shadow:
    """Ask both versions the requests, one at a time until there are ``enough``, then all in bulk; remembered.

    Raises :class:`InputError` when the served version does not answer.
    """
    key = ("shadow", requests.digest, id(endpoint))
    return canary.recall(key, lambda: _asked(canary, endpoint, requests, enough))


def _asked(
    canary: Canary, endpoint: Endpoint | None, requests: Requests, enough: Callable[[Answers, Answers], bool]
) -> Shadow:
    if endpoint is not None:
        _first_answer(endpoint, requests.frame)
    candidate, starts, why = _loaded(canary, requests.own) if canary.start else (None, 0, "")
    arms = {"served": (endpoint, requests.frame), "candidate": (candidate, requests.own)}

    def decided(found: Mapping[str, Answers]) -> bool:
        ours = found.get("candidate")
        theirs = found.get("served") or (ours and _logged(requests, len(ours)))
        return enough(theirs, ours) if theirs and ours else max(map(len, found.values())) >= ALONE

    there = {name: (one, frame) for name, (one, frame) in arms.items() if one is not None}
    answers = _side_by_side(there, len(requests), decided)
    ours = answers.get("candidate")
    served = answers.get("served") or _logged(requests, len(ours) if ours else ALONE)
    before = Shadow(requests, served, ours, starts, why)
    if candidate is None or served is None:
        return before
    theirs = _in_bulk(endpoint, requests.frame) if endpoint is not None else requests.logged
    return replace(before, served_scores=theirs, candidate_scores=_in_bulk(candidate, requests.own))


def _logged(requests: Requests, count: int) -> Answers | None:
    """Return what the log says was answered to the first requests: no errors, for those are not in it."""
    if requests.logged is None:
        return None
    scores = requests.logged[:count]
    return Answers(scores, ~np.isfinite(scores), np.full(len(scores), np.nan))


def _loaded(canary: Canary, frame: pd.DataFrame) -> tuple[Endpoint | None, int, str]:
    """Return the candidate's server once it answers a row, how often it was started, and why it does not come up."""
    assert canary.start is not None  # only asked where a candidate is offered
    if "candidate" in canary.memory:
        return canary.memory["candidate"], 1, ""
    why = ""
    for start in range(1, STARTS + 1):
        opened: Endpoint | None = None
        try:
            opened = canary.start()
            _first_answer(opened, frame)
        except InputError as error:
            why = str(error)
            if opened is not None:
                opened.close()
        except BaseException:
            if opened is not None:
                opened.close()
            raise
        else:
            canary.memory["candidate"] = opened
            return opened, start, ""
    return None, STARTS, why


def _first_answer(endpoint: Endpoint, frame: pd.DataFrame) -> None:
    """Wait until the server answers one of the first rows; a model may well refuse some."""
    for place in range(min(PROBES, len(frame))):
        try:
            row = frame.iloc[[place]]
            endpoint.wait_until_ready(row)
            endpoint.predict(row)
        except InputError:
            if place == min(PROBES, len(frame)) - 1:
                raise
        else:
            return


def _side_by_side(
    arms: Mapping[str, tuple[Endpoint, pd.DataFrame]], rows: int, decided: Callable[[Mapping[str, Answers]], bool]
) -> dict[str, Answers]:
    """Ask every version each row, in turns; look after every hundred rows whether that decides."""
    asked: dict[str, list[Asked]] = {name: [] for name in arms}
    found: dict[str, Answers] = {}
    names, until = list(arms), monotonic() + LONGEST

    def ask(place: int) -> dict[str, Asked]:
        turn = place % len(names)
        return {name: _one(arms[name][0], arms[name][1].iloc[[place]]) for name in [*names[turn:], *names[:turn]]}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for place in range(min(2 * AT_ONCE, rows) if arms else 0):  # connections and caches, which do not count
            ask(place)
        for start in range(0, rows if arms else 0, LOOK):
            for answers in pool.map(ask, range(start, min(start + LOOK, rows))):
                for name, answer in answers.items():
                    asked[name].append(answer)
            found = {name: _answers(one) for name, one in asked.items()}
            if decided(found) or monotonic() > until:
                break
    return found


def _one(endpoint: Endpoint, row: pd.DataFrame) -> Asked:
    """Return the score of one row, how long it took and what went wrong."""
    try:
        answer = endpoint.predict(row)
    except InputError as error:
        return None, np.nan, str(error)
    scores = answer.scores[0]
    return (scores, answer.seconds, "") if np.isfinite(scores).all() else (None, answer.seconds, NO_NUMBER)


def _answers(asked: Sequence[Asked]) -> Answers:
    shape = next((np.shape(score) for score, _, _ in asked if score is not None), ())
    usable = [score is not None and np.shape(score) == shape for score, _, _ in asked]
    empty = np.full(shape, np.nan)
    scores = [score if good else empty for (score, _, _), good in zip(asked, usable, strict=True)]
    reasons = Counter(why[:300] for _, _, why in asked if why)
    seconds = np.array([took for _, took, _ in asked], dtype=np.float64)
    return Answers(np.array(scores, dtype=np.float64), ~np.array(usable, dtype=bool), seconds, reasons)


def _in_bulk(endpoint: Endpoint, frame: pd.DataFrame) -> Vector | None:
    """Return the scores of all rows; a request that fails is halved until the rows are found that are refused."""
    scores: list[Any] = [None] * len(frame)
    waiting = [(start, min(start + BULK, len(frame))) for start in range(0, len(frame), BULK)]
    refused, until = 0, monotonic() + BULK_LONGEST
    while waiting and refused <= REFUSED and monotonic() < until:
        start, end = waiting.pop(0)
        try:
            scores[start:end] = list(endpoint.predict(frame.iloc[start:end]).scores)
        except InputError:
            refused += 1
            middle = (start + end) // 2
            waiting[:0] = [(start, middle), (middle, end)] if end - start > 1 else []
    found = _answers([(one, np.nan, "") for one in scores])
    return None if found.failed.all() else found.scores
