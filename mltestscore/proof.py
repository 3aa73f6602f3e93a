"""The proof of a check: plant its faults on bounded copies of its inputs and see whether it notices."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from mltestscore import __version__
from mltestscore.declare import Check, Fault
from mltestscore.errors import MltestscoreError, NotOffered
from mltestscore.observation import Observed, observe
from mltestscore.records import digest_of, plain, said
from mltestscore.result import FaultRecord, FaultState, Proof
from mltestscore.stats.seeds import generator

Progress = Callable[[str], None]


MORE = 10  # times the rows of a copy on which a fault was missed: one event in a thousand is then 200 of 200,000 rows

SOON = 10.0  # seconds: what took longer is not done again, on more rows and without the short cuts of a proof


class ProofStore(Protocol):
    """Where proofs are remembered between runs (:class:`mltestscore.history.History`)."""

    def proof(self, key: str) -> tuple[str, Proof] | None:
        """Return the id of the run that made the proof, and the proof."""

    def remember(self, key: str, proof: Proof, run_id: str) -> None:
        """Keep a proof."""


@dataclass(frozen=True)
class Proving:
    """How proofs are made: with how many rows, and where they are remembered."""

    rows: int = 20_000
    store: ProofStore | None = None
    run_id: str = ""


def prove(
    check: Check,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    observed: Observed,
    proving: Proving,
    progress: Progress,
) -> Proof:
    """Return the proof on record for the same code, options and inputs, else plant the faults now."""
    key = proof_key(check, inputs, options, proving.rows)
    if (found := _remembered(key, proving)) is not None:
        return found
    faster = {**options, **_faster(check, options)}
    proof = plant_all(check, inputs, faster, observed, proving.rows, progress)
    if _missed_soon(proof) and _has_more(inputs, proving.rows):
        progress(f"a fault was missed on copies of {proving.rows:,} rows: again with {MORE} times as many")
        proof = plant_all(check, inputs, options, observed, MORE * proving.rows, progress)
    if proving.store is not None and key and proof.state == "proven":
        # A full disk costs the next run its time, never this run its result; the scorecard tells of the history.
        with suppress(MltestscoreError):
            proving.store.remember(key, proof, proving.run_id)
    return proof


def _missed_soon(proof: Proof) -> bool:
    missed = any(fault.state == "missed" for fault in proof.faults)
    return missed and sum(fault.seconds for fault in proof.faults) <= SOON


def _has_more(inputs: Mapping[str, Any], rows: int) -> bool:
    """Say whether a copy leaves rows out: of rare events, so few rows hold too little to show anything."""
    sized = (getattr(value, "rows", 0) for value in inputs.values() if callable(getattr(value, "sample", None)))
    return any(isinstance(many, int) and many > rows for many in sized)


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
    copies = copies_of(inputs, rows)
    plantable = [fault for fault in check.faults if all(copies.get(name) is not None for name in fault.inputs)]
    if not plantable:
        return Proof(state="unproven")
    progress("control: the unbroken copy must not fail")
    try:
        control = observe(check, copies, options)
    except (Exception, SystemExit) as error:
        return Proof(state="vacuous", control=f"the check erred on an unbroken copy of {rows} rows: {said(error)}")
    unexpected = control.failed() - observed.failed()
    if unexpected:
        return Proof(state="vacuous", control=f"the unbroken copy fails already: {_names(unexpected)}")
    faults = []
    for number, fault in enumerate(plantable, start=1):
        progress(f"planting fault {number} of {len(plantable)}: {fault.name}")
        # A fault that needs more than this system offers (our own server process, say) cannot be planted.
        with suppress(NotOffered):
            faults.append(plant(check, fault, copies, options, control))
    if not faults:
        return Proof(state="unproven")
    caught = all(fault.state == "caught" for fault in faults)
    return Proof(state="proven" if caught else "vacuous", faults=faults)


def plant(
    check: Check, fault: Fault, copies: Mapping[str, Any], options: Mapping[str, Any], control: Observed
) -> FaultRecord:
    """Plant one fault and say which finding caught it, if any.

    Raises :class:`NotOffered` when the fault needs what this system does not offer.
    """
    started = perf_counter()
    try:
        broken = _broken(check, fault, copies)
    except NotOffered:
        raise
    except (Exception, SystemExit) as error:
        return FaultRecord(name=fault.name, state="error", by=said(error), seconds=perf_counter() - started)
    try:
        # The first finding that catches it settles the matter: what the check would measure after it is not measured.
        observed = observe(check, {**copies, **broken}, options, lambda so_far: _hits(fault, so_far, control))
    except (Exception, SystemExit) as error:
        return FaultRecord(name=fault.name, state="error", by=said(error), seconds=perf_counter() - started)
    new, hits = _new(observed, control), _hits(fault, observed, control)
    state: FaultState = "caught" if hits else "missed"
    by = _names(hits) if hits else (f"only {_names(new)} failed, not {fault.caught_by}" if new else "")
    return FaultRecord(name=fault.name, state=state, by=by, seconds=perf_counter() - started)


def _new(observed: Observed, control: Observed) -> set[tuple[str, str]]:
    return (observed.failed() - control.failed()) | observed.worse_than(control)


def _hits(fault: Fault, observed: Observed, control: Observed) -> set[tuple[str, str]]:
    return {key for key in _new(observed, control) if not fault.caught_by or key[0] == fault.caught_by}


def _broken(check: Check, fault: Fault, copies: Mapping[str, Any]) -> Mapping[str, Any]:
    given: dict[str, Any] = {name: copies[name] for name in fault.inputs}
    if "rng" in inspect.signature(fault.function).parameters:
        given["rng"] = generator(check.id, fault.name, *(digest_of(copies[name]) for name in fault.inputs))
    broken = fault.function(**given)
    if unknown := set(broken) - set(copies):
        raise TypeError(f"the fault returned {sorted(unknown)}, which are no inputs of {check.id}")
    return broken


def copies_of(inputs: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return copies of at most ``rows`` rows of what has rows; other inputs are immutable and stand as they are.

    A ranking is judged query by query: whole queries are copied, and late labels all, since none may miss its row.
    """
    whole = getattr(inputs.get("model"), "task", "") == "ranking"
    return {name: _bounded(value, rows, whole) for name, value in inputs.items()}


def _bounded(value: Any, rows: int, whole: bool) -> Any:
    if not callable(sample := getattr(value, "sample", None)):
        return value
    if not whole or not hasattr(value, "roles"):
        return sample(rows)
    return sample(rows, together=True) if value.roles.cluster else value


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
        repr(sorted(plain(options).items())),
        repr(sorted(digests.items())),
        str(rows),
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _faster(check: Check, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proof's own option values, for options that the team left at their defaults."""
    return {name: value for name, value in check.proof_options.items() if options[name] == check.options[name]}


def _names(keys: set[tuple[str, str]]) -> str:
    shown = [f"{name}, {where}" if where else name for name, where in sorted(keys)[:3]]
    return "; ".join(shown) + (f"; and {len(keys) - 3} more" if len(keys) > 3 else "")
