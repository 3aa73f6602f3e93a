"""Check files as pytest items: ``-k``, ``--pdb``, ``-x``, markers, fixtures and xdist work as for any test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from mltestscore.borrowed import drilldown, evidence, evidently_report
from mltestscore.catalogue import checks_of, import_file, our_files, team_files
from mltestscore.config import Config
from mltestscore.declare import Check
from mltestscore.engine import run
from mltestscore.errors import InputError, MltestscoreError, NotOffered
from mltestscore.inputs.coerced import coerce
from mltestscore.options import options_for
from mltestscore.result import CheckResult, storable
from mltestscore.shipped import shipped
from mltestscore.stash import CONFIG, RUNNING

PROPERTY = "mltestscore"
EXISTING = "mltestscore/existing"


class CheckFailed(Exception):  # noqa: N818 - a verdict, not an error
    """A check came to ``failed`` or ``error``; carries the text that pytest shows instead of a traceback."""


class Project(pytest.Directory):
    """The root of all check files, in the folder of the configuration, so that the ``conftest.py`` there counts."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield our own files in rubric order, then the team's."""
        for file, node in planned_files(self.config.stash[CONFIG]):
            yield CheckFile.from_parent(self, path=file, nodeid=node)
        if existing_checks(self.config.stash[CONFIG]):
            yield ExistingResults.from_parent(self, path=Path(evidence.__file__), nodeid=EXISTING)


class CheckFile(pytest.Module):
    """One file of checks, imported under a name of ours whatever the user's import mode is."""

    def _getobj(self) -> Any:
        return import_file(self.path)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item a check."""
        for check in checks_of(self.obj):
            yield CheckItem.from_parent(self, name=check.function.__name__, callobj=_test_of(check))


class ExistingResults(CheckFile):
    """What the team's own tools found, as the configuration declares it."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item a declaration, named by its check's id."""
        for check in existing_checks(self.config.stash[CONFIG]):
            yield CheckItem.from_parent(self, name=check.id, callobj=_test_of(check))


class CheckItem(pytest.Function):
    """One check: a function that asks for ``request``, so that it can name the input that is missing."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings, not a traceback, where a check failed by what it observed."""
        if isinstance(excinfo.value, CheckFailed | MltestscoreError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def planned_files(config: Config) -> list[tuple[Path, str]]:
    """Return every check file with its node id, which is the same from a wheel and from a checkout."""
    ours = [(file, f"mltestscore/{file.relative_to(shipped('checks')).as_posix()}") for file in our_files()]
    folders = [config.path(folder) for folder in config.checks_in]
    return ours + [(file, f"mltestscore/{file.parent.name}/{file.name}") for file in team_files(folders)]


def existing_checks(config: Config) -> list[Check]:
    """Return the checks of what the team's own tools found; raises :class:`ConfigError` for a wrong declaration."""
    return [*evidence.evidence_checks(config), *evidently_report.report_checks(config)]


def planned_checks(config: Config) -> dict[str, Check]:
    """Return every check by its node id; files that do not import are left to pytest's own report."""
    planned = {f"{EXISTING}::{check.id}": check for check in existing_checks(config)}
    for file, node in planned_files(config):
        with suppress(Exception):
            planned |= {f"{node}::{check.function.__name__}": check for check in checks_of(import_file(file))}
    return planned


def _test_of(check: Check) -> Callable[[pytest.FixtureRequest], None]:
    def test(request: pytest.FixtureRequest) -> None:
        run_item(check, request)

    test.__name__ = check.function.__name__
    test.__doc__ = check.doc
    test.__module__ = check.function.__module__
    test.pytestmark = [pytest.mark.mltestscore(check.item), *getattr(check.function, "pytestmark", [])]  # type: ignore[attr-defined]
    return test


def run_item(check: Check, request: pytest.FixtureRequest) -> None:
    """Run a check with its fixtures, leave its result on the item, and say pytest's way how it went."""
    running = request.config.stash[RUNNING]
    name = check.id
    running.progress(f"{name}: opening inputs")
    started = perf_counter()
    error: BaseException | None = None
    try:
        options = options_for(check, request.config.stash[CONFIG])
        inputs = resolve(check, request)
        seconds = perf_counter() - started
        result, error = run(
            check, inputs, options, proving=running.proving, progress=lambda phase: running.progress(f"{name}: {phase}")
        )
        result.seconds.inputs = seconds
        if running.drilldowns is not None:
            result.drilldowns = drilldown.drilldowns(
                check, inputs, result, running.drilldowns, lambda phase: running.progress(f"{name}: {phase}")
            )
    except NotOffered as missing:
        result = _unrun(check, "not_offered", str(missing))
    except MltestscoreError as refused:
        result, error = _unrun(check, "error", str(refused)), refused
    finally:
        running.progress("")
    result.node = storable(request.node.nodeid)
    request.node.user_properties.append((PROPERTY, result.model_dump(mode="json")))
    conclude(result, error)


def resolve(check: Check, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the check's inputs from fixtures; a missing optional one is ``None``, a missing required one raises."""
    inputs: dict[str, Any] = {}
    for name in (*check.inputs, *check.optional):
        try:
            inputs[name] = _input(name, request)
        except NotOffered:
            if name in check.inputs:
                raise
            inputs[name] = None
    return inputs


def _input(name: str, request: pytest.FixtureRequest) -> Any:
    try:
        value = request.getfixturevalue(name)
    except pytest.FixtureLookupError:
        remedy = f"define a fixture {name!r} in the conftest.py beside the configuration"
        raise NotOffered(name, remedy) from None
    except pytest.skip.Exception as skipped:
        raise NotOffered(name, f"its fixture skipped: {skipped.msg}") from None
    except MltestscoreError:
        raise
    except (Exception, SystemExit, pytest.fail.Exception) as error:
        raise InputError(f"The fixture {name!r} raised {type(error).__name__}: {str(error)[:500]}. Mend it.") from error
    return coerce(name, value, request.config.stash[CONFIG], _home(name, request.config))


def _home(name: str, config: pytest.Config) -> str:
    """Return the file that defines a fixture, for messages."""
    for plugin in config.pluginmanager.get_plugins():
        file = getattr(plugin, "__file__", None)
        if file and hasattr(plugin, name) and Path(file).name == "conftest.py":
            return str(file)
    return "a plugin"


def _unrun(check: Check, state: Any, reason: str) -> CheckResult:
    return CheckResult(id=check.id, item=check.item, origin=check.origin, state=state, reason=reason)


def conclude(result: CheckResult, error: BaseException | None) -> None:
    """Turn a result into what pytest understands: return, skip with a reason, or raise."""
    if error is not None and not isinstance(error, MltestscoreError):
        raise error
    if result.state in ("failed", "error"):
        raise CheckFailed(f"{result.id} {result.state}: {result.reason}")
    if result.state in ("inconclusive", "not_offered"):
        pytest.skip(f"{result.state.replace('_', ' ')}: {result.reason}")
    if result.proof.state == "vacuous":
        pytest.skip(f"vacuous: {vacuous_because(result)}")


def vacuous_because(result: CheckResult) -> str:
    """Return why a check that passed proved nothing."""
    missed = [fault for fault in result.proof.faults if fault.state != "caught"]
    named = "; ".join(f"{fault.name}{f' ({fault.by})' if fault.by else ''}" for fault in missed)
    return result.proof.control or f"it did not see the planted fault: {named}"
