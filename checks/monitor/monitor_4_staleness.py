"""The model in service and what it was made from are not older than declared.

Why
    An old model looks as healthy as a new one on every dashboard; ages show it before quality does.

Measured
    From the lineage of the registry's current version: its age since training, not upload; how far its data and each
    pipeline stage lay behind the training; the age of tables with a declared limit; dates in an impossible order; and
    earlier versions with the same weights, or the same data under a newer date. Whether the endpoint serves it.

Passes when
    every age is within its limit, dates are in order, no earlier version comes back under a new date (unless the
    lineage's unchanged_note says why), and the endpoint does not name another version.

If it fails
    The table of ages shows where the pipeline stands still: retrain, repair that stage or table, or publish.

Options
    max_age_days: declared, else the largest age that model.4 of the last run found harmless. max_data_lag_days,
    max_stage_lag_days: behind the training; default max_age_days: data may not start older than the model may become;
    a label delay belongs here. max_table_age_days: a number, or one by table name; undeclared tables are only shown,
    many rightly never change. max_publish_delay_days. clock_skew_minutes: 5, as in Kerberos (RFC 4120).

Source
    Breck et al. 2017, Monitor 4; Zinkevich, Rules of Machine Learning, rule 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mltestscore import Finding, Table, at_most, check, fault, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.inputs.lineage_dates import AGES, ages, days, impossible_dates, returned_data, returned_weights
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.staleness.age import Age

DATA_LAG = "lag of the data behind the training"
LONG_AGO = timedelta(days=36_525)
UNDECLARED = 'no limit is declared; set max_age_days under [tool.mltestscore.checks."monitor.4"]'


@check("monitor.4")
def check_staleness(
    registry: Registry,
    clock: datetime,
    endpoint: Endpoint | None = None,
    training: Dataset | None = None,
    tolerable_age: Age | None = None,
    *,
    max_age_days: float | None = None,
    max_data_lag_days: float | None = None,
    max_stage_lag_days: float | None = None,
    max_table_age_days: float | Mapping[str, float] | None = None,
    max_publish_delay_days: float | None = None,
    clock_skew_minutes: float = 5.0,
) -> Iterator[Finding | Table]:
    """Model, data, stages and tables are not older than declared, and the dates can be believed."""
    current, note = registry.current, ""
    if max_age_days is None and tolerable_age is not None:
        max_age_days, note = tolerable_age.days, f"none is declared; the limit is from {tolerable_age.source}"
    yield _aged("age of the model", days(current.trained_at, clock), max_age_days, note=note)
    data_limit, stage_limit = (max_age_days if lag is None else lag for lag in (max_data_lag_days, max_stage_lag_days))
    if current.data_until is None:
        yield undecided(DATA_LAG, "the lineage does not say data_until, the newest training row's time; write it there")
    else:
        yield _aged(DATA_LAG, days(current.data_until, current.trained_at), data_limit)
    for stage, ended in current.stages.items():
        yield _aged("lag of a pipeline stage behind the training", days(ended, current.trained_at), stage_limit, stage)
    yield from _tables(current, clock, max_table_age_days)
    if max_publish_delay_days is not None and current.published_at is not None:
        delay = days(current.trained_at, current.published_at)
        yield _aged("time from training to publication", delay, max_publish_delay_days)
    odd = impossible_dates(current, clock, timedelta(minutes=clock_skew_minutes))
    yield at_most("dates in an impossible order", len(odd), 0, n=1, cause="; ".join(odd[:3]))
    yield from _returned(registry)
    if endpoint is not None:
        yield _served(endpoint, training, registry)
    yield Table(f"Ages of version {current.version}", AGES, ages(current, clock))


def _aged(name: str, age: float, limit: float | None, where: str = "", note: str = "") -> Finding:
    if limit is None:
        return undecided(name, UNDECLARED, where=where, unit="days")
    return at_most(name, age, limit, where=where, unit="days", n=1, note=note)


def _tables(current: Lineage, clock: datetime, limit: float | Mapping[str, float] | None) -> Iterator[Finding]:
    limits = limit if isinstance(limit, Mapping) else dict.fromkeys(current.tables, limit)
    for table, most in limits.items():
        if table not in current.tables:
            yield undecided("age of a table", f"the lineage's tables have no date for {table!r}", where=table)
        elif most is not None:
            yield _aged("age of a table", days(current.tables[table], clock), most, table)


def _returned(registry: Registry) -> Iterator[Finding]:
    """Find earlier versions that come back under a new date."""
    said, others = registry.current.unchanged_note, len(registry.versions) - 1
    found = {"weights": returned_weights(registry), "data under a newer date": returned_data(registry)}
    for what, versions in found.items():
        cause = f"the same as version {', '.join(versions[:3])}" if versions else ""
        name = f"earlier versions with the same {what}"
        yield at_most(name, len(versions), 0, n=others, cause=cause, note=said, advisory=bool(said))


def _served(endpoint: Endpoint, training: Dataset | None, registry: Registry) -> Finding:
    name, current = "served versions other than the current one", registry.current.version
    served = endpoint.version
    if not served and training is not None:  # a server that is still starting names its version when it has answered
        served = endpoint.predict(training.frame(training.features, limit=1)).version or endpoint.version
    if not served:
        return replace(undecided(name, "the endpoint names no version; let it report one"), advisory=True)
    cause = f"version {served!r:.80} is served, the registry's current one is {current!r}"
    return at_most(name, int(served != current), 0, n=1, cause=cause if served != current else "")


@fault(check_staleness, "the model was trained a hundred years ago", caught_by="age of the model")
def old_model(registry: Registry) -> dict[str, Registry]:
    """Nobody retrained."""
    return {"registry": registry.replace(trained_at=registry.current.trained_at - LONG_AGO)}


@fault(check_staleness, "the data snapshot stands still", caught_by=DATA_LAG)
def old_data(registry: Registry) -> dict[str, Registry]:
    """The model is new, what it learned is old."""
    return {"registry": registry.replace(data_until=registry.current.trained_at - LONG_AGO)}


@fault(check_staleness, "an old model is published again", caught_by="earlier versions with the same weights")
def republished(registry: Registry) -> dict[str, Registry]:
    """A retraining job failed and uploaded the last file under a new date."""
    weights = registry.current.weights_digest or "unknown"
    broken = registry.replace(weights_digest=weights, unchanged_note="")
    before = replace(broken.current, version="earlier", trained_at=broken.current.trained_at - timedelta(days=1))
    return {"registry": broken.with_version(before)}


@fault(check_staleness, "the lineage says that training ended tomorrow", caught_by="dates in an impossible order")
def future_model(registry: Registry, clock: datetime) -> dict[str, Registry]:
    """A wrong clock makes every age too small."""
    return {"registry": registry.replace(trained_at=clock + timedelta(days=1))}
