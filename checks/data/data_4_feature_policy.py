"""Every model input is in the catalogue, owned and described, and none is forbidden, out of date or a proxy.

Why
    Some inputs are banned by law, contract or decision, and some sources are about to be switched off. A rule that
    lives in a document is broken by the first copied pipeline, so it is held here to what the model itself reads.

Measured
    The model's own inputs against the catalogue: is each there, owned and described; does it, or anything it is made
    from, break the policy (names, patterns, tags, sources, what the catalogue marks as forbidden or protected) or
    outlive its date. Tags pass on to what is made from a column unless it drops them. For each protected attribute
    among the training data: how well every single input, cut into categories or quantiles and learned on three
    quarters of the rows, tells its groups on the rest (area under the ROC curve; clusters stay together and widen it).

Passes when
    nothing is found, and each area is shown to be below max_auc. Undecided where the policy forbids nothing, or a
    protected attribute is not among the training data or too rare.

If it fails
    Take the input out and train again, move it to a source that stays, or change the rule with whoever owns it. A
    proxy needs a decision: without it, what does the model lose, and who gains?

Options
    deny_names, deny_patterns (with * and ?), deny_tags, deny_sources: the policy; empty, as nobody else can know it.
    also_require: fields of the catalogue that must be filled besides owner and description.
    max_auc: 0.9, beyond which an input is the attribute in all but name; convention of this project.
    alpha: .0005 for the bound that accuses, over all inputs and groups of an attribute: one healthy run in 2,000.
    min_per_group: 50 judged rows; below it bounds at this alpha are not reliable. max_rows: 20,000 bounds the time.

Source
    Breck et al. 2017, Data 4; DeLong et al. 1988 (AUC).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from mltestscore import Finding, Table, at_most, check, fault, undecided
from mltestscore.errors import NotOffered
from mltestscore.features.policy import (
    COLUMNS,
    NO_RULE,
    PROXY,
    Policy,
    counted,
    forbidden,
    gaps,
    outlived,
    overview,
    proxies,
    required,
)
from mltestscore.inputs.catalogue import Catalogue
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model

UNLISTED = "model inputs outside the catalogue"
UNOWNED = "model inputs without an owner, a description or a required field"
FORBIDDEN = "model inputs that the policy forbids"
OUTLIVED = "model inputs past their date"
PLANTED = "planted_by_mltestscore"


@check("data.4")
def check_feature_policy(
    catalogue: Catalogue,
    model: Model,
    clock: datetime,
    training: Dataset | None = None,
    *,
    deny_names: tuple[str, ...] = (),
    deny_patterns: tuple[str, ...] = (),
    deny_tags: tuple[str, ...] = (),
    deny_sources: tuple[str, ...] = (),
    also_require: tuple[str, ...] = (),
    max_auc: float = 0.9,
    alpha: float = 0.0005,
    min_per_group: int = 50,
    max_rows: int = 20_000,
) -> Iterator[Finding | Table]:
    """Hold the inputs that the model reads to the catalogue and the policy."""
    names, today = model.features, clock.date()
    policy = Policy(deny_names, deny_patterns, deny_tags, deny_sources)
    listed = {name: entry for name in names if (entry := catalogue.entry(name))}
    yield counted(UNLISTED, {name: [name] for name in names if name not in listed}, names)
    empty = {name: gaps(name, entry, required(also_require)) for name, entry in listed.items()}
    yield counted(UNOWNED, {name: [f"{name}: {', '.join(some)}"] for name, some in empty.items() if some}, names)
    broken = {name: forbidden(name, catalogue, policy) for name in names}
    if any(broken.values()) or policy.says_something(catalogue):
        yield counted(FORBIDDEN, broken, names)
    else:
        yield undecided(FORBIDDEN, NO_RULE)
    late = {name: outlived(name, catalogue, today) for name in names}
    yield counted(OUTLIVED, late, names)
    if odd := policy.misspelt(catalogue):
        yield at_most("rules that look misspelt", len(odd), 0, cause="; ".join(odd[:3]), advisory=True)
    for attribute in catalogue.protected:
        yield from proxies(attribute, model, training, max_auc, alpha, min_per_group, max_rows)
    yield Table(f"What the catalogue says on {today}", COLUMNS, overview(names, catalogue, broken, late))


@fault(check_feature_policy, "the model reads a forbidden column", caught_by=FORBIDDEN)
def forbidden_input(catalogue: Catalogue, model: Model) -> Mapping[str, Any]:
    """A pipeline was copied with one column too many."""
    listed = catalogue.declare("features", PLANTED, forbidden="planted", owner="nobody", description="forbidden")
    return {"catalogue": listed, "model": replace(model, features=(*model.features, PLANTED), digest="")}


@fault(check_feature_policy, "an input is made from something made from a forbidden column", caught_by=FORBIDDEN)
def forbidden_ancestor(catalogue: Catalogue, model: Model) -> Mapping[str, Any]:
    """The name says nothing; the lineage does."""
    between, first = f"{PLANTED}_between", model.features[0]
    made = catalogue.declare("columns", PLANTED, forbidden="planted")
    made = made.declare("columns", between, derived_from=(PLANTED,))
    return {"catalogue": made.declare("features", first, derived_from=(between,))}


@fault(check_feature_policy, "the source of an input has been switched off", caught_by=OUTLIVED)
def ended_source(catalogue: Catalogue, model: Model) -> Mapping[str, Any]:
    """The date was known, and nobody moved."""
    gone = catalogue.declare("sources", PLANTED, deprecated_after=date(1900, 1, 1))
    return {"catalogue": gone.declare("features", model.features[0], source=(PLANTED,))}


@fault(check_feature_policy, "an input loses its owner and description", caught_by=UNOWNED)
def nobodys(catalogue: Catalogue, model: Model) -> Mapping[str, Any]:
    """Its team was dissolved."""
    return {"catalogue": catalogue.declare("features", model.features[-1], owner=" ", description="TODO")}


@fault(check_feature_policy, "the model reads a column that nobody listed", caught_by=UNLISTED)
def unlisted_input(model: Model) -> Mapping[str, Any]:
    """It went past the catalogue."""
    return {"model": replace(model, features=(*model.features, f"{PLANTED}_unlisted"), digest="")}


@fault(check_feature_policy, "an input is a protected attribute under another name", caught_by=PROXY)
def renamed_attribute(catalogue: Catalogue, training: Dataset, model: Model) -> Mapping[str, Any]:
    """The column was renamed, and no rule knows the new name."""
    for attribute in catalogue.protected:
        if attribute in training.columns and attribute != model.features[0]:
            frame = training.frame()
            return {"training": training.replace(frame.assign(**{model.features[0]: frame[attribute]}))}
    raise NotOffered("a protected attribute", "mark it in the catalogue and offer it among the training data")
