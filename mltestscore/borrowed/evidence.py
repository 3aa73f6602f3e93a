"""Result files of a team's own tools, as declared in ``[[tool.mltestscore.evidence]]``, as checks of rubric items.

A file counts only while it says when it was made, is not older than declared, and is about the declared data; of each
suite or snapshot on each data the newest counts. What does not count is shown with the reason and earns nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.borrowed import (
    evidently_snapshot,
    k6_summary,
    locust_statistics,
    prometheus_answer,
    validation_result,
)
from mltestscore.borrowed.reading import CONTRADICTED, NotCounted, Reading, Unreadable, judged
from mltestscore.config import Config
from mltestscore.declare import Check, CheckFunction
from mltestscore.details import Table
from mltestscore.errors import ConfigError
from mltestscore.finding import Finding, at_most
from mltestscore.rubric import rubric
from mltestscore.settings import EvidenceConfig
from mltestscore.words.figures import plural

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset

READERS: dict[str, Callable[[Any], list[Reading]]] = {
    "great_expectations": validation_result.readings,
    "evidently": evidently_snapshot.readings,
    "k6": k6_summary.readings,
}
LIMITED: dict[str, tuple[Callable[[Any, Mapping[str, float]], list[Reading]], Callable[[str], bool], str]] = {
    "locust": (locust_statistics.readings, locust_statistics.known, "{p95_ms = 200, failures = 0.01}"),
    "prometheus": (prometheus_answer.readings, prometheus_answer.LIMITS.__contains__, "{most = 0.2}"),
}
"""What tools measure and do not judge: how it is read, which limits there are, and an example of them."""

TITLES = {
    "great_expectations": "Great Expectations",
    "evidently": "Evidently",
    "k6": "k6",
    "locust": "Locust",
    "prometheus": "Prometheus",
}
MAX_FILES = 1_000
"""A validation results store keeps every result ever; more than this takes a narrower pattern."""
MAX_BYTES = 64 * 2**20
"""A full snapshot of 500 columns with its pictures has some 30 MB."""
LEEWAY = timedelta(days=1)
"""A time without a zone may be hours ahead of ours; a whole day ahead is wrong in any zone."""
SHOWN = 3
MAX_ABOUT = 160
_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


@dataclass(frozen=True)
class Source:
    """One result in one file, or why there is none.

    Attributes:
        name: the file's path as the pattern found it.
        reading: what it says; ``None`` where it cannot be read.
        why: why it does not count; empty where it does.
        about: suite or snapshot and data, in words; the newest about the same takes the place of the others.
    """

    name: str
    reading: Reading | None
    why: str = ""
    about: str = ""


def evidence_checks(config: Config) -> list[Check]:
    """Return a check for every ``[[tool.mltestscore.evidence]]``.

    Raises :class:`ConfigError` for an item that the rubric has not, for an entry that does not say which data its
    results must be about, and for two entries of one name.
    """
    checks: dict[str, Check] = {}
    for number, entry in enumerate(config.evidence, 1):
        key = f"{config.file}: tool.mltestscore.evidence, entry {number}"
        _refuse(entry, key)
        id = f"{entry.item}/{entry.name or entry.kind}"
        if id in checks:
            raise ConfigError(f'{key}: {id} is there already; give each a name of its own, name = "…".')
        inputs = (entry.dataset,) if entry.dataset else ()
        checks[id] = Check(id, entry.item, _observer(entry, config), inputs, (), {}, {}, existing=True)
    return list(checks.values())


def _refuse(entry: EvidenceConfig, key: str) -> None:
    try:
        rubric().item(entry.item)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from None
    _, known, example = LIMITED.get(entry.kind, (None, lambda _: False, ""))
    if wrong := [limit for limit in entry.limits if not known(limit)]:
        hint = f"write limits as in {example}" if example else f"{TITLES[entry.kind]} judges by itself: remove limits"
        raise ConfigError(f"{key}: {wrong[0]!r} is no limit for {TITLES[entry.kind]}; {hint}.")
    if example and not entry.limits:
        raise ConfigError(f"{key}: {TITLES[entry.kind]} measures and does not judge; write limits = {example}.")
    if not entry.data and not entry.dataset:
        raise ConfigError(
            f'{key}: write data = ["…"], the names by which the results know their data (an asset of Great '
            "Expectations, a value of a snapshot's metadata, a route, a label), so that a result for other data does "
            "not count."
        )


def _observer(entry: EvidenceConfig, config: Config) -> CheckFunction:
    def check_evidence(**datasets: Dataset) -> Iterator[Finding | Table]:
        yield from observe_files(entry, config.folder, config.now().astimezone(UTC), **datasets)

    return check_evidence


def observe_files(entry: EvidenceConfig, folder: Path, now: datetime, **datasets: Dataset) -> Iterator[Finding | Table]:
    """Yield what the newest results that count add up to.

    Raises :class:`NotCounted` with the reasons where none counts.
    """
    name = f"The evidence {entry.path} ({TITLES[entry.kind]})"
    dataset = next(iter(datasets.values()), None)
    sources = [_weighed(source, entry, dataset, now) for source in _sources(entry, folder, name)]
    counted = _newest([source for source in sources if not source.why])
    if not counted:
        reasons = [f"{source.name} {source.why}" for source in sources]
        more = f"; and {plural(len(reasons) - SHOWN, 'more file')}" if len(reasons) > SHOWN else ""
        raise NotCounted(name, "; ".join(reasons[:SHOWN]) + more)
    for source in counted:
        assert source.reading is not None  # it counts
        yield from judged(source.reading.tests, source.about)
        told = source.reading.contradiction
        yield at_most(CONTRADICTED, int(bool(told)), 0, where=source.about, n=1, cause=told)
    yield _table(sources, counted)


def _sources(entry: EvidenceConfig, folder: Path, name: str) -> list[Source]:
    files = _files(entry.path, folder)
    if not files:
        raise NotCounted(name, f"no file in {folder.resolve()} matches it")
    if len(files) > MAX_FILES:
        raise NotCounted(name, f"{len(files):,} files match it; name at most {MAX_FILES:,}")
    return [source for file in files for source in _read(file, folder, _reader(entry))]


def _reader(entry: EvidenceConfig) -> Callable[[Any], list[Reading]]:
    if entry.kind not in LIMITED:
        return READERS[entry.kind]
    read = LIMITED[entry.kind][0]
    return lambda content: read(content, entry.limits)


def _files(pattern: str, folder: Path) -> list[Path]:
    path = Path(pattern)
    start, relative = (Path(path.anchor), path.relative_to(path.anchor)) if path.is_absolute() else (folder, path)
    return sorted(file for file in start.glob(str(relative)) if file.is_file())


def _read(file: Path, folder: Path, reader: Callable[[Any], list[Reading]]) -> list[Source]:
    name = str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES >> 20} MiB")
        found = reader(json.loads(file.read_bytes()))
    except Unreadable as reason:
        return [Source(name, None, str(reason))]
    except OSError as error:
        return [Source(name, None, f"cannot be read: {error.strerror or error}")]
    except (ValueError, RecursionError) as error:
        return [Source(name, None, f"is not JSON: {str(error)[:120]}")]
    # Of a result that says neither when it was made nor what it is about, the file's name may.
    day, words = _day(name), frozenset(part for part in (*Path(name).parts[:-1], _stem(name)) if part)
    return [Source(name, replace(one, made=one.made or day, data=one.data or words)) for one in found] or [
        Source(name, None, "holds no result")
    ]


def _weighed(source: Source, entry: EvidenceConfig, dataset: Dataset | None, now: datetime) -> Source:
    """Return the source with the first reason why it does not count, if there is one."""
    if source.reading is None:
        return source
    reading, known = source.reading, {*entry.data, *([dataset.digest] if dataset is not None else [])}
    if not reading.ran:
        why = f"holds no test that ran ({len(reading.tests)} skipped)" if reading.tests else "holds no test at all"
    elif not reading.data & known:
        told = ", ".join(sorted(reading.data)[:SHOWN]) or "nothing"
        why = f"is for other data: it names {told}, expected {', '.join(sorted(known)[:SHOWN])}"
    elif dataset is not None and reading.rows is not None and reading.rows != dataset.rows:
        why = f"is for other data: it saw {reading.rows:,} rows, {dataset.name} has {dataset.rows:,}"
    else:
        why = _age(reading.made, entry.max_age_days, now)
    matched = " and ".join(sorted(reading.data & known)[:SHOWN])
    return replace(source, why=why, about=f"{reading.subject} on {matched}"[:MAX_ABOUT])


def _age(made: datetime | None, max_age_days: float, now: datetime) -> str:
    if made is None:
        return "does not say when it was made, nor does its name (a day as 2026-10-31)"
    if made - now > LEEWAY:
        return f"was made on {made:%Y-%m-%d}, which is after now, {now:%Y-%m-%d}"
    age = (now - made) / timedelta(days=1)
    return f"is {age:.1f} days old, at most {max_age_days:g} count" if age > max_age_days else ""


def _newest(sources: Sequence[Source]) -> list[Source]:
    """Return the newest of those that are about the same, in the order of their names."""
    newest: dict[str, Source] = {}
    for source in sources:
        before = newest.get(source.about)
        if before is None or _made(before) <= _made(source):
            newest[source.about] = source
    return sorted(newest.values(), key=lambda source: source.name)


def _made(source: Source) -> datetime:
    assert source.reading is not None  # it counts, so it was read
    assert source.reading.made is not None  # and is dated
    return source.reading.made


def _table(sources: Sequence[Source], counted: Sequence[Source]) -> Table:
    rows = []
    for source in sorted(sources, key=lambda one: (one not in counted, one.name)):
        made = source.reading.made if source.reading else None
        counts = "yes" if source in counted else f"no: it {source.why}" if source.why else "no: a newer one is there"
        rows.append((source.name, source.reading.subject if source.reading else "", _text(made), counts))
    return Table("Result files", ["file", "suite or snapshot", "made", "counts"], rows)


def _text(made: datetime | None) -> str:
    return made.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if made else ""


def _day(name: str) -> datetime | None:
    """Return the day in a path, the last one: ``2026-10-31`` or ``20261031``."""
    for year, month, day in reversed(_DAY.findall(name)):
        try:
            return datetime(int(year), int(month), int(day), tzinfo=UTC)
        except ValueError:
            continue
    return None


def _stem(name: str) -> str:
    """Return a file's name without its ending and its day: ``flights_2026-10-31.json`` is about ``flights``."""
    return _DAY.sub("", Path(name).name.partition(".")[0]).strip("-_ ")
