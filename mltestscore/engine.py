"""Run one check: observe, judge, then plant its faults to see whether it could have failed at all."""

from __future__ import annotations

import hashlib
import inspect
import math
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from mltestscore import __version__
from mltestscore.declare import Check, Fault
from mltestscore.details import Detail, Histograms, Series, Table, Text
from mltestscore.errors import MltestscoreError, NotOffered
from mltestscore.finding import Finding
from mltestscore.result import (
    CheckResult,
    DetailRecord,
    FaultRecord,
    FaultState,
    FindingRecord,
    InputFact,
    Proof,
    State,
    storable,
)
from mltestscore.stats.seeds import generator

Progress = Callable[[str], None]


class ProofStore(Protocol):
    """Where proofs are remembered between runs (:class:`mltestscore.history.History`)."""

    def proof(self, key: str) -> tuple[str, Proof] | None:
        """Return the id of the run that made the proof, and the proof."""

    def remember(self, key: str, proof: Proof, run_id: str) -> None:
        """Keep a proof."""


@dataclass(frozen=True)
class Observed:
    """What a check yielded."""

    findings: list[Finding] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)

    def failed(self) -> set[tuple[str, str]]:
        """Return the keys of the findings that failed and count."""
        return {finding.key for finding in self.findings if finding.verdict == "failed" and not finding.advisory}


@dataclass(frozen=True)
class Proving:
    """How proofs are made: with how many rows, and where they are remembered."""

    rows: int = 20_000
    store: ProofStore | None = None
    run_id: str = ""


def run(
    check: Check,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    proving: Proving | None,
    progress: Progress = lambda _: None,
) -> tuple[CheckResult, BaseException | None]:
    """Run ``check`` on ``inputs`` and prove it; return its result and the exception of an erring check.

    ``inputs`` holds every required and every offered optional input by parameter name; ``options`` only those that
    differ from the defaults. ``proving=None`` plants nothing.
    """
    chosen = {**check.options, **options}
    result = CheckResult(
        id=check.id,
        item=check.item,
        origin="built-in" if check.id == check.item else "team",
        state="error",
        options=_plain(chosen),
        options_changed=sorted(name for name in options if options[name] != check.options[name]),
        inputs=[fact(name, value) for name, value in inputs.items() if value is not None],
        version=code_digest(check),
    )
    progress("observing")
    started = perf_counter()
    try:
        observed = observe(check, inputs, chosen)
    except NotOffered as missing:
        return result.model_copy(update={"state": "not_offered", "reason": str(missing)}), None
    except (Exception, SystemExit) as error:
        update = {"reason": _said(error), "traceback": "" if isinstance(error, MltestscoreError) else _where(error)}
        return result.model_copy(update=update), error
    result.seconds.check = perf_counter() - started
    result.state, reason = verdict(observed.findings)
    result.reason = storable(reason)
    result.findings = [record(finding) for finding in observed.findings]
    result.details = [detail_record(detail) for detail in observed.details]
    if proving is not None and check.faults:
        started = perf_counter()
        result.proof = _proven(check, inputs, chosen, observed, proving, progress)
        result.seconds.faults = perf_counter() - started
    return result, None


def observe(check: Check, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> Observed:
    """Run the check's generator and sort what it yields; refuse what is neither finding nor detail, and silence."""
    observed = Observed()
    for thing in check.function(**inputs, **options):
        if isinstance(thing, Finding):
            observed.findings.append(thing)
        elif isinstance(thing, Table | Series | Histograms | Text):
            observed.details.append(thing)
        else:
            raise TypeError(f"{check.id} yielded {thing!r:.80}; yield findings (at_most, …) or details (Table, …)")
    if not any(not finding.advisory for finding in observed.findings):
        raise ValueError(f"{check.id} yielded no finding that counts; a check that observes nothing proves nothing")
    return observed


def verdict(findings: list[Finding]) -> tuple[State, str]:
    """Return the state that findings add up to, and a sentence that names the first ones that decided it."""
    counted = [finding for finding in findings if not finding.advisory]
    for state in ("failed", "inconclusive"):
        deciding = [finding for finding in counted if finding.verdict == state]
        if deciding:
            first = "; ".join(_sentence(finding) for finding in deciding[:3])
            more = f"; and {len(deciding) - 3} more" if len(deciding) > 3 else ""
            return state, first + more
    return "passed", f"{len(counted)} finding{'s' if len(counted) > 1 else ''} within the limits"


def _proven(
    check: Check,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    observed: Observed,
    proving: Proving,
    progress: Progress,
) -> Proof:
    key = proof_key(check, inputs, options, proving.rows)
    if (found := _remembered(key, proving)) is not None:
        return found
    proof = plant_all(check, inputs, {**options, **_faster(check, options)}, observed, proving.rows, progress)
    if proving.store is not None and key and proof.state == "proven":
        # A full disk costs the next run its time, never this run its result; the scorecard tells of the history.
        with suppress(MltestscoreError):
            proving.store.remember(key, proof, proving.run_id)
    return proof


def _remembered(key: str, proving: Proving) -> Proof | None:
    if proving.store is None or not key:
        return None
    try:
        found = proving.store.proof(key)
    except MltestscoreError:
        return None
    return found[1].model_copy(update={"cached_from": found[0]}) if found else None


def plant_all(
    check: Check,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    observed: Observed,
    rows: int,
    progress: Progress,
) -> Proof:
    """Run the check on bounded copies, once unbroken (the control) and once with each fault planted."""
    copies = {name: bounded(value, rows) for name, value in inputs.items()}
    plantable = [fault for fault in check.faults if all(copies.get(name) is not None for name in fault.inputs)]
    if not plantable:
        return Proof(state="unproven")
    progress("control: the unbroken copy must not fail")
    try:
        control = observe(check, copies, options)
    except (Exception, SystemExit) as error:
        return Proof(state="vacuous", control=f"the check erred on an unbroken copy of {rows} rows: {_said(error)}")
    unexpected = control.failed() - observed.failed()
    if unexpected:
        return Proof(state="vacuous", control=f"the unbroken copy fails already: {_names(unexpected)}")
    faults = []
    for number, fault in enumerate(plantable, start=1):
        progress(f"planting fault {number} of {len(plantable)}: {fault.name}")
        faults.append(plant(check, fault, copies, options, control))
    caught = all(fault.state == "caught" for fault in faults)
    return Proof(state="proven" if caught else "vacuous", faults=faults)


def plant(
    check: Check, fault: Fault, copies: Mapping[str, Any], options: Mapping[str, Any], control: Observed
) -> FaultRecord:
    """Plant one fault and say which finding caught it, if any."""
    started = perf_counter()
    try:
        given: dict[str, Any] = {name: copies[name] for name in fault.inputs}
        if "rng" in inspect.signature(fault.function).parameters:
            given["rng"] = generator(check.id, fault.name, *(digest_of(copies[name]) for name in fault.inputs))
        broken = fault.function(**given)
        unknown = set(broken) - set(copies)
        if unknown:
            raise TypeError(f"the fault returned {sorted(unknown)}, which are no inputs of {check.id}")
        observed = observe(check, {**copies, **broken}, options)
    except (Exception, SystemExit) as error:
        return FaultRecord(name=fault.name, state="error", by=_said(error), seconds=perf_counter() - started)
    new = observed.failed() - control.failed()
    hits = {key for key in new if not fault.caught_by or key[0] == fault.caught_by}
    state: FaultState = "caught" if hits else "missed"
    by = _names(hits) if hits else (f"only {_names(new)} failed, not {fault.caught_by}" if new else "")
    return FaultRecord(name=fault.name, state=state, by=by, seconds=perf_counter() - started)


def bounded(value: Any, rows: int) -> Any:
    """Return a copy of at most ``rows`` rows of what has rows; other inputs are immutable and stand as they are."""
    sample = getattr(value, "sample", None)
    return sample(rows) if callable(sample) else value


def fact(name: str, value: Any) -> InputFact:
    """Say which input was used."""
    rows, columns = getattr(value, "rows", None), getattr(value, "columns", None)
    return InputFact(
        name=name,
        source=str(getattr(value, "source", ""))[:300],
        digest=digest_of(value),
        rows=rows if isinstance(rows, int) else None,
        columns=len(columns) if isinstance(columns, tuple) else None,
        note=str(getattr(value, "version", ""))[:100],
    )


def digest_of(value: Any) -> str:
    """Return an input's own digest, or an empty string where it has none."""
    digest = getattr(value, "digest", "")
    return digest if isinstance(digest, str) else ""


def code_digest(check: Check) -> str:
    """Return a digest of the file that declares the check, and of our version."""
    file = inspect.getsourcefile(check.function)
    text = Path(file).read_bytes() if file and Path(file).is_file() else check.id.encode()
    return hashlib.sha256(text + __version__.encode()).hexdigest()[:16]


def proof_key(check: Check, inputs: Mapping[str, Any], options: Mapping[str, Any], rows: int) -> str:
    """Return what a proof holds for: code, options and inputs; empty when an input's content is not known."""
    digests = {name: digest_of(value) for name, value in inputs.items() if value is not None}
    if not all(digests.values()):
        return ""
    parts = [
        check.id,
        code_digest(check),
        repr(sorted(_plain(options).items())),
        repr(sorted(digests.items())),
        str(rows),
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def record(finding: Finding) -> FindingRecord:
    """Return a finding as JSON, with open interval ends as ``None``."""
    data = {name: value for name, value in asdict(finding).items() if name != "interval"}
    data = {name: _finite(value) if isinstance(value, float) else value for name, value in data.items()}
    if finding.interval is not None:
        interval = finding.interval
        data |= {"n": interval.n, "confidence": interval.confidence, "method": interval.method}
        data |= {"value": _finite(interval.value), "low": _finite(interval.low), "high": _finite(interval.high)}
    return FindingRecord(**data)


def detail_record(detail: Detail) -> DetailRecord:
    """Return a detail as JSON."""
    data = _plain({name: value for name, value in asdict(detail).items() if name != "title"})
    return DetailRecord(kind=detail.kind, title=detail.title, data=data)  # type: ignore[arg-type]


def _faster(check: Check, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proof's own option values, for options that the team left at their defaults."""
    return {name: value for name, value in check.proof_options.items() if options[name] == check.options[name]}


def _sentence(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.name}{where}: {describe(finding)}"


def describe(finding: Finding) -> str:
    """Return value, limit and cause in words, for messages."""
    if finding.interval is None:
        return finding.note or "could not be measured"
    if finding.ceiling is not None and finding.floor is not None:
        limit = f"between {number(finding.floor, finding.unit)} and {number(finding.ceiling, finding.unit)}"
    elif finding.ceiling is not None:
        limit = f"at most {number(finding.ceiling, finding.unit)}"
    else:
        limit = f"at least {number(finding.floor or 0.0, finding.unit)}"
    value = f"{number(finding.interval.value, finding.unit)}, expected {limit} (n = {finding.interval.n:,})"
    settle = f", n = {finding.n_to_settle:,} would settle it" if finding.n_to_settle else ""
    return value + settle + (f": {finding.cause}" if finding.cause else "")


def number(value: float, unit: str) -> str:
    """Return a number with its unit as a reader expects it; a share as per cent.

    >>> number(0.049, "share"), number(1234.5, "ms"), number(3, "")
    ('4.9 %', '1234 ms', '3')
    """
    if unit == "share":
        return f"{100 * value:.3g} %"
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".strip()


def _names(keys: set[tuple[str, str]]) -> str:
    shown = [f"{name}, {where}" if where else name for name, where in sorted(keys)[:3]]
    return "; ".join(shown) + (f"; and {len(keys) - 3} more" if len(keys) > 3 else "")


def _said(error: BaseException) -> str:
    text = str(storable(str(error).strip() or type(error).__name__))
    return text[:2000] if isinstance(error, MltestscoreError) else f"{type(error).__name__}: {text[:1000]}"


def _where(error: BaseException) -> str:
    return str(storable("".join(traceback.format_exception(error, limit=-6))))[-4000:]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON types, so that it can cross processes and be written."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) or hasattr(value, "__float__"):
        return _finite(float(value))
    return str(value)
