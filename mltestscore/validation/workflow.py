"""Whether a deployment in CI depends on the gate: read from a workflow of GitHub Actions or GitLab CI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs.validator import TABLE, Validator

STAGES = [".pre", "build", "test", "deploy", ".post"]
KEYWORDS = ("stages", "include", "default", "workflow", "variables", "image", "services", "cache", "spec")
REGARDLESS = re.compile(r"always\(|failure\(|cancelled\(")
SWALLOWED = re.compile(r"(\|\||;)\s*(/bin/)?(true|:|echo|printf|exit\s+0)(\s|;|$)|(?<!&)&\s*$")
FAILS_AFTER_ALL = re.compile(r"\b(exit|return)\s+([1-9]|\$)|\bfalse\b")
PLAIN_WORD = re.compile(r"[\w./:-]{3,}")


@dataclass(frozen=True)
class Reading:
    """What a workflow says: ways in which the deploying job runs although the gate refused, and what it does not say.

    Attributes:
        ways: in words.
        doubt: why nothing can be said of the gate's own step; empty where it is found.
    """

    ways: tuple[str, ...]
    doubt: str = ""


def read_workflow(validator: Validator) -> Reading:
    """Read how the deploying job depends on the gate's.

    Raises :class:`InputError` for a text that is no workflow, :class:`ConfigError` for a job that it has not.
    """
    document = _read(validator.workflow, validator.workflow_name)
    github = isinstance(document.get("jobs"), dict)
    jobs = document["jobs"] if github else _gitlab_jobs(document)
    for setting in ("gate_job", "deploy_job"):
        name = getattr(validator, setting)
        if not isinstance(jobs.get(name), dict):
            raise ConfigError(
                f"{TABLE} {setting}: {validator.workflow_name} has no job {name!r:.80}.{near(name, jobs)}"
            )
    gate, deploy = jobs[validator.gate_job], jobs[validator.deploy_job]
    words = validator.gate_step or telling_word(validator.command)
    names = (validator.gate_job, validator.deploy_job)
    ways = _github(jobs, gate, deploy, names, words) if github else _gitlab(document, jobs, names, words)
    doubt = (
        ""
        if words and words in _runs(gate)
        else (f"job {validator.gate_job} names {words!r:.80} in no step; name in gate_step what runs the gate there")
    )
    return Reading(tuple(ways), doubt)


def telling_word(command: tuple[str, ...]) -> str:
    """Return the word of the gate's command that a step must name: its module or its script.

    >>> telling_word(("{python}", "-m", "shop.gate", "--candidate", "{candidate}"))
    'shop.gate'
    """
    words = [word for word in command if "{" not in word and not word.startswith("-") and PLAIN_WORD.fullmatch(word)]
    named = [word for word in words if "." in word or "/" in word]
    return next(iter(named or words), "")


def ungated(text: str, deploy_job: str, name: str) -> str:
    """Return the workflow with a deploying job that waits for no other one: how a fault is planted."""
    import yaml  # type: ignore[import-untyped,unused-ignore]  # its stubs are a package of their own

    document = _read(text, name)
    jobs = document["jobs"] if isinstance(document.get("jobs"), dict) else document
    jobs[deploy_job] = {key: value for key, value in jobs[deploy_job].items() if key != "needs"}
    if jobs is document:
        jobs[deploy_job]["needs"] = []
    return str(yaml.safe_dump(document))


def _github(
    jobs: dict[str, Any], gate: dict[str, Any], deploy: dict[str, Any], names: tuple[str, str], words: str
) -> Iterator[str]:
    before = {name: _names(job.get("needs")) for name, job in jobs.items() if isinstance(job, dict)}
    if names[0] not in _closure(before, names[1]):
        yield f"job {names[1]} does not need job {names[0]}"
    condition = str(deploy.get("if", ""))
    heeds = re.search(rf"needs\.{re.escape(names[0])}\.result\s*==\s*'success'", condition)
    if REGARDLESS.search(condition) and not heeds:
        yield f"job {names[1]} runs if {condition[:80]}, whatever the gate said"
    if _is_on(gate.get("continue-on-error")):
        yield f"job {names[0]} counts as passed where it fails (continue-on-error)"
    steps = [step for step in gate.get("steps") or [] if isinstance(step, dict)]
    running = [step for step in steps if words and words in f"{step.get('run', '')}\n{step.get('uses', '')}"]
    for step in running:
        if _is_on(step.get("continue-on-error")):
            yield "the step of the gate counts as passed where it fails (continue-on-error)"
        if str(step.get("if", "")).strip("${} ").lower() == "false":
            yield "the step of the gate never runs (if: false)"
        bash = str(step.get("shell", "")).startswith("bash")
        yield from _swallowed(str(step.get("run", "")), words, pipes=bash)


def _gitlab(document: dict[str, Any], jobs: dict[str, Any], names: tuple[str, str], words: str) -> Iterator[str]:
    stages = [".pre", *(document.get("stages") or STAGES), ".post"]
    at = {name: stages.index(stage) for name, job in jobs.items() if (stage := job.get("stage", "test")) in stages}
    before = {
        name: _names(job["needs"])
        if job.get("needs") is not None
        else [other for other in jobs if at.get(other, 0) < at.get(name, 0)]
        for name, job in jobs.items()
    }
    gate, deploy = jobs[names[0]], jobs[names[1]]
    if names[0] not in _closure(before, names[1]):
        yield f"job {names[1]} neither needs job {names[0]} nor stands in a later stage"
    whens = [deploy.get("when"), *(rule.get("when") for rule in deploy.get("rules") or [] if isinstance(rule, dict))]
    if hit := [when for when in whens if when in ("always", "on_failure")]:
        yield f"job {names[1]} runs when {hit[0]}, whatever the gate said"
    rules = [rule for rule in gate.get("rules") or [] if isinstance(rule, dict)]
    manual = gate.get("when") == "manual" and gate.get("allow_failure") is not False
    if _is_on(gate.get("allow_failure")) or manual or any(_is_on(rule.get("allow_failure")) for rule in rules):
        yield f"job {names[0]} may fail (allow_failure)"
    yield from _swallowed(_runs(gate), words, pipes=True)


def _runs(job: Mapping[str, Any]) -> str:
    """Return all that a job runs: the steps of GitHub Actions, the script of GitLab CI, or the workflow it calls."""
    steps = [step for step in job.get("steps") or [] if isinstance(step, dict)]
    said = [step.get(name, "") for step in steps for name in ("run", "uses")]
    script = job.get("script") or []
    return "\n".join(map(str, [*said, *(script if isinstance(script, list) else [script]), job.get("uses", "")]))


def _swallowed(script: str, words: str, *, pipes: bool) -> Iterator[str]:
    """Yield how a script goes on although the gate's command has failed."""
    joined = script.replace("\\\n", " ")
    careless = False
    for line in joined.splitlines():
        careless = careless or bool(re.search(r"\bset\s+\+e", line))
        pipes = pipes or "pipefail" in line
        if not words or words not in line or line.lstrip().startswith("#"):
            continue
        rest = line[line.index(words) :]
        piped = re.search(r"(?<!\|)\|(?!\|)", rest) and not pipes
        swallowed = SWALLOWED.search(rest) and not FAILS_AFTER_ALL.search(rest)
        if careless or piped or swallowed:
            yield f"the script goes on where the gate fails: {line.strip()[:120]}"


def _closure(before: Mapping[str, list[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(before.get(start, []))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += before.get(name, [])
    return found


def _names(needs: Any) -> list[str]:
    listed = needs if isinstance(needs, list) else [] if needs is None else [needs]
    return [str(one.get("job", "")) if isinstance(one, dict) else str(one) for one in listed]


def _is_on(value: Any) -> bool:
    """Say whether a setting may let a failure pass: true, an expression, or a list of statuses."""
    return value not in (None, False, "false")


def _gitlab_jobs(document: dict[str, Any]) -> dict[str, Any]:
    jobs = {str(name): job for name, job in document.items() if isinstance(job, dict) and name not in KEYWORDS}
    return {name: _extended(job, jobs) for name, job in jobs.items()}


def _extended(job: dict[str, Any], jobs: dict[str, Any], depth: int = 10) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for parent in _names(job.get("extends")):
        if depth and isinstance(jobs.get(parent), dict):
            merged |= _extended(jobs[parent], jobs, depth - 1)
    return merged | job


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise InputError(f"{TABLE} workflow: install PyYAML to have {name} read, or offer deploy instead.") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
        """Reads GitLab's own tags, such as !reference, as nothing."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    try:
        document = yaml.load(text, Loader=Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{TABLE} workflow: {name} is not valid YAML: {str(error)[:300]}") from None
    if not isinstance(document, dict):
        raise InputError(f"{TABLE} workflow: {name} is no workflow of GitHub or GitLab; offer deploy instead.")
    return document
