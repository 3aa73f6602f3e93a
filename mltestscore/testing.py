"""Run one built-in check on plain values, without pytest, files or configuration: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltestscore import telemetry
from mltestscore.catalogue import our_check
from mltestscore.declare import Check, CheckFunction, declared_check
from mltestscore.engine import run
from mltestscore.errors import MltestscoreError, near
from mltestscore.proof import Proving
from mltestscore.result import CheckResult


def run_check(
    check: str | CheckFunction,
    *,
    options: Mapping[str, Any] | None = None,
    prove: bool = True,
    proof_rows: int = 20_000,
    **inputs: Any,
) -> CheckResult:
    """Run a check by id (``"data.1"``) or by its function, with inputs as keyword arguments.

    Returns the :class:`mltestscore.result.CheckResult` that a pytest run would have recorded; a missing required input
    makes it ``not_offered``, an exception ``error`` with the message in ``reason``.

    Raises :class:`MltestscoreError` for an input or option that the check does not have.

    >>> from mltestscore import at_most, check
    >>> @check("data.1")
    ... def check_length(rows, *, most=3):
    ...     yield at_most("rows", len(rows), most)
    >>> run_check(check_length, rows=[1, 2]).state, run_check(check_length).state
    ('passed', 'not_offered')
    """
    telemetry.off()
    declared = our_check(check) if isinstance(check, str) else declared_check(check)
    if declared is None:
        raise MltestscoreError(f"{check!r} is not a check; decorate it with @check(…)")
    _refuse_unknown(declared, inputs, options or {})
    missing = [name for name in declared.inputs if inputs.get(name) is None]
    if missing:
        return CheckResult(
            id=declared.id, item=declared.item, state="not_offered", reason=f"{missing[0]} is not offered"
        )
    given = {name: inputs.get(name) for name in (*declared.inputs, *declared.optional)}
    return run(declared, given, options or {}, proving=Proving(rows=proof_rows) if prove else None)[0]


def _refuse_unknown(declared: Check, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for name in inputs:
        known = (*declared.inputs, *declared.optional)
        if name not in known:
            raise MltestscoreError(f"{declared.id} has no input {name!r}.{near(name, known)}")
    for name in options:
        if name not in declared.options:
            raise MltestscoreError(f"{declared.id} has no option {name!r}.{near(name, declared.options)}")
