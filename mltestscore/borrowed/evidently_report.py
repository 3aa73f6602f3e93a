"""A team's own Evidently report with tests, run on bounded samples of its data, as checks of rubric items.

``report`` names an ``evidently.Report`` or a function without arguments that returns one. Its first argument, current,
is the served data and its second, reference, the training data, unless the configuration says otherwise. Evidently
takes seconds to import and is imported only here and by the drill-down, when a run comes to them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.borrowed.evidently_snapshot import tests_of
from mltestscore.borrowed.reading import ExistingTest, NotCounted, cut, judged
from mltestscore.borrowed.settings import EvidentlyConfig
from mltestscore.config import Config
from mltestscore.declare import Check, CheckFunction
from mltestscore.details import Table
from mltestscore.errors import ConfigError, InputError
from mltestscore.finding import Finding
from mltestscore.inputs.functions import import_object
from mltestscore.rubric import rubric

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset

TABLE = "[tool.mltestscore.evidently]"
MAX_MESSAGE = 300


def report_checks(config: Config) -> list[Check]:
    """Return a check for every item that the report speaks for; none where there is no report.

    Raises :class:`ConfigError` for an item that the rubric has not.
    """
    found = config.evidently
    if found is None:
        return []
    for item in found.items:
        try:
            rubric().item(item)
        except ConfigError as error:
            raise ConfigError(f"{config.file}: tool.mltestscore.evidently.items: {error}") from None
    inputs = tuple(dict.fromkeys(name for name in (found.current, found.reference) if name))
    function = _observer(found, config.folder)
    items = dict.fromkeys(found.items)
    return [Check(f"{item}/evidently_report", item, function, inputs, (), {}, {}, existing=True) for item in items]


def _observer(settings: EvidentlyConfig, folder: Path) -> CheckFunction:
    def check_report(**datasets: Dataset) -> Iterator[Finding | Table]:
        current, reference = datasets[settings.current], datasets.get(settings.reference)
        tests = outcome(settings, folder, current, reference)
        if not any(test.state != "skipped" for test in tests):
            why = "it has no test that ran; write Report([…], include_tests=True), or tests=[…] in its metrics"
            raise NotCounted(f"The report {settings.report}", why)
        against = f"{current.name} against {reference.name}" if reference is not None else current.name
        yield from judged(tests, against)

    return check_report


def outcome(
    settings: EvidentlyConfig, folder: Path, current: Dataset, reference: Dataset | None
) -> Sequence[ExistingTest]:
    """Return the report's tests as Evidently judged them, run once for all items that it speaks for.

    Raises :class:`InputError` naming the setting, where the report cannot be imported, is none, or fails on the data.
    """
    against = "" if reference is None else reference.digest

    def ask(_: Sequence[str]) -> list[Sequence[ExistingTest]]:
        return [_run(settings, folder, current, reference)]

    return current.recall((TABLE, repr(settings)), [against], ask)[0]


def _run(
    settings: EvidentlyConfig, folder: Path, current: Dataset, reference: Dataset | None
) -> Sequence[ExistingTest]:
    with quiet():
        report = _report(settings, folder)
        data = [None if one is None else _data(one, settings, folder) for one in (current, reference)]
        try:
            snapshot = report.run(*data)
            return tests_of(snapshot.dict()["tests"])
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {cut(error, MAX_MESSAGE)}"
            raise InputError(
                f"{TABLE} report: {settings.report!r} failed on {current.name} and {settings.reference or 'nothing'}: "
                f"{said}. Does it name columns that are there, and does {TABLE} definition give each of them a kind?"
            ) from error


def _report(settings: EvidentlyConfig, folder: Path) -> Any:
    from evidently import Report

    found = import_object(settings.report, base=folder, setting=f"{TABLE} report")
    if not isinstance(found, Report) and callable(found):
        try:
            found = found()
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {cut(error, MAX_MESSAGE)}"
            raise InputError(f"{TABLE} report: {settings.report!r} raised {said}. Mend it.") from error
    if not isinstance(found, Report):
        raise InputError(
            f"{TABLE} report: {settings.report!r} is a {type(found).__name__}; name an evidently.Report, or a function "
            "without arguments that returns one."
        )
    return found


def _data(dataset: Dataset, settings: EvidentlyConfig, folder: Path) -> Any:
    """Return a bounded sample as Evidently takes it, with the kinds of its columns."""
    from evidently import DataDefinition, Dataset

    frame = plain(dataset.sample(settings.rows).frame())
    if not settings.definition:
        return Dataset.from_pandas(frame, data_definition=definition(frame, _described(dataset)))
    found = import_object(settings.definition, base=folder, setting=f"{TABLE} definition")
    if not isinstance(found, DataDefinition):
        raise InputError(f"{TABLE} definition: {settings.definition!r} is no evidently.DataDefinition.")
    return Dataset.from_pandas(frame, data_definition=found)


def _described(dataset: Dataset) -> list[str]:
    """Return the columns that presets look at: keys, times and clusters differ between any two datasets."""
    others = (dataset.roles.label, dataset.roles.score)
    return list(dict.fromkeys([*dataset.features, *(name for name in others if name)]))


def definition(frame: pd.DataFrame, columns: Sequence[str]) -> Any:
    """Return an ``evidently.DataDefinition`` of the columns by their dtype: numbers, times, and all else categories."""
    import pandas as pd
    from evidently import DataDefinition

    numbers = [name for name in columns if pd.api.types.is_numeric_dtype(frame[name])]
    times = [name for name in columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    others = [name for name in columns if name not in numbers and name not in times]
    return DataDefinition(numerical_columns=numbers, categorical_columns=others, datetime_columns=times)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with numbers as float64 and truth values and categories as text, which Evidently can take."""
    import pandas as pd

    def simple(values: Any) -> Any:
        if pd.api.types.is_bool_dtype(values) or isinstance(values.dtype, pd.CategoricalDtype):
            return values.astype("string").astype("object").where(values.notna(), None)
        if pd.api.types.is_numeric_dtype(values):
            return values.astype("float64")
        return values

    return pd.DataFrame({name: simple(frame[name]) for name in frame.columns})


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Evidently from phoning home, and the warnings of its dependencies from the reader."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
