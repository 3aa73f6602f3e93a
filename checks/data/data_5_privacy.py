"""Personal data stay out of what is derived, deletions reach every copy, and access does not widen on the way.

Why
    Users trust the raw store. What is derived from it (snapshots, logs, features, models) is copied further, kept
    longer and read by more people; a request to be forgotten that ends at the raw store has not been honoured.

Measured
    Personal data in datasets, derived stores and the model: e-mail addresses, cards (Luhn and issuer), bank accounts
    (mod 97), telephone numbers, internet addresses, some national numbers; and access keys of known forms, which open
    more than the place that holds them. A column counts when more of its distinct
    candidates pass their check than chance lets pass, so that order numbers, hashes and versions accuse nobody. Every
    value by which a subject is known whose deletion is due, in every column of every place, raw stores too; after a
    return with consent only older rows count. Deletions that the serving model, by its lineage, learned too early
    for. Readers (mode bits, access lists, or as declared) of what is derived that the raw stores do not have.
    Membership: whether losses tell training rows from held-out ones, relative to a linear model's on the same rows.

Passes when
    no column is shown or suspected to hold personal data or keys, no deleted subject is found or was learned, nobody
    reads more than the raw stores allow. Membership inference can only fail: a low figure proves nothing.

If it fails
    Drop or hash (with a salt) the column at its source; purge what the tables name and train again; narrow the
    rights; regularise. List columns that may hold personal data, by law and need, in ``allowed``.

Options
    deadline_days: 30, one month (GDPR Art. 12(3)). fewest: 3 distinct values, as one may be a support address; one key
    is enough. alpha: 0.001, shared by all columns. allowed: ``"table.column"``, with ``*``. max_membership_auc: 0.7,
    where Hosmer and Lemeshow call a discrimination acceptable. membership_rows: 4000 of each side. fewest_rows: 200.

Source
    Breck et al. 2017, Data 5; Yeom et al. 2018 and Watson et al. 2022 (membership); ISO 7064, ISO 7812-1, ISO 13616.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mltestscore import Finding, Table, check, fault
from mltestscore.errors import NotOffered
from mltestscore.inputs.access import EVERYONE, declared
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.deletions import Deletions
from mltestscore.inputs.model import Model
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.stores import Stores
from mltestscore.privacy import observed, planted
from mltestscore.privacy.places import places

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@check("data.5", proof_options={"membership_rows": 2000})
def check_privacy(
    training: Dataset,
    model: Model,
    stores: Stores,
    deletions: Deletions,
    registry: Registry,
    clock: datetime,
    holdout: Dataset | None = None,
    serving: Dataset | None = None,
    recomputed: Dataset | None = None,
    outcomes: Dataset | None = None,
    *,
    deadline_days: float = 30.0,
    allowed: Sequence[str] = (),
    fewest: int = 3,
    alpha: float = 0.001,
    max_membership_auc: float = 0.7,
    membership_rows: int = 4000,
    fewest_rows: int = 200,
) -> Iterator[Finding | Table]:
    """No personal data in derived places, no deleted subject anywhere, no wider access, no telling memory."""
    found, due = (
        places((training, holdout, serving, recomputed, outcomes), stores, model),
        deletions.due(clock, deadline_days),
    )
    yield from observed.personal_data([place for place in found if not place.raw], allowed, fewest, alpha)
    yield from observed.deleted_subjects(found, due, deletions.identifiers)
    yield observed.learned_too_early(deletions, due, registry)
    yield from observed.readers(found)
    if holdout is not None:
        sizes = {"rows": membership_rows, "fewest": fewest_rows}
        yield observed.members(model, training, holdout, **sizes, alpha=alpha, limit=max_membership_auc)
    rows = [(one.name, "raw" if one.raw else "derived", len(one.tables), one.rows) for one in found]
    yield Table("Places that were searched", ["place", "kind", "tables", "rows"], rows)


@fault(check_privacy, "e-mail addresses get into the training data", caught_by=observed.PERSONAL)
def addresses_learned(training: Dataset) -> dict[str, Dataset]:
    """A free text is added as a feature."""
    return {"training": planted.remarked(training, planted.addresses())}


@fault(check_privacy, "card numbers get into a derived store", caught_by=observed.PERSONAL)
def cards_stored(stores: Stores) -> dict[str, Stores]:
    """Requests are logged as they came."""
    first = next((one for one in stores.derived if one.tables), None)
    if first is None:
        raise NotOffered("a derived store", "declare one under [tool.mltestscore.stores.NAME]")
    name, table = next(iter(first.tables.items()))
    changed = replace(first, tables={**first.tables, name: planted.remarked(table, planted.cards())})
    return {"stores": stores.replace(changed)}


@fault(check_privacy, "a deleted subject stays in the training data", caught_by=observed.DELETED)
def left_in_training(training: Dataset, deletions: Deletions) -> dict[str, Dataset | Deletions]:
    """The snapshot was made before the deletion and is used again."""
    learned = planted.haunted(training, deletions.identifiers[0])
    return {"training": learned, "deletions": planted.forgotten(deletions, LONG_AGO)}


@fault(check_privacy, "a deleted subject stays in the stores", caught_by=observed.DELETED)
def left_in_stores(stores: Stores, deletions: Deletions) -> dict[str, Stores | Deletions]:
    """The job that purges the copies fails."""
    haunted = (planted.haunted_store(one, deletions.identifiers[0]) for one in stores)
    return {"stores": stores.replace(*haunted), "deletions": planted.forgotten(deletions, LONG_AGO)}


@fault(check_privacy, "a deleted subject stays inside of the model", caught_by=observed.DELETED)
def left_in_model(model: Model, deletions: Deletions) -> dict[str, Model | Deletions]:
    """An encoder keeps the identifiers that it saw."""
    hoarding = planted.hoarding(model, [planted.SUBJECT])
    return {"model": hoarding, "deletions": planted.forgotten(deletions, LONG_AGO)}


@fault(check_privacy, "the model that serves learned a subject before its deletion", caught_by=observed.EARLY)
def learned_before(deletions: Deletions, registry: Registry, clock: datetime) -> dict[str, Registry | Deletions]:
    """Nobody trained again."""
    older = registry.replace(trained_at=LONG_AGO, stages={})
    asked = LONG_AGO + (clock - LONG_AGO) / 2
    return {"registry": older, "deletions": planted.forgotten(deletions, asked, learned=True)}


@fault(check_privacy, "everybody may read what is derived", caught_by=observed.READERS)
def opened(stores: Stores) -> dict[str, Stores]:
    """A copy is made without the rights of the original."""
    if not stores.raw or not stores.derived:
        raise NotOffered("a raw and a derived store", "declare both under [tool.mltestscore.stores.NAME]")
    narrow = (replace(one, access=declared(["the owner of the raw data"])) for one in stores.raw)
    wide = (replace(one, access=declared([EVERYONE])) for one in stores.derived)
    return {"stores": stores.replace(*narrow, *wide)}


@fault(check_privacy, "the model knows its training rows by heart", caught_by=observed.MEMBERS)
def learned_by_heart(model: Model, training: Dataset, holdout: Dataset) -> dict[str, Model]:
    """A model far too large for its data."""
    return {"model": planted.remembering(model, training)}
