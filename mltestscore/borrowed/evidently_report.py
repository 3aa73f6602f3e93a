"""A team's own Evidently report with tests, run on bounded samples of its data, as checks of rubric items.

``report`` names an ``evidently.Report`` or a function without arguments that returns one. Its first argument, current,
is the served data and its second, reference, the training data, unless the configuration says otherwise. Evidently
takes seconds to import and is imported only here and by the drill-down, when a run comes to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore import telemetry
from mltestscore.borrowed.evidently_snapshot import tests_of
from mltestscore.borrowed.reading import ExistingTest, NotCounted, cut, judged
from mltestscore.config import Config
from mltestscore.declare import Check, CheckFunction
from mltestscore.details import Table
from mltestscore.errors import ConfigError, InputError
from mltestscore.finding import Finding
from mltestscore.inputs.functions import import_object
from mltestscore.rubric import rubric
from mltestscore.settings import EvidentlyConfig

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
        data = _data([current] if reference is None else [current, reference], settings, folder)
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


def _data(datasets: Sequence[Dataset], settings: EvidentlyConfig, folder: Path) -> list[Any]:
    """Return bounded samples as Evidently takes them, with the kinds of their columns."""
    from evidently import DataDefinition, Dataset

    frames = [one.sample(settings.rows).frame() for one in datasets]
    if not settings.definition:
        columns = _described(datasets)
        kinds = definition(frames, columns)
        return [Dataset.from_pandas(plain(frame, kinds), data_definition=kinds) for frame in frames]
    found = import_object(settings.definition, base=folder, setting=f"{TABLE} definition")
    if not isinstance(found, DataDefinition):
        raise InputError(f"{TABLE} definition: {settings.definition!r} is no evidently.DataDefinition.")
    return [Dataset.from_pandas(plain(frame, found), data_definition=found) for frame in frames]


def _described(datasets: Sequence[Dataset]) -> list[str]:
    """Return the columns that presets look at: the features of the reference, and label and score where all have them.

    Keys, times and clusters differ between any two datasets; what is served beside the features is not compared. A
    feature that is not served is left in, so that Evidently says so.
    """
    roles = [name for one in datasets for name in (one.roles.label, one.roles.score) if name]
    shared = [name for name in dict.fromkeys(roles) if all(name in one.columns for one in datasets)]
    return list(dict.fromkeys([*(name for name in datasets[-1].features if name not in roles), *shared]))


def definition(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> Any:
    """Return an ``evidently.DataDefinition`` of the columns: numbers, times, and all else, or mixed, categories."""
    import pandas as pd
    from evidently import DataDefinition

    def all_are(test: Any, name: str) -> bool:
        return all(test(frame[name]) for frame in frames if name in frame)

    def is_number(values: Any) -> bool:
        return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)

    numbers = [name for name in columns if all_are(is_number, name)]
    times = [name for name in columns if name not in numbers and all_are(pd.api.types.is_datetime64_any_dtype, name)]
    others = [name for name in columns if name not in numbers and name not in times]
    return DataDefinition(numerical_columns=numbers, categorical_columns=others, datetime_columns=times)


def plain(frame: pd.DataFrame, kinds: Any) -> pd.DataFrame:
    """Return the frame with numbers as float64 and categories as text, whatever pandas holds them in."""
    numbers, categories = kinds.numerical_columns or [], kinds.categorical_columns or []
    changed: dict[str, Any] = {name: frame[name].astype("float64") for name in numbers if name in frame}
    for name in categories:
        if name in frame:
            values = frame[name].astype("object").where(frame[name].notna(), None)
            changed[name] = values.map(str, na_action="ignore")
    return frame.assign(**changed)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Evidently from phoning home, and the warnings of its dependencies from the reader."""
    telemetry.off()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
