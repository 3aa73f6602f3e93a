"""The hooks of a run with ``--mltestscore``: plan, journal, scorecard, summary, exit status."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from mltestscore import collect, conclude, marked, telemetry
from mltestscore.config import EXAMPLE, Config, find_config, read_config
from mltestscore.declare import Check
from mltestscore.errors import MltestscoreError
from mltestscore.facts import run_facts
from mltestscore.history import History
from mltestscore.journal import Journal
from mltestscore.options import refuse_unknown_checks
from mltestscore.progress import Progress
from mltestscore.proof import Proving
from mltestscore.result import CheckResult
from mltestscore.scorecard import Phases, Run, Scorecard
from mltestscore.stash import CONFIG, RUNNING, Running

WORKER_KEY = "mltestscore_run"
OUTPUT_KEY = "mltestscore_output"
_STATUS = {
    "inconclusive": ("inconclusive", "i", "INCONCLUSIVE"),
    "not_offered": ("not offered", "o", "NOT OFFERED"),
    "vacuous": ("vacuous", "v", "VACUOUS"),
}


def register(config: pytest.Config) -> None:
    """Read the configuration and register what a run needs; problems end the run at once, as usage errors."""
    # Idle OpenMP threads of a model shall sleep, not spin: on a shared CI machine spinning costs tenfold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    telemetry.off()
    pytest.register_assert_rewrite("mltestscore.checks")
    try:
        settings = _settings(config)
        for folder in settings.checks_in:
            pytest.register_assert_rewrite(f"mltestscore_team_{Path(folder).name}")
        planned = collect.planned_checks(settings)
        refuse_unknown_checks(settings, planned)
        history = History(settings.history_url())
        config.stash[CONFIG] = settings
        worker = getattr(config, "workerinput", None)
        run_id = worker[WORKER_KEY] if worker else ""
        controller = None if worker or config.option.collectonly else Controller(config, settings, planned, history)
    except MltestscoreError as error:
        raise pytest.UsageError(str(error)) from None
    output = Path(worker[OUTPUT_KEY]) if worker else controller.output if controller else None
    asked = settings.drilldown or config.getoption("mltestscore_drilldown")
    store = history if settings.proof_cache else None
    proving = Proving(settings.proof_rows, store, run_id or (controller.run.id if controller else ""))
    config.stash[RUNNING] = Running(
        proving=None if config.getoption("mltestscore_no_proof") else proving,
        progress=controller.progress if controller else lambda _: None,
        drilldowns=output if asked else None,
    )
    from mltestscore.inputs import fixtures

    config.pluginmanager.register(fixtures, "mltestscore-fixtures")
    config.pluginmanager.register(Items(history), "mltestscore-items")
    if controller is not None:
        config.pluginmanager.register(controller, "mltestscore-controller")


def _settings(config: pytest.Config) -> Config:
    named = config.getoption("mltestscore_config")
    start = Path(config.invocation_params.dir)
    file = start / named if named else find_config(start)
    if file is None:
        raise pytest.UsageError(EXAMPLE.format(folder=start))
    return read_config(file)


class Items:
    """The hooks around items; they run in the process that runs the test, worker or not."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._faults: dict[str, dict[str, Any]] = {}
        self._home: pytest.Directory | None = None

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Remember the node of the configuration's folder: a conftest's fixtures belong to it (pytest 9.1)."""
        if (
            isinstance(collector, pytest.Directory)
            and collector.path == collector.config.stash[CONFIG].folder.resolve()
        ):
            self._home = collector

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the check items, before ``-k`` and ``-m`` choose; refuse markers that name no item."""
        try:
            marked.refuse_bad_marks(items)
        except MltestscoreError as error:
            raise pytest.UsageError(str(error)) from None
        folder = session.config.stash[CONFIG].folder.resolve()
        items.extend(session.genitems(collect.Project.from_parent(self._home or session, path=folder)))

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Run a marked test again under its fault, once it has passed."""
        outcome = yield
        for mark in marked.marks_of(pyfuncitem):
            if "fault" in mark.kwargs:
                record = marked.prove(pyfuncitem, mark.kwargs["fault"])
                self._faults.setdefault(pyfuncitem.nodeid, {})[str(mark.args[0])] = record
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Leave the result of a marked test on its report."""
        report = yield
        if marked.marks_of(item):
            marked.attach(item, report, self._faults.get(item.nodeid, {}))
        return report

    def pytest_unconfigure(self) -> None:
        """Close the history."""
        self._history.close()


class Controller:
    """Collects results in the main process and makes the scorecard of them."""

    def __init__(self, config: pytest.Config, settings: Config, planned: dict[str, Check], history: History) -> None:
        self._config = config
        self._settings = settings
        self._history = history
        self._planned = planned
        self._missing = dict(planned)
        self._results: dict[str, CheckResult] = {}
        self._deselected: set[str] = set()
        self._started = self._collected = perf_counter()
        self._lines: list[str] = []
        self.progress = Progress(self._write)
        self.run: Run = run_facts(settings.folder)
        output = config.getoption("mltestscore_output")
        self.output = config.invocation_params.dir / output if output else settings.path(settings.output)
        conclude.refuse_unknown_gate(settings, config.getoption("mltestscore_gate"))
        conclude.statements_of(settings)  # read again at the end; a file that is wrong must not cost a run
        self._journal = Journal(self.output, settings.name, str(settings.file), self.run)

    def _write(self, phase: str) -> None:
        """Write a phase of a slow check past pytest's capturing of what the check prints."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if reporter is None or reporter.verbosity < 0:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.ensure_newline()
            reporter.write_line(f"  {phase} …")
            reporter.flush()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker the id of the run, and where its files go."""
        node.workerinput[WORKER_KEY] = self.run.id
        node.workerinput[OUTPUT_KEY] = str(self.output)

    def pytest_collection_finish(self) -> None:
        """Note when collection ended."""
        self._collected = perf_counter()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what ``-k`` or ``-m`` left out."""
        self._deselected |= {item.nodeid for item in items}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take results off reports, so that they reach the journal and not the JUnit file."""
        ours = [value for name, value in report.user_properties if name == collect.PROPERTY]
        report.user_properties = [entry for entry in report.user_properties if entry[0] != collect.PROPERTY]
        for value in ours:
            self._take(CheckResult.model_validate(value))
        if report.nodeid in self._missing and report.when != "teardown" and not report.passed:
            self._take(self._lost(report))

    def _take(self, result: CheckResult) -> None:
        key = f"{result.node}#{result.item}"
        if key not in self._results:
            self._results[key] = result
            self._journal.append(result)
        self._missing.pop(result.node, None)

    def _lost(self, report: pytest.TestReport) -> CheckResult:
        """Return the result of a check that left none: its worker died, or a hook ended it."""
        check = self._planned[report.nodeid]
        reason = str(report.longreprtext or "it ended without a result").strip()[:500]
        return CheckResult(id=check.id, item=check.item, node=report.nodeid, state="error", reason=reason)

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Name the states that pytest has no word for."""
        if getattr(report, "when", "") != "call" or not report.skipped or not isinstance(report.longrepr, tuple):
            return None
        if report.nodeid not in self._planned:
            return None
        reason = _skip_reason(report)
        return next((status for state, status in _STATUS.items() if reason.startswith(state.replace("_", " "))), None)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Make the scorecard, also of a run that was cut short, and let a gate decide the exit status."""
        self.progress("")
        scorecard = self._conclude(cut=bool(session.shouldstop or session.shouldfail) or exitstatus in (2, 3, 4))
        try:
            html = conclude.write(scorecard, self.output)
        except MltestscoreError as error:
            self._lines = [*conclude.summary(scorecard, None), f"mltestscore: {error}{self._kept()}"]
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        self._journal.remove()
        self._lines = conclude.summary(scorecard, html)
        if scorecard.gate is not None and not scorecard.gate.met and exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._results:
            session.exitstatus = pytest.ExitCode.OK

    def _conclude(self, *, cut: bool) -> Scorecard:
        begun = perf_counter()
        not_run = [self._why_not(node, check) for node, check in self._missing.items()]
        self.run.incomplete = cut or bool(not_run)
        self.run.phases = self._phases(begun)
        results = sorted(self._results.values(), key=lambda result: (result.item, result.id, result.node))
        end = conclude.Conclusion(self._settings.name, self.run, results, not_run)
        scorecard = conclude.make_scorecard_anyway(end, self._settings, self._history)
        gate, minimum = self._config.getoption("mltestscore_gate"), self._config.getoption("mltestscore_fail_under")
        scorecard.gate = conclude.decide(scorecard, self._settings, gate, minimum)
        if warning := conclude.record(scorecard, self._history):
            scorecard.warnings.append(warning)
        scorecard.run.phases.report = round(perf_counter() - begun, 3)
        return scorecard

    def _kept(self) -> str:
        """Say where the results of a run lie whose scorecard could not be written."""
        if not self._journal.whole:
            return ""
        return f" The results are kept: `mltestscore render {self._journal.file} --output …` makes the scorecard."

    def _phases(self, now: float) -> Phases:
        results = self._results.values()
        return Phases(
            total=round(now - self._started, 3),
            collection=round(self._collected - self._started, 3),
            inputs=round(sum(result.seconds.inputs for result in results), 3),
            checks=round(sum(result.seconds.check for result in results), 3),
            faults=round(sum(result.seconds.faults for result in results), 3),
        )

    def _why_not(self, node: str, check: Check) -> str:
        stopped = " (-x or --maxfail)" if self._config.getoption("maxfail", 0) else ""
        left_out = "left out by -k, -m or --lf" if node in self._deselected else f"the run ended before it{stopped}"
        return f"{check.id} did not run: {left_out}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print at most twelve lines, the last one the path of the page; ``-rs`` first lists what was not decided."""
        if "s" in terminalreporter.reportchars:
            for category, _, word in _STATUS.values():
                for report in terminalreporter.stats.get(category, []):
                    terminalreporter.write_line(f"{word} {report.nodeid} - {_skip_reason(report)}")
        if self._lines:
            terminalreporter.section("ML Test Score")
            for line in self._lines:
                terminalreporter.write_line(line)


def _skip_reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2]).removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
