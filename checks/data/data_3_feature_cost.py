"""All features together stay within their budget, and each that takes a good part of it is shown to be worth it.

Why
    The gain of a feature is measured once, at launch; its price is paid on every request and by everyone on call.

Measured
    From the catalogue, for each unit of features whose cost is paid together (one query may bring seven): compute
    time, store calls and memory a request, the number of upstream sources and how often they are late. Against it the
    gain: the quality that the model loses on the holdout when the unit's values are permuted together, paired by row,
    with clusters. Retrained without the unit it would mostly lose less, so a gain that is shown to be small is small.
    The share of rows without a value, in the holdout and in what was served. And, where the serving path is offered
    as feature code, its wall time (the fastest of five) and store calls for single raw rows, in a process of its own.

Passes when
    every budget holds; each unit that takes more than free_share of one is shown to gain its share of min_gain; no
    more values are missing, and no source is later, than declared; and what is measured is within the budget of time
    and the declared calls. Undecided where no budget or cost is declared.

If it fails
    The table is sorted by cost per gain: take out what stands on top, or make it cheaper; or raise the budget.

Options
    budget_ms, budget_calls, budget_mb: what all features may cost together; at least one must be declared.
    free_share: 0.05 of a budget, below which a unit needs no gain: nobody should argue about a hundredth of it.
    min_gain: 0.01 of the metric for a whole budget, and of a part accordingly; convention of this project.
    max_late_share, max_sources: of one unit; undeclared they are only shown. tolerance: 0.1, so that what is measured
    may exceed what is declared by a tenth: caches and retries make it vary.
    metric: as for model.5. alpha: .0002 for the bounds that accuse. min_rows 500, min_per_class 50: below them those
    are not reliable. max_rows 10,000 and max_measured 10 units bound the time.

Source
    Breck et al. 2017, Data 3; Breiman 2001 (permutation importance); DeLong et al. 1988; Clopper and Pearson 1934.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mltestscore import Finding, Table, at_least, check, fault, undecided
from mltestscore.codetests.online_cost import online_cost
from mltestscore.errors import NotOffered
from mltestscore.features.costs import MISSING, gains, judged_rows, missing, most_varied, overview, unfit, units
from mltestscore.features.spending import COST, MEASURED, measured, spent, upstream
from mltestscore.inputs.catalogue import Catalogue, Cost
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.feature_code import FeatureCode
from mltestscore.inputs.model import Model

GAIN = "gain of costly features"
RUINOUS = Cost(compute_ms=1e9, store_calls=1e9, memory_mb=1e9)
PLANTED = "planted_by_mltestscore"


@check("data.3", proof_options={"max_measured": 0})
def check_feature_cost(
    catalogue: Catalogue,
    model: Model,
    holdout: Dataset,
    serving: Dataset | None = None,
    features: FeatureCode | None = None,
    *,
    budget_ms: float | None = None,
    budget_calls: float | None = None,
    budget_mb: float | None = None,
    free_share: float = 0.05,
    min_gain: float = 0.01,
    max_late_share: float | None = None,
    max_sources: float | None = None,
    tolerance: float = 0.1,
    metric: str = "",
    alpha: float = 0.0002,
    min_rows: int = 500,
    min_per_class: int = 50,
    max_rows: int = 10_000,
    max_measured: int = 10,
) -> Iterator[Finding | Table]:
    """Compare what features cost with what may be spent and what they bring."""
    named = {"compute_ms": budget_ms, "store_calls": budget_calls, "memory_mb": budget_mb}
    budgets = {name: budget for name, budget in named.items() if budget is not None}
    every = sorted(units(catalogue, model.features), key=lambda unit: -unit.share(budgets))
    yield from spent(every, budgets)
    yield from upstream(every, max_late_share, max_sources)
    if features is not None and features.online:
        yield from measured(online_cost(features), every, budgets, tolerance, alpha)
    lacking: dict[str, float] = {}
    for data in (holdout, serving):
        if data is not None:
            yield from missing(catalogue, model, data, alpha, lacking)
    needed = {unit.name: min_gain * min(1.0, share) for unit in every if (share := unit.share(budgets)) > free_share}
    rows = judged_rows(model, holdout, metric, max_rows)
    why_not = unfit(rows, holdout, min_rows, min_per_class)
    priced = [unit for unit in every if unit.share(budgets) > 0]
    found = {} if why_not else gains(priced, rows, holdout, needed, alpha, max_measured)
    for name, least in needed.items():
        if why_not:
            yield undecided(GAIN, why_not, where=name)
        else:
            yield at_least(GAIN, found[name], least, where=name, unit=rows.metric)
    yield overview(every, budgets, found, lacking, rows.metric)


@fault(check_feature_cost, "one feature costs more than all may", caught_by=COST)
def ruinous(catalogue: Catalogue, model: Model) -> Mapping[str, Any]:
    """A look-up became one query per row, to a paid service, with all its rows in memory."""
    return {"catalogue": catalogue.declare("features", model.features[0], cost=RUINOUS)}


@fault(check_feature_cost, "the dearest feature of all changes no score", caught_by=GAIN)
def useless(catalogue: Catalogue, model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """The model was retrained and no longer looks at it; the pipeline still fetches it."""
    frame = holdout.frame()
    return {
        "catalogue": catalogue.declare("features", PLANTED, cost=RUINOUS),
        "model": replace(model, features=(*model.features, PLANTED), scorer=model.predict, digest=""),
        "holdout": holdout.replace(frame.assign(**{PLANTED: range(len(frame))})),
    }


@fault(check_feature_cost, "the source of a feature fails half of the time", caught_by=MISSING)
def failing_source(catalogue: Catalogue, model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """Its catalogue entry promises a value in every row."""
    name, frame = most_varied(holdout, model.features), holdout.frame()
    lost = [name, holdout.roles.label]  # unlabelled rows are not scored: the model may refuse what is missing
    broken = frame.assign(**{column: frame[column].where(frame.reset_index().index % 2 == 0) for column in lost})
    return {"catalogue": catalogue.declare("features", name, null_share=0.0), "holdout": holdout.replace(broken)}


@fault(check_feature_cost, "the serving path asks its store five times more than declared", caught_by=MEASURED)
def asking_again(catalogue: Catalogue, model: Model, features: FeatureCode) -> Mapping[str, Any]:
    """One query became one for each row that it finds."""
    if not features.online:
        raise NotOffered("features online", "name the serving path with online = … under [tool.mltestscore.features]")
    silent = catalogue
    for name in model.features:
        silent = silent.declare("features", name, cost=Cost(compute_ms=0, store_calls=0, memory_mb=0))
    return {
        "catalogue": silent,
        "features": features.wrapped("online", "mltestscore.codetests.path_faults:asking_again"),
    }
