"""A new version meets real requests beside the old one, and gets its traffic in steps that bad news would stop.

Why
    Models change faster than the servers that run them: one that trained and validated well may not load where it is
    deployed, or answer otherwise there. What everybody's traffic finds out first was everybody's incident.

Measured
    What ``[tool.mltestscore.canary]`` offers. The candidate's server is started, again if need be, and answers logged
    requests beside the served model: errors (time-outs and scores that are no number too), by an always-valid test on
    requests that only one of the two fails; how much scores differ, against how much they differ between requests;
    losses where labels are known. Libraries of training and serving. The log of roll-outs: first shares, time between
    steps, steps up although the canary erred more. Which slices it met. And the team's own rule, which must stop
    candidates made bad on purpose and let the served model pass.

Passes when
    no bound reaches beyond a limit, and all roll-outs, libraries and decisions are as they should be.

If it fails
    Build the candidate where it is served, from one lock. Begin with a small share drawn by a hash of the request; hold
    each step for the time that damage takes to show; let a rule, not a person, read the errors beside the old version.

Options
    max_more_errors 1 %: as monitor.6. max_error_ratio 1.1: many requests show differences that harm nobody.
    max_disagreement 0.5: half-way to a stranger's scores; not held against a candidate that labels show no worse.
    max_loss 0.02 of the skill: as model.4. requests 4,000 at most: errors of 3 % beside 1 % show in 1,900.
    max_first_share 25 %: AWS CodeDeploy and Argo Rollouts begin with 10 and 20. soak_minutes 5: the shortest preset of
    AWS CodeDeploy. recent 5 roll-outs. max_slice_gap 10 %. must_block: bad candidates that a rule must stop. alpha
    0.0005 for each bound that shows harm. Sources of the numbers: our simulations.

Source
    Breck et al. 2017, Infra 6. Johari et al. 2022 (always valid tests). Beyer et al. 2018, SRE Workbook, chapter 16.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mltestscore import NotOffered, check, fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.canary import Canary
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.endpoint import Endpoint
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry

ERRORS, SCORES = "errors of the candidate beyond the served model's", "disagreement of scores on the same requests"
LOADED = "starts of the candidate in the serving environment that failed"
LIBRARIES = "libraries of another version than in training"
SLICES = "difference between the canary's traffic and the rest"
FIRST, PASSED = "roll-outs that begin with too much traffic", "bad candidates that the rule lets pass"


@check("infra.6")
def check_canary(
    canary: Canary,
    endpoint: Endpoint | None = None,
    serving: Dataset | None = None,
    outcomes: Dataset | None = None,
    model: Model | None = None,
    registry: Registry | None = None,
    clock: datetime | None = None,
    *,
    max_more_errors: float = 0.01,
    max_error_ratio: float = 1.1,
    max_disagreement: float = 0.5,
    max_loss: float = 0.02,
    requests: int = 4_000,
    max_first_share: float = 0.25,
    soak_minutes: float = 5.0,
    recent: int = 5,
    max_slice_gap: float = 0.1,
    must_block: tuple[str, ...] = ("errors", "other scores", "no numbers"),
    alpha: float = 0.0005,
) -> Observations:
    """Shadow the candidate, read the log of roll-outs, and drill the rule that stops them."""
    from mltestscore.canary import judged, process, traffic
    from mltestscore.canary.requests import drawn
    from mltestscore.canary.shadow import shadow

    limits = judged.Limits(max_more_errors, max_error_ratio, max_disagreement, max_loss, alpha)
    found = None
    if serving is not None and (canary.start or canary.rule):
        asked = drawn(canary, serving, outcomes, clock, requests)
        found = shadow(canary, endpoint, asked, limits.enough)
    if canary.start:
        yield from judged.beside(found, canary.tampering, model, limits)
    if canary.environments:
        yield from process.served_by(canary)
    if canary.ramp:
        published = [one.version for one in registry.versions] if registry is not None else []
        held = process.Limits(max_first_share, soak_minutes, max_error_ratio, recent, alpha)
        yield from process.ramped(canary, held, endpoint.version if endpoint is not None else "", published)
    if canary.traffic:
        yield from traffic.by_slice(canary, max_slice_gap, alpha)
    if canary.rule:
        yield from process.ruled(canary, found, must_block)


def _planted(canary: Canary, part: object, tampering: str) -> Mapping[str, Any]:
    if part:
        return {"canary": canary.replace(tampering=tampering)}
    raise NotOffered("this part of the canary process", "see [tool.mltestscore.canary]")


@fault(check_canary, "the candidate cannot be read in the serving environment", caught_by=LOADED)
def unreadable(canary: Canary, serving: Dataset) -> Mapping[str, Any]:
    """As an artefact of another version of a library."""
    return _planted(canary, canary.start, "unreadable")


@fault(check_canary, "the candidate fails three times as many requests, at least one in four", caught_by=ERRORS)
def failing(canary: Canary, serving: Dataset) -> Mapping[str, Any]:
    """As one that chokes on a common value."""
    return _planted(canary, canary.start, "errors")


@fault(check_canary, "the candidate answers with the scores of another request", caught_by=SCORES)
def strangers(canary: Canary, serving: Dataset) -> Mapping[str, Any]:
    """As a server that mixes up the order of a batch."""
    return _planted(canary, canary.start, "other scores")


@fault(check_canary, "a library of the serving environment is a major version behind", caught_by=LIBRARIES)
def behind(canary: Canary) -> Mapping[str, Any]:
    """Nobody built the image again."""
    return _planted(canary, canary.environments, "behind")


@fault(check_canary, "the newest roll-out gives the version all traffic at once", caught_by=FIRST)
def at_once(canary: Canary) -> Mapping[str, Any]:
    """No canary at all."""
    return _planted(canary, canary.ramp, "at once")


@fault(check_canary, "the canary meets one value of a slice only", caught_by=SLICES)
def easy(canary: Canary) -> Mapping[str, Any]:
    """As where the hash that draws it is one of the slice."""
    return _planted(canary, canary.traffic, "one slice")


@fault(check_canary, "the rule lets every candidate pass", caught_by=PASSED)
def promoting(canary: Canary, serving: Dataset) -> Mapping[str, Any]:
    """A gate that cannot close."""
    return _planted(canary, canary.rule, "promotes")
