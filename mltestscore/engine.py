"""Run one check: observe, judge, then plant its faults to see whether it could have failed at all."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from mltestscore.declare import Check
from mltestscore.errors import MltestscoreError, NotOffered
from mltestscore.garbage import at_rest
from mltestscore.observation import observe
from mltestscore.proof import Progress, Proving, code_digest, prove
from mltestscore.records import detail_record, fact, plain, record, said, where
from mltestscore.result import CheckResult
from mltestscore.words import states


@at_rest()
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
        origin=check.origin,
        state="error",
        options=plain(chosen),
        options_changed=sorted(name for name in options if options[name] != check.options[name]),
        inputs=[fact(name, value) for name, value in inputs.items() if value is not None],
        version=code_digest(check),
    )
    progress("observing")
    started = perf_counter()
    try:
        observed = observe(check, inputs, chosen)
    except NotOffered as missing:
        return result.model_copy(update={"state": "not_offered", "reason": said(missing)}), None
    except (Exception, SystemExit) as error:
        update = {"reason": said(error), "traceback": "" if isinstance(error, MltestscoreError) else where(error)}
        return result.model_copy(update=update), error
    result.seconds.check = perf_counter() - started
    result.state = observed.verdict
    result.findings = [record(finding) for finding in observed.findings]
    result.reason = states.reason(result)
    result.details = [detail_record(detail) for detail in observed.details]
    if proving is not None and check.faults:
        started = perf_counter()
        result.proof = prove(check, inputs, chosen, observed, proving, progress)
        result.seconds.faults = perf_counter() - started
    return result, None
