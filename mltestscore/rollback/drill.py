"""The drill: go back to the previous version while requests come in, look at the answers, and put everything back."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mltestscore.errors import InputError
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.journal import Open
from mltestscore.rollback.record import Answers, Drill, Kind, settled
from mltestscore.rollback.reference import UNKNOWN, Questions
from mltestscore.rollback.registries import TABLE, FolderPointer, VersionRegistry
from mltestscore.rollback.restoring import limit, put_back, recovered, remembered, tidy
from mltestscore.rollback.staging import Staging, opened
from mltestscore.rollback.tampering import TAMPERING
from mltestscore.rollback.traffic import Traffic
from mltestscore.serving.protocols import Columns

BEFORE = 0.5  # seconds of traffic that show what is usual, before anything changes
FEWEST = 5  # answers that show that a version is in service
LOOK = 0.05
MOST_ROWS = 40  # of those sent one by one: the same rows come again every second or so
SHOWN = 1_000


@dataclass(frozen=True)
class How:
    """How a drill is performed.

    Attributes:
        rate: requests a second.
        hold: seconds for which all answers must come from one version until it counts as in service.
        tolerance: how far answers may differ and be the same.
    """

    rate: float
    hold: float
    tolerance: float


def drilled(rollback: Rollback, asked: Questions, how: How) -> Drill:
    """Perform the drill, once for one way to perform it, and return what was seen.

    Raises :class:`InputError` when registry or server cannot be reached, or another drill is under way.
    """
    key = ("drill", rollback.replace(tampering="").digest, how)
    if key not in rollback.memory:
        rollback.memory[key] = _perform(rollback, asked, how)
    found: Drill = rollback.memory[key]
    rollback.memory["last"] = found
    return TAMPERING[rollback.tampering](rollback, found)


def _perform(rollback: Rollback, asked: Questions, how: How) -> Drill:
    with ExitStack() as stack:
        registry, place = stack.enter_context(_registry(rollback))
        found = ""
        if not rollback.on_copy:
            stack.enter_context(rollback.journal.alone())
            found = recovered(rollback, registry, place, asked.columns)
        current, versions = registry.current(), tuple(registry.versions())
        plan = Drill(current, _before(rollback, current, versions), versions, recovered=found)
        if not plan.previous:
            return replace(plan, unable=f"{current!r:.80} is the first version in {registry.source:.200}")
        if plan.previous not in versions:
            kept = ", ".join(versions[-5:])
            return replace(plan, gone=f"{plan.previous:.80} is not in the registry any more; kept: {kept:.200}")
        old, new = (
            known(version, versions, place) for known, version in ((asked.old, plan.previous), (asked.new, current))
        )
        staging = stack.enter_context(opened(rollback.serving, rollback.folder, place, current))
        staging.wait_until_ready({name: list(values[:1]) for name, values in asked.columns.items()})
        plan = _told_apart(staging, asked.columns, plan, how, old, new)
        ready = not plan.unable and not plan.stale
        return _Swap(rollback, registry, staging, plan, how).performed(asked.columns) if ready else plan


@contextmanager
def _registry(rollback: Rollback) -> Iterator[tuple[VersionRegistry, str]]:
    """Give the registry, or a copy of its folder, and where it lies."""
    registry = rollback.registry
    if not isinstance(registry, FolderPointer):
        yield registry, ""
    elif not rollback.on_copy:
        yield registry, str(registry.folder)
    else:
        with tempfile.TemporaryDirectory(prefix="mltestscore-", ignore_cleanup_errors=True) as name:
            copy = Path(name).resolve() / registry.folder.name
            shutil.copytree(registry.folder, copy, symlinks=True)
            yield registry.within(copy), str(copy)


def _before(rollback: Rollback, current: str, versions: Sequence[str]) -> str:
    """Return the version to go back to, or an empty text; raises :class:`InputError` for a pointer to nothing."""
    if current not in versions:
        known = ", ".join(versions[-5:])
        raise InputError(
            f"{TABLE}: {current!r:.80} is in service and not in the registry, which has {known:.200}. Is it the "
            "registry of that server?"
        )
    earlier = versions[: versions.index(current)]
    if rollback.previous == current:
        raise InputError(f"{TABLE} previous: {current!r:.80} is in service already; name the version before it.")
    return rollback.previous or (earlier[-1] if earlier else "")


def _told_apart(
    staging: Staging, columns: Columns, plan: Drill, how: How, old: np.ndarray | None, new: np.ndarray | None
) -> Drill:
    """Ask the version in service, twice; say why its answers do not tell the versions apart, if they do not."""
    first, second = staging.client.predict(columns), staging.client.predict(columns)
    unsure = _unsure(first.scores, old, new, how.tolerance)
    old = None if unsure else old
    answers = Answers(plan.current, plan.previous, first.version, first.scores, old, how.tolerance)
    plan = replace(plan, answers=answers, unsure=unsure)
    if not answers.same(first.scores, second.scores).all():
        return replace(plan, unable="two equal requests get different answers; declare a tolerance that they keep")
    if first.version in plan.versions and first.version != plan.current:
        both = f"the registry says {plan.current:.80}, the server serves {first.version:.80}"
        return replace(plan, stale=f"{both} before anything was changed")
    if not len(answers.differing) and not answers.named:
        why = unsure or "both versions answer all rows alike"
        return replace(plan, unable=f"nothing tells the versions apart: answers name no version, and {why}")
    return plan


def _unsure(served: np.ndarray, old: np.ndarray | None, new: np.ndarray | None, tolerance: float) -> str:
    """Say why nobody knows what the server must answer when it serves the previous version, or return an empty text."""
    if old is None:
        return f"it is not known what the previous version must answer; {UNKNOWN}"
    for known in (old, *([] if new is None else [new])):
        if known.shape != served.shape:
            return f"the server answers with shape {served.shape}, and the scores to compare with have {known.shape}"
    if new is None:
        return ""
    apart = np.abs(new - served) > tolerance * (1 + np.abs(new))
    if not apart.any():
        return ""
    rows, most = int(apart.reshape(len(apart), -1).any(axis=1).sum()), float(np.abs(new - served).max())
    return (
        f"the server answers {rows} of {len(served)} rows otherwise than the model in service scores them (by up to "
        f"{most:.3g}), so that the previous model's scores say nothing; declare a tolerance, or write answers"
    )


class _Swap:
    """Going back and putting back, under traffic."""

    def __init__(self, rollback: Rollback, registry: VersionRegistry, staging: Staging, plan: Drill, how: How) -> None:
        assert plan.answers is not None  # a plan without them is not performed
        self.rollback, self.registry, self.staging = rollback, registry, staging
        self.plan, self.how, self.answers = plan, how, plan.answers
        self.kept, self.changing = "", list[tuple[float, float]]()

    def performed(self, columns: Columns) -> Drill:
        """Perform it; whatever happens in between, the current version is put back."""
        differing = self.answers.differing
        chosen = differing if len(differing) else np.arange(len(self.answers.new))
        chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, min(MOST_ROWS, len(chosen))).astype(int))]
        rows = [{name: [values[row]] for name, values in columns.items()} for row in chosen.tolist()]
        self.traffic = Traffic(self.staging.client, rows, chosen.tolist(), self.how.rate)
        self.traffic.start()
        try:
            unable = self._usual()
            found = replace(self.plan, unable=unable) if unable else self._there_and_back(columns)
        finally:
            requests = self.traffic.stop()
        return replace(found, requests=requests)

    def _usual(self) -> str:
        """Say why the traffic before the swap is not all answered by the version in service, if it is not."""
        deadline = BEFORE + FEWEST * self.rollback.serving.request_timeout
        while self.traffic.now() < BEFORE or len(self.traffic.since(0.0)) < FEWEST:
            if self.traffic.now() > deadline:
                return "the server is too slow for this rate of requests even without a swap"
            time.sleep(LOOK)
        for request in self.traffic.since(0.0):
            if request.error:
                return f"requests fail even without a swap: {request.error}"
            if self.answers.kind(request) != "new":
                return "a row alone is answered otherwise than among others; declare a tolerance that answers keep"
        return ""

    def _there_and_back(self, columns: Columns) -> Drill:
        rollback, plan = self.rollback, self.plan
        self.kept = remembered(self.registry)
        if not rollback.on_copy:
            rollback.journal.write(Open(rollback.source, plan.current, plan.previous, self.answers.named, self.kept))
        began = self.traffic.now()
        held, trouble, final, left = False, "", None, "interrupted"
        try:
            most = rollback.max_seconds + min(10.0, rollback.max_seconds / 2) + self.how.hold
            held, trouble = self._moved_to(plan.previous, "old", began + most)
            final = self._all(columns)
        finally:
            restoring = self.traffic.now()
            left = self._put_back(restoring)
            if not left and not rollback.on_copy:
                rollback.journal.close()
        found = replace(plan, began=began, restoring=restoring, held=held, trouble=trouble, final=final, left=left)
        return replace(found, changing=self.changing)

    def _moved_to(self, version: str, kind: Kind, deadline: float) -> tuple[bool, str]:
        """Promote and redeploy, and wait for answers of that version; say whether they came, and what went wrong."""
        began = self.traffic.now()
        try:
            if kind == "old":
                self.registry.promote(version, max(1.0, deadline - self.traffic.now()))
            else:
                put_back(self.registry, version, self.kept, max(1.0, deadline - self.traffic.now()))
            self.staging.redeploy(version, max(1.0, deadline - self.traffic.now()))
        except InputError as error:
            return False, str(error)[:SHOWN]
        finally:
            self.changing.append((began, self.traffic.now()))
        while not (held := self._holds(began, kind)) and self.traffic.now() < deadline:
            time.sleep(LOOK)
        return held, ""

    def _holds(self, since: float, kind: Kind) -> bool:
        recent = self.traffic.now() - self.how.hold - self.rollback.serving.request_timeout
        seen = [(one, self.answers.kind(one)) for one in self.traffic.since(max(since, recent))]
        after = settled(seen, kind)
        last = [one for one, _ in seen if after is not None and one.ended >= after]
        return len(last) >= FEWEST and last[-1].ended - last[0].ended >= self.how.hold

    def _all(self, columns: Columns) -> np.ndarray | None:
        try:
            scores = self.staging.client.predict(columns).scores
        except InputError:
            return None
        return scores if scores.shape == self.answers.new.shape else None

    def _put_back(self, began: float) -> str:
        """Promote and redeploy the current version; return what is not as it was, if anything."""
        current = self.plan.current
        try:
            now = self.registry.current()
            if now not in (current, self.plan.previous, ""):
                return f"somebody promoted {now:.80} during the drill, which was left alone"
            held, trouble = self._moved_to(current, "new", began + limit(self.rollback))
            if not held:
                return trouble or f"{current:.80} was promoted again, and the server does not answer as it did before"
            tidy(self.registry, self.kept, limit(self.rollback))
        except InputError as error:
            return str(error)[:SHOWN]
        return ""
