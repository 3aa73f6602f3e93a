"""A team's existing tests as evidence: ``@pytest.mark.mltestscore("data.7", fault=broken_clock)``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from inspect import signature
from time import perf_counter
from typing import Any

import pytest

from mltestscore.collect import PROPERTY, CheckItem
from mltestscore.result import CheckResult, FaultRecord, Proof, Seconds, State
from mltestscore.rubric import rubric

FaultContext = Callable[[], AbstractContextManager[Any]]


def marks_of(item: pytest.Item) -> list[pytest.Mark]:
    """Return the markers that make an ordinary test evidence; our own items carry the marker too and do not count."""
    return [] if isinstance(item, CheckItem) else list(item.iter_markers("mltestscore"))


def refuse_bad_marks(items: list[pytest.Item]) -> None:
    """Raise :class:`pytest.UsageError` for a marker that names no rubric item, or whose fault cannot be planted."""
    for item in items:
        for mark in marks_of(item):
            unknown = set(mark.kwargs) - {"fault"}
            if len(mark.args) != 1 or unknown:
                raise pytest.UsageError(f"{item.nodeid}: write @pytest.mark.mltestscore('<item>', fault=…), not {mark}")
            if not callable(mark.kwargs.get("fault", list)):
                raise pytest.UsageError(f"{item.nodeid}: fault must be a function that returns a context manager")
            rubric().item(str(mark.args[0]))


def prove(item: pytest.Function, fault: FaultContext) -> FaultRecord:
    """Run the test again under the fault; it must fail."""
    started = perf_counter()
    name = str(getattr(fault, "__doc__", None) or getattr(fault, "__name__", "fault")).strip().splitlines()[0]
    wanted = signature(item.obj).parameters
    arguments = {argument: value for argument, value in item.funcargs.items() if argument in wanted}
    try:
        broken = fault()
        broken.__enter__()
    except Exception as error:
        return FaultRecord(name=name, state="error", by=f"{type(error).__name__}: {error}"[:500])
    try:
        item.obj(**arguments)
    except (Exception, pytest.fail.Exception) as error:
        by = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:300]
        return FaultRecord(name=name, state="caught", by=by, seconds=perf_counter() - started)
    finally:
        broken.__exit__(None, None, None)
    return FaultRecord(name=name, state="missed", seconds=perf_counter() - started)


def attach(item: pytest.Item, report: pytest.TestReport, faults: dict[str, FaultRecord]) -> None:
    """Leave the result of a marked test on its report, once: at the call, or where it ended before."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    for mark in marks_of(item):
        name = str(mark.args[0])
        record = faults.get(name)
        result = CheckResult(
            id=f"{name}/{item.nodeid}"[:300],
            item=name,
            node=item.nodeid,
            origin="marked test",
            state=_state(report),
            reason=_reason(report),
            proof=Proof(
                state="unproven" if record is None else "proven" if record.state == "caught" else "vacuous",
                faults=[] if record is None else [record],
            ),
            seconds=Seconds(check=report.duration),
        )
        report.user_properties.append((PROPERTY, result.model_dump(mode="json")))


def _state(report: pytest.TestReport) -> State:
    if report.passed:
        return "passed"
    if report.skipped:
        return "not_offered"
    return "failed" if report.when == "call" else "error"


def _reason(report: pytest.TestReport) -> str:
    if report.passed:
        return "the test passed"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])[:500]
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", None) or report.longreprtext.strip().splitlines()[-1])[:500]
