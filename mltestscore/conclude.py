"""From the results of a run to the scorecard and its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from mltestscore import __version__
from mltestscore.config import Config
from mltestscore.errors import ConfigError, InputError, MltestscoreError, near
from mltestscore.evidence import Statements, read_statements
from mltestscore.gate import fail_under, judge
from mltestscore.history import History
from mltestscore.result import CheckResult, InputFact
from mltestscore.rubric import rubric
from mltestscore.score import assemble, changes, next_steps, score
from mltestscore.scorecard import GateResult, Run, Scorecard

DRILLDOWN = re.compile(r"drilldown-[0-9a-f]{16}\.html")
MOST_LINES = 12
FILES = {"json": "scorecard.json", "html": "scorecard.html", "markdown": "scorecard.md", "badge": "badge.svg"}


@dataclass
class Conclusion:
    """What a run came to, before it is a scorecard."""

    system: str
    run: Run
    results: list[CheckResult]
    not_run: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def make_scorecard(end: Conclusion, config: Config, history: History | None) -> Scorecard:
    """Judge the evidence of a run by the rubric's rules and set it beside the runs on record."""
    statements = statements_of(config)
    unplaced = [f"{lost.source}: {lost.what} rejected: {lost.reason}" for lost in statements.unplaced]
    previous = history.previous(end.system) if history else None
    since = datetime.fromisoformat(end.run.started) - timedelta(days=config.repeated_within_days)
    results = [_with_history(result, previous, history, since, end.system) for result in end.results]
    in_ci, repeated = end.run.by == "CI", config.repeated_runs
    items = assemble(results, statements, in_ci=in_ci, repeated_runs=repeated)
    return Scorecard(
        mltestscore=__version__,
        system=end.system,
        run=end.run,
        score=score(items, in_ci=in_ci, repeated_runs=repeated),
        next_steps=next_steps(items, in_ci=in_ci, repeated_runs=repeated),
        # A run that was cut short did not see less of the system get worse.
        changes=[] if end.run.incomplete else changes(items, previous),
        trend=history.trend(end.system) if history else [],
        items=items,
        inputs=inputs_of(results),
        not_run=end.not_run,
        warnings=[*end.warnings, *unplaced],
    )


def make_scorecard_anyway(end: Conclusion, config: Config, history: History | None) -> Scorecard:
    """Make the scorecard without the runs on record where they cannot be read: that must not cost this run."""
    try:
        return make_scorecard(end, config, history)
    except MltestscoreError as error:
        if history is None:
            raise
        end.warnings.append(f"The runs on record could not be read, so trend and repetition are missing: {error}")
        return make_scorecard(end, config, None)


def statements_of(config: Config) -> Statements:
    """Read attestations and waivers as configured; both are optional."""
    attestations = config.path(config.attestations) if config.attestations else None
    waivers = config.path(config.waivers) if config.waivers else None
    return read_statements(attestations, waivers, datetime.now(UTC).date())


def decide(scorecard: Scorecard, config: Config, gate: str | None, minimum: float | None) -> GateResult | None:
    """Hold a scorecard to a configured gate, to a lowest score, or to both.

    Raises :class:`ConfigError` when the gate is not configured.
    """
    decisions = []
    if gate is not None:
        refuse_unknown_gate(config, gate)
        decisions.append(judge(scorecard, gate, config.gates[gate]))
    if minimum is not None:
        decisions.append(fail_under(scorecard, minimum))
    if not decisions:
        return None
    return GateResult(
        name=" and ".join(decision.name for decision in decisions),
        met=all(decision.met for decision in decisions),
        reasons=[reason for decision in decisions for reason in decision.reasons],
    )


def refuse_unknown_gate(config: Config, gate: str | None) -> None:
    """Raise :class:`ConfigError` before the run, not after it, for a gate, or an item that it requires, of no name."""
    if gate is None:
        return
    if gate not in config.gates:
        raise ConfigError(f"{config.file}: there is no [tool.mltestscore.gates.{gate}].{near(gate, config.gates)}")
    known = rubric().ids
    for id in config.gates[gate].require:
        if id not in known:
            key = f"{config.file}: tool.mltestscore.gates.{gate}.require"
            raise ConfigError(f"{key} names {id!r:.80}, which is no item of the rubric.{near(id, known)}")


def write(scorecard: Scorecard, folder: Path) -> Path:
    """Write every report of a scorecard; return the path of the HTML.

    Raises :class:`InputError` when the folder cannot be written.
    """
    texts = {name: import_module(f"mltestscore.reports.{name}.render").render(scorecard) for name in FILES}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _write_whole(folder / FILES[name], text, scorecard.run.id)
        _remove_others(scorecard, folder)
    except OSError as error:
        raise InputError(
            f"The scorecard cannot be written to {folder}: {error.strerror or error}. Free space, change its rights, "
            "or name another folder with --mltestscore-output."
        ) from None
    return folder / FILES["html"]


def _remove_others(scorecard: Scorecard, folder: Path) -> None:
    """Remove pages of earlier runs that this scorecard does not lead to: nobody should take them for its own."""
    ours = {look.file for item in scorecard.items for check in item.checks for look in check.drilldowns}
    for file in folder.glob("drilldown-*.html"):
        if file.name not in ours and DRILLDOWN.fullmatch(file.name):
            file.unlink(missing_ok=True)


def _write_whole(file: Path, text: str, run_id: str) -> None:
    """Write a file so that a reader, or a second run, never sees half of it."""
    partial = file.with_name(f".{file.name}.{run_id}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError:
        with suppress(OSError):  # the first error is the one to tell
            partial.unlink(missing_ok=True)
        raise


def summary(scorecard: Scorecard, html: Path | None) -> list[str]:
    """Return the lines for the terminal, with the warnings of the run where there is room; the page stays the last."""
    lines: list[str] = import_module("mltestscore.reports.terminal.render").render(scorecard, html)
    end = len(lines) - 1 if html else len(lines)
    return [*lines[:end], *(f"  ⚠ {text}" for text in scorecard.warnings[: MOST_LINES - len(lines)]), *lines[end:]]


def inputs_of(results: Iterable[CheckResult]) -> list[InputFact]:
    """Return every input that a check used, once."""
    facts = {fact.name: fact for result in results for fact in result.inputs}
    return [facts[name] for name in sorted(facts)]


def record(scorecard: Scorecard, history: History | None) -> str:
    """Put a complete run on record; return a warning when that fails, because the scorecard stands without it."""
    if history is None or scorecard.run.incomplete:
        return ""
    try:
        history.append(scorecard)
    except MltestscoreError as error:
        return f"This run is not on record: {error}"
    return ""


def _with_history(
    result: CheckResult, previous: Scorecard | None, history: History | None, since: datetime, system: str
) -> CheckResult:
    """Add what earlier runs say of a check: how often it ran, and the values it found last time."""
    if history is None:
        return result
    before = {
        (finding.name, finding.where): finding.value
        for check in _checks(previous)
        if check.id == result.id
        for finding in check.findings
    }
    findings = [
        finding.model_copy(update={"previous": before.get((finding.name, finding.where))})
        for finding in result.findings
    ]
    runs = history.runs_of(result.id, since, system=system)
    return result.model_copy(update={"findings": findings, "runs_before": runs})


def _checks(scorecard: Scorecard | None) -> Sequence[CheckResult]:
    return [check for item in scorecard.items for check in item.checks] if scorecard else []
