"""Scorecards to render: made of the package's own records and scored by its own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mltestscore import Interval, at_least, at_most
from mltestscore.advice import next_steps
from mltestscore.evidence import Statements
from mltestscore.result import CheckResult
from mltestscore.rubric import rubric
from mltestscore.score import assemble, score
from mltestscore.scorecard import Change, GateResult, Run, Scorecard, TrendPoint

from .delays import RUN, checks, statements
from .records import MODEL, RECOMPUTED, SERVING, TRAINING, check, histograms, log, series, share, table


def flights(**changes: Any) -> Scorecard:
    """Return the scorecard of a system much like the example, with every state in it."""
    return card(
        checks(),
        statements(),
        **{
            "changes": [
                Change(item="monitor.3", kind="broken", text="temp: rows that differ went from 0.0 % to 4.9 %"),
                Change(item="monitor.6", kind="worse", text="p95 latency went from 31 to 35 ms"),
                Change(item="data.1", kind="fixed", text="wind_dir has a rule again"),
            ],
            "trend": [
                TrendPoint(run=f"r{day}", started=f"2026-11-{day}T14:00:00+00:00", value=value)
                for day, value in zip(range(15, 20), (0.5, 1.0, 1.0, 1.5, 2.0), strict=True)
            ],
            "gate": GateResult(
                name="release",
                met=False,
                reasons=["monitor.3 is required and failing", "the score is below the minimum of 3.0"],
            ),
            "inputs": [TRAINING, SERVING, RECOMPUTED, MODEL],
            "not_run": ["model.3 was left out with -k", "the registry has one version: nothing to roll back to"],
            "warnings": ["The machine was busy (load 3.1 on 2 CPUs); latencies are wider than they need be."],
            **changes,
        },
    )


def perfect() -> Scorecard:
    """Return a scorecard on which all 28 items passed, with a gate that is met."""
    passed = [check(item.id, [at_most("what may not be", 0, 0, n=1_000)]) for item in rubric().items]
    return card(passed, gate=GateResult(name="release", met=True))


def bare() -> Scorecard:
    """Return the scorecard of a run that was offered nothing: no check, no history, no gate, few facts."""
    return card([], run=Run(id="r1", started="2026-11-22T14:03:11+00:00"))


def huge(features: int = 60) -> Scorecard:
    """Return a scorecard with the findings and details of a wide system on each of the 28 items."""
    names = [f"feature_{index}_of_the_airport" for index in range(features)]
    results = []
    for number, item in enumerate(rubric().items):
        hold = at_most if number % 2 else at_least
        findings = [share("rows that differ", 40 + i * 7, 6_512, 0.08, where=name) for i, name in enumerate(names)]
        findings += [
            hold("mean error", Interval(i, i - 0.5, i + 0.5, 50, 0.95, "t"), 30, where=name)
            for i, name in enumerate(names)
        ]
        details = [table(50, 12), series(400), histograms(60), log(3_900)]
        results.append(check(item.id, findings, faults=8, details=details))
    return card(results)


def card(results: Sequence[CheckResult], vouched: Statements | None = None, **changes: Any) -> Scorecard:
    """Return the scorecard of these checks, scored as a run in CI would be."""
    items = assemble(results, vouched or Statements([], [], []), in_ci=True)
    fields: dict[str, Any] = {
        "mltestscore": "0.1.0",
        "system": "flight-delay",
        "run": RUN.model_copy(deep=True),
        "score": score(items, in_ci=True),
        "next_steps": next_steps(items, in_ci=True),
        "items": items,
    }
    return Scorecard(**{**fields, **changes})
