"""Machinery of data.3: what features cost together, what they gain for it, and how often their values lack."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a part of scikit-learn's installation

from mltestscore import contest
from mltestscore.comparison.levels import rate
from mltestscore.details import Cell, Table
from mltestscore.features.benefit import Rows, together
from mltestscore.finding import Finding, at_most
from mltestscore.inputs.catalogue import Catalogue, Cost, Entry
from mltestscore.inputs.clusters import clustered_share
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.stats.interval import CLEAR, Interval, exactly, two_levels
from mltestscore.stats.periods import few
from mltestscore.stats.quality import metric_for
from mltestscore.unstructured import as_texts

MISSING = "rows without a value"
SHOWN = 20
RESOURCES = {
    "compute_ms": ("compute time", "ms"),
    "store_calls": ("store calls", "calls"),
    "memory_mb": ("memory", "MiB"),
}


@dataclass(frozen=True)
class Unit:
    """Features whose cost is paid together: one alone cannot be saved.

    Attributes:
        name: of the shared cost, or of the one feature.
        features: model inputs.
        cost: as the catalogue says; ``None`` in it is unknown.
        sources: what it depends on upstream, through what it is made from too.
        late_share: the largest share of requests for which one of the sources is late; ``None`` where none says.
    """

    name: str
    features: tuple[str, ...]
    cost: Cost
    sources: tuple[str, ...]
    late_share: float | None

    def amount(self, resource: str) -> float | None:
        """Return how much of a resource it takes, or ``None`` where nobody says."""
        found: float | None = getattr(self.cost, resource)
        return found

    def share(self, budgets: Mapping[str, float]) -> float:
        """Return the largest share that it takes of any budget."""
        return max((_part(self.amount(name) or 0.0, budget) for name, budget in budgets.items()), default=0.0)


def _part(amount: float, budget: float) -> float:
    return amount / budget if budget > 0 else (math.inf if amount > 0 else 0.0)


def units(catalogue: Catalogue, features: Sequence[str]) -> list[Unit]:
    """Return the features in units, in the order of their first feature; one without an entry has unknown costs."""
    together: dict[str, list[str]] = {}
    for name in features:
        cost = (catalogue.entry(name) or Entry()).cost
        together.setdefault(f"cost {cost}" if isinstance(cost, str) and cost else f"feature {name}", []).append(name)
    return [_unit(catalogue, tuple(names)) for names in together.values()]


def _unit(catalogue: Catalogue, features: tuple[str, ...]) -> Unit:
    own = (catalogue.entry(features[0]) or Entry()).cost
    alone = f"{features[0]} itself" if features[0] in catalogue.costs else features[0]
    name = own if isinstance(own, str) and own else alone
    cost = own if isinstance(own, Cost) else catalogue.costs.get(own, Cost())
    made_from = {one for feature in features for one in catalogue.ancestors(feature)}
    sources = sorted({source for one in made_from for source in (catalogue.entry(one) or Entry()).source})
    late = [share for source in sources if (share := catalogue.of_source(source).late_share) is not None]
    return Unit(name, features, cost, tuple(sources), max(late, default=None))


def missing_shares(
    catalogue: Catalogue, features: Sequence[str], data: Dataset, alpha: float
) -> Iterator[tuple[str, Interval, float | None]]:
    """Return the share of rows without a value for each feature that ``data`` has, and the share that is allowed.

    The bounds count clustered rows for less, and accuse at ``alpha`` over all features together; a promise of none at
    all is held to the rows as they are.
    """
    known = [name for name in features if name in data.columns]
    if not known:
        return
    table, rows, cluster = data.table, data.rows, data.roles.cluster
    counted = table.aggregate(**{f"n{at}": table[name].isnull().sum() for at, name in enumerate(known)})
    counts = counted.to_pyarrow().to_pylist()[0]
    for at, name in enumerate(known):
        lacking = int(counts[f"n{at}"] or 0)
        allowed = (catalogue.entry(name) or Entry()).null_share
        if allowed == 0:
            yield name, exactly(lacking / rows, rows), allowed
            continue
        judged = cluster and lacking and allowed is not None
        effect = clustered_share(table, table[name].isnull(), table[cluster]) if judged else 1.0
        yield name, rate(lacking, rows, alpha / len(known), design_effect=effect), allowed


def missing(
    catalogue: Catalogue, model: Model, data: Dataset, alpha: float, lacking: dict[str, float]
) -> Iterator[Finding]:
    """Judge the features that have a declared share, the worst first; note for the table what is missing anywhere."""
    judged = []
    for name, share, allowed in missing_shares(catalogue, model.features, data, alpha):
        lacking[name] = max(share.value, lacking.get(name, 0.0))
        if allowed is not None:
            judged.append(at_most(MISSING, share, allowed, where=f"{data.name}: {name}", unit="share"))
    order = {"failed": 0, "inconclusive": 1, "passed": 2}
    yield from sorted(judged, key=lambda one: order[one.verdict])[:SHOWN]


def most_varied(data: Dataset, features: Sequence[str]) -> str:
    """Return the feature with the most values: one that no permutation leaves as it was."""
    return str(data.frame(features).apply(as_texts).nunique().idxmax())


def judged_rows(model: Model, holdout: Dataset, metric: str, rows: int) -> Rows:
    """Return at most ``rows`` labelled holdout rows, on which gains are measured by one permutation each.

    Raises what :func:`mltestscore.contest.labelled` and :func:`mltestscore.contest.encoded` raise.
    """
    frame = contest.labelled(holdout, model.features, rows)
    labels = frame[holdout.roles.label]
    truth = contest.encoded(labels, model.task, contest.classes_of(model.classes, labels), holdout.name)
    metric = metric_for(model.task, metric)
    clusters = together(model, frame, truth, metric, holdout)
    return Rows(model, frame, truth, metric, clusters, repeats=1, seed=holdout.digest)


def unfit(rows: Rows, holdout: Dataset, least: int, per_class: int) -> str:
    """Say why gains cannot be measured on these rows; empty if they can.

    A model that gains nothing from all its features together is broken, and that is no fault of a feature.
    """
    if len(rows.truth) < least:
        return f"{len(rows.truth):,} labelled holdout rows; at least {least:,} are needed"
    counts = np.unique(rows.truth, return_counts=True)[1]
    if len(counts) < 2:
        return "all labels of the holdout are the same"
    if rows.model.task == "binary" and counts.min() < per_class:
        return f"the rarer class has {counts.min():,} holdout rows; at least {per_class:,} are needed"
    with threadpool_limits(limits=1):
        finite = np.isfinite(rows.scores).all()
    if not finite:
        return "the model gives scores that are not finite"
    if _lost(rows, holdout, [(rows.model.features, CLEAR)])[0].low <= 0:
        if rows.clusters is not None and not holdout.roles.cluster and (why := few(rows.clusters)):
            return why
        return "the model is not shown to gain anything from all its features together: first see to the model"
    return ""


def gains(
    every: Sequence[Unit], rows: Rows, holdout: Dataset, needed: Collection[str], alpha: float, most: int
) -> dict[str, Interval]:
    """Return the gain of each unit that ``needed`` names, and of the next ones up to ``most``.

    A gain is what the model loses when the unit's features are permuted together. The upper bounds accuse at ``alpha``
    over all needed ones together, the lower ones clear at 95 %.
    """
    chosen = [unit for place, unit in enumerate(every) if unit.name in needed or place < most]
    level = alpha / max(1, len(needed))
    clearing = _lost(rows, holdout, [(unit.features, CLEAR) for unit in chosen])
    accusing = _lost(rows, holdout, [(unit.features, level) for unit in chosen])
    pairs = zip(chosen, accusing, clearing, strict=True)
    return {unit.name: two_levels(shows, rules_out, harm="below") for unit, shows, rules_out in pairs}


def _lost(rows: Rows, holdout: Dataset, wanted: Sequence[tuple[tuple[str, ...], float]]) -> list[Interval]:
    """Return what is lost with each group of features, at its level; remembered for the same model and rows.

    A proof asks again of the same model and rows; a broken model has no digest, and is asked itself.
    """

    def ask(new: list[tuple[tuple[str, ...], float]]) -> list[Interval]:
        with threadpool_limits(limits=1):  # threads win little on so few rows, and lose much where cores are shared
            rows.permute([features for features, _ in new])
        return [rows.benefit(features, level) for features, level in new]

    subject = ("data.3", rows.model.digest, rows.metric, len(rows.frame))
    return holdout.recall(subject, wanted, ask) if rows.model.digest else ask(list(wanted))


def overview(
    every: Sequence[Unit],
    budgets: Mapping[str, float],
    gains: Mapping[str, Interval],
    lacking: Mapping[str, float],
    metric: str,
) -> Table:
    """Return all units as a table, by their share of a budget per gain; what gains nothing stands on top."""

    def price(unit: Unit) -> float:
        if unit.name not in gains:
            return 0.0
        return _part(unit.share(budgets), max(0.0, gains[unit.name].value))

    rows: list[tuple[Cell, ...]] = []
    for unit in sorted(every, key=lambda unit: (-price(unit), -unit.share(budgets))):
        found, amounts = gains.get(unit.name), [unit.amount(resource) for resource in RESOURCES]
        least = None if found is None or not math.isfinite(found.low) else found.low
        missing = max((lacking[name] for name in unit.features if name in lacking), default=None)
        shown = price(unit) / 100 if math.isfinite(price(unit)) and found else None
        cost = (*amounts, unit.share(budgets) if budgets else None)
        upstream = (len(unit.sources), unit.late_share, missing)
        named = (unit.name[:80], ", ".join(unit.features)[:200])
        rows.append((*named, *cost, *upstream, found.value if found else None, least, shown))
    costs = [f"{name}, {unit}" for name, unit in RESOURCES.values()]
    columns = ["paid together", "model inputs", *costs, "share of a budget", "sources", "late", "missing"]
    columns += [f"gain in {metric}", "at least", "share of a budget for 0.01 of gain"]
    return Table("Features by what they cost per gain", columns, rows)
