"""A new feature can be added, trained with and served within the declared time, and nothing else changes.

Why
    The team that can add a feature in weeks can answer to a changing world and to its own incidents; one whose pipeline
    breaks at each new column cannot, whatever its model is worth today.

Measured
    The team's command (``[tool.mltestscore.dry_run]``) rehearses it twice, each time in a copy of the project that is
    thrown away: once with an invented feature, once without. Counted are: a command that fails; its seconds; training
    data, model and served rows that the feature does not reach; other columns that differ between the two; served
    scores that are not the rehearsed model's own; files changed beyond ``may_change``; files of the real project
    touched. Where model, registry and git history are offered, also the days from the first commit that names a feature
    to the first version that serves it.

Passes when
    the command succeeds within its declared time, the feature is everywhere, and all the rest is as it was.

If it fails
    The cause names the place. Take the list of features from one definition everywhere; no position, count or list of
    columns written out in a second place; serve what that definition says.

Options
    max_lead_days 60: the authors saw good teams need one to two months. min_commits 6: with fewer features the median's
    bounds span everything, so that it is shown and does not count.

Source
    Breck et al. 2017, Data 6; Conover 1999 (bounds of a median).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import Table, at_most, check, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mltestscore.declare import Observations
    from mltestscore.features.lead_time import LeadTime
    from mltestscore.features.rehearsal import Rehearsal
    from mltestscore.inputs.dry_run import DryRun
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry
    from mltestscore.inputs.repository import Repository

FAILED, SECONDS = "rehearsals that fail", "seconds to add a feature, train and serve"
REACHED, OTHERS = "places that the new feature does not reach", "other columns that change with the new feature"
SCORES, FILES = "served scores that are not the model's own", "files changed beyond those that may change"
TOUCHED, LEAD = "files of the project that the rehearsal touched", "median days from first commit to service"


@check("data.6")
def check_new_feature(
    dry_run: DryRun,
    model: Model | None = None,
    registry: Registry | None = None,
    repository: Repository | None = None,
    *,
    max_lead_days: float = 60.0,
    min_commits: int = 6,
) -> Observations:
    """Rehearse adding a feature in a copy of the project, with and without it, and compare what came out."""
    from mltestscore.features.lead_time import lead_times
    from mltestscore.features.rehearsal import rehearse

    found = rehearse(dry_run)
    done = found.added.done
    broke = done.code != 0
    yield at_most(FAILED, int(broke), 0, n=1, cause=done.said.strip()[-400:] if broke else "")
    yield at_most(TOUCHED, len(found.touched), 0, cause=", ".join(found.touched[:5]))
    if not broke:
        yield at_most(SECONDS, done.seconds, dry_run.max_seconds, unit="s", n=1)
        yield from _compared(dry_run, found)
    if model is not None and registry is not None and repository is not None:
        served = tuple((one.version, one.published_at, one.code_commit) for one in registry.versions)
        key = ("lead", repository.commit, served, model.features)
        if key not in dry_run.memory:
            dry_run.memory[key] = lead_times(repository, registry, model.features)
        yield from _lead(dry_run.memory[key], max_lead_days, min_commits)


def _compared(dry_run: DryRun, found: Rehearsal) -> Observations:
    from mltestscore.features.rehearsal import not_reached, other_columns, strange_scores

    added = found.added
    missing, others = not_reached(dry_run, added), other_columns(dry_run, found.plain, added)
    places = 2 + (added.features is not None)
    yield at_most(REACHED, len(missing), 0, n=places, cause=", ".join(missing))
    columns = sum(len(table.columns) for table in (added.training, added.served) if table is not None)
    yield at_most(OTHERS, len(others), 0, n=columns, cause=", ".join(others[:5]))
    strange = strange_scores(dry_run, added)
    if strange is not None:
        yield at_most(SCORES, strange, 0, n=0 if added.served is None else len(added.served))
    edited = sorted(set(added.changed) - set(found.plain.changed))
    if dry_run.may_change:
        from pathlib import PurePosixPath

        more = [name for name in edited if not any(PurePosixPath(name).match(one) for one in dry_run.may_change)]
        yield at_most(FILES, len(more), 0, n=len(edited), cause=", ".join(more[:5]))
    rows = [
        (place, len(table), len(table.columns), float(table[dry_run.feature].notna().mean()))
        for place, table in (("training data", added.training), ("served rows", added.served))
        if table is not None and dry_run.feature in table.columns
    ]
    yield Table("Where the new feature is", ("place", "rows", "columns", "share of rows with a value"), rows)
    yield Table("Files that adding a feature changes", ("file",), [(name,) for name in edited])


def _lead(times: Sequence[LeadTime], max_lead_days: float, min_commits: int) -> Observations:
    from mltestscore.features.lead_time import median_days

    if times:
        days = median_days(times)
        note = f"{len(times)} features in {days.n} commits"
        yield at_most(LEAD, days, max_lead_days, unit="days", note=note, advisory=days.n < min_commits)
        rows = [(one.feature, one.commit[:12], one.version, round(one.days, 1)) for one in times]
        yield Table("Lead times", ("feature", "first commit", "first version", "days"), rows)


@fault(check_new_feature, "the serving path drops the new feature", caught_by=REACHED)
def unserved(dry_run: DryRun) -> Mapping[str, Any]:
    """Training knows it, the server does not."""
    return {"dry_run": dry_run.replace(tampering="unserved")}


@fault(check_new_feature, "another column loses its values to the new one", caught_by=OTHERS)
def shifted(dry_run: DryRun) -> Mapping[str, Any]:
    """As code does that takes columns by position."""
    return {"dry_run": dry_run.replace(tampering="shifted")}


@fault(check_new_feature, "adding a feature takes longer than declared", caught_by=SECONDS)
def late(dry_run: DryRun) -> Mapping[str, Any]:
    """Held to a thousandth of the declared time."""
    return {"dry_run": dry_run.replace(max_seconds=dry_run.max_seconds / 1000)}
