"""One verdict of a team's gate, and whether its deployment heeds it, in a fresh copy of the project."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mltestscore.codetests.sandbox import Done
from mltestscore.inputs.validator import BASELINE, CANDIDATE, Validator
from mltestscore.validation.packaging import Packaged, copied
from mltestscore.validation.workplace import done_in, workplace

Answer = Literal["accepts", "refuses", "same", "none"]


@dataclass(frozen=True)
class Verdict:
    """What a gate said of a candidate.

    Attributes:
        answer: ``"same"`` where it reports that candidate and baseline are one model, ``"none"`` for a crash or a gate
            that was stopped.
        done: how the command ended.
        deployed_before: whether the candidate was deployed before the gate had seen it; ``None`` where not tried.
        deployed: likewise, afterwards.
        deployment: the last words of the deployment that came afterwards.
    """

    answer: Answer
    done: Done
    deployed_before: bool | None = None
    deployed: bool | None = None
    deployment: str = ""

    @property
    def last_words(self) -> str:
        """The last line that the gate said."""
        return self.done.said.rsplit("\n", 1)[-1][:200]

    @property
    def ending(self) -> str:
        """How a gate ended that gave no verdict."""
        if self.done.code is None:
            return f"was stopped after {self.done.seconds:.0f} s"
        return f"ended with status {self.done.code}, by which it neither accepts nor refuses"


def judged(
    validator: Validator, candidate: Packaged, baseline: Packaged, timeout: float, *, deploys: str = ""
) -> Verdict:
    """Return what the gate says of a candidate, and whether it is then deployed, where a deployment is offered.

    Args:
        validator: the gate.
        candidate: what it judges.
        baseline: what it is compared with.
        timeout: seconds until a command is stopped.
        deploys: whether to try and deploy the candidate: not at all, ``"after"`` the verdict, or ``"before"`` it too.
    """
    deploy = validator.deploy if deploys else ()
    asked = (validator.command, deploy, validator.refuses, validator.same, timeout, deploys if deploy else "")
    key = ("verdict", validator.code_digest, validator.mixed_up, *asked, candidate.digest, baseline.digest)
    if key not in validator.memory:
        validator.memory[key] = _judged(
            validator.replace(deploy=deploy), candidate, baseline, timeout, deploys == "before"
        )
    found: Verdict = validator.memory[key]
    return found


def _judged(validator: Validator, candidate: Packaged, baseline: Packaged, timeout: float, unseen: bool) -> Verdict:
    with workplace(validator) as copy, tempfile.TemporaryDirectory(prefix="mltestscore-") as name:
        paths = {CANDIDATE: copied(candidate.path, Path(name) / "candidate")}
        one = validator.mixed_up or candidate.digest == baseline.digest
        paths[BASELINE] = paths[CANDIDATE] if one else copied(baseline.path, Path(name) / "baseline")
        before = None
        if validator.deploy and unseen:
            before = done_in(copy, _filled(validator.deploy, paths), validator, "deploy", timeout).code == 0
        done = done_in(copy, _filled(validator.command, paths), validator, "command", timeout)
        answer = _answer(validator, done)
        if not validator.deploy:
            return Verdict(answer, done)
        after = done_in(copy, _filled(validator.deploy, paths), validator, "deploy", timeout)
        return Verdict(answer, done, before, after.code == 0, after.said[-400:])


def _answer(validator: Validator, done: Done) -> Answer:
    if done.code == 0:
        return "same" if validator.same and validator.same in done.said else "accepts"
    return "refuses" if done.code in validator.refuses else "none"


def _filled(words: Sequence[str], paths: dict[str, Path]) -> list[str]:
    filled = [word.replace("{python}", sys.executable) for word in words]
    for placeholder, path in paths.items():
        filled = [word.replace(placeholder, str(path)) for word in filled]
    return filled
