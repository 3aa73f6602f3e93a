"""Every place that may hold data of people, in one form: tables to search and who may read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from mltestscore.inputs.access import Access, of_files
from mltestscore.inputs.artefact import texts_of_object
from mltestscore.inputs.dataset import Dataset, Roles
from mltestscore.inputs.model import Model
from mltestscore.inputs.sources import Content
from mltestscore.inputs.stores import TEXT, Stores
from mltestscore.privacy.scan import Hits, personal
from mltestscore.privacy.subjects import Trace, Wanted, traces

MODEL = "model"


@dataclass(frozen=True)
class Place:
    """A dataset, a store or the model.

    Attributes:
        name: as the reader knows it.
        tables: what is searched.
        access: who may read it.
        raw: whether it holds what users gave.
        derived_from: the raw stores that it comes from; empty: all.
        columns: the identifier that a column holds, where its name is another.
        unread: what could not be searched in full.
        is_store: whether it was offered as a store.
    """

    name: str
    tables: tuple[Dataset, ...]
    access: Access = field(default_factory=Access)
    raw: bool = False
    derived_from: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    is_store: bool = False

    @property
    def has_rights(self) -> bool:
        """Whether it lies somewhere with rights of its own: a store, or a dataset's files."""
        return self.is_store or bool(self.access.kind)

    @property
    def rows(self) -> int:
        """Number of rows of all tables."""
        return sum(table.rows for table in self.tables)

    def personal(self) -> tuple[list[Hits], int]:
        """Return what looks like personal data, and the number of columns that could hold some."""
        found = [personal(table) for table in self.tables]
        return [hit for hits, _ in found for hit in hits], sum(columns for _, columns in found)

    def traces(self, searched: Iterable[Wanted]) -> list[Trace]:
        """Return what is left of deleted subjects."""
        groups = list(searched)
        return [trace for table in self.tables for one in groups for trace in traces(table, one, self.columns)]


def places(datasets: Iterable[Dataset | None], stores: Stores, model: Model) -> list[Place]:
    """Return all places, datasets first."""
    found = [
        Place(data.name, (data,), of_files(data.files) if data.files else Access())
        for data in datasets
        if data is not None
    ]
    for one in stores:
        tables = tuple(one.tables.values())
        name, sources = f"store {one.name}", tuple(f"store {name}" for name in one.derived_from)
        found.append(Place(name, tables, one.access, one.raw, sources, one.columns, one.unread, is_store=True))
    return [*found, _of_model(model)]


def _of_model(model: Model) -> Place:
    held = texts_of_object(model.estimator)
    frame = pd.DataFrame({TEXT: pd.Series(held.texts, dtype="string")})
    unread = () if held.complete else (f"{model.source}: too large to be walked in full",)
    return Place(MODEL, (Dataset(MODEL, Content(model.source, frame=frame), Roles()),), unread=unread)
