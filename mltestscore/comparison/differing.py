"""A bounded sample of the rows that differ, and what stands around them; each question is asked when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mltestscore.comparison.join import Differences, KeyJoin, differs
from mltestscore.comparison.keys import drawn, label
from mltestscore.inputs import database

if TYPE_CHECKING:
    import pandas as pd

EACH = 1_000
IN_ALL = 20_000
SMALL = 200_000
HISTORY = 200_000


class Rows:
    """Rows in which features do not match, chosen by a hash of the key: about 1,000 of each, 20,000 in all.

    Attributes:
        join: the join that they are of.
        each: how many of one feature are looked at.
    """

    def __init__(self, join: KeyJoin, features: Sequence[Differences], each: int = EACH) -> None:
        self.join = join
        self.each = max(1, min(each, IN_ALL // max(1, len(features))))
        self._features = features
        self._draw: dict[int, float] = {}
        for one in features:
            # So many more that a draw all but surely holds as many as are wanted.
            self._draw[one.place] = min(1.0, (self.each + 5 * self.each**0.5 + 10) / max(1, one.rows))

    def of(self, one: Differences) -> pd.DataFrame:
        """Return the rows in which a feature does not match.

        Columns: ``served``, ``computed``, ``gone``, ``none``, the other features of the same kind as ``other_j``,
        ``entity``, ``at``, ``key_0`` … as in the join, and ``label``, the whole key as a text.
        """
        frame, i = self._frame[self._frame[f"differs_{one.place}"]].head(self.each), one.place
        own = {f"served_{i}": "served", f"computed_{i}": "computed", f"gone_{i}": "gone", f"none_{i}": "none"}
        same = [other for other in self.join.features if other.kind == one.kind and other.place != i]
        others = {f"computed_{other.place}": f"other_{other.place}" for other in same}
        about = [name for name in frame.columns if name in ("entity", "at", "label") or name.startswith("key_")]
        return frame[[*own, *others, *about]].rename(columns=own | others).reset_index(drop=True)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        sides, names = self.join.sides, list(self.join.sides.names)
        left = self._few() if sides.ours and self.join.joined > SMALL else sides.left.table
        table = sides.pairs([one.place for one in self.join.features], left)
        flags = {f"differs_{one.place}": self._wrong(table, one) for one in self._features}
        table = table.mutate(**flags, label=label(table, names))
        wanted = [table[f"differs_{one.place}"] & drawn(table, names, self._draw[one.place]) for one in self._features]
        order = database.md5(table["label"])
        taken = table.filter(_any(wanted)).order_by([order, "label"]).limit(2 * IN_ALL)
        frame: pd.DataFrame = taken.to_pyarrow().to_pandas()
        return frame

    def _few(self) -> Any:
        """Return a query for few served rows, among them all that are wanted, which costs less than to join them all.

        Of what differs often a hash of the key draws enough, without a join; of the rest, a join of only that.
        """
        left, names = self.join.sides.left.table, list(self.join.sides.names)
        often = [one for one in self._features if self._draw[one.place] * self.join.joined <= IN_ALL]
        rare = [one for one in self._features if one not in often]
        found = []
        if often:
            found.append(left.filter(drawn(left, names, max(self._draw[one.place] for one in often))))
        if rare:
            table = self.join.sides.pairs([one.place for one in rare])
            wanted = [self._wrong(table, one) & drawn(table, names, self._draw[one.place]) for one in rare]
            found.append(left.semi_join(table.filter(_any(wanted)), names))
        return found[0] if len(found) == 1 else found[0].union(found[1], distinct=True)

    def _wrong(self, table: Any, one: Differences) -> Any:
        gone, none = table[f"gone_{one.place}"], table[f"none_{one.place}"]
        return differs(table, one.place, one.kind, one.spread, self.join.rel_tol).fill_null(False) | (gone != none)

    def typical(self, one: Differences) -> tuple[Any, Any]:
        """Return served and computed values of a feature in about 20,000 joined rows, whether or not they differ."""
        sides = self.join.sides
        left = sides.left.table.filter(drawn(sides.left.table, sides.names, IN_ALL / max(1, self.join.joined)))
        names = [f"served_{one.place}", f"computed_{one.place}"]
        frame = sides.pairs([one.place], left).select(*names).limit(2 * IN_ALL).to_pyarrow().to_pandas()
        return frame[names[0]], frame[names[1]]

    def neighbours(self, one: Differences, side: str) -> pd.DataFrame:
        """Return the recomputed values (``value``), and times (``at``), of the rows next to these in key order.

        One row for each of :meth:`of`, in its order; ``side`` is ``"before"`` or ``"after"``. Only rows that met count.
        """
        own = self.of(one)["label"]
        next_to = self._next_to.set_index("label")[side].reindex(own)
        values = self._beside.set_index("label").reindex(next_to.to_numpy())
        found = {"value": values[f"computed_{one.place}"]} | ({"at": values["at"]} if self.join.timed else {})
        return values.assign(**found)[[*found]].reset_index(drop=True)

    @cached_property
    def _next_to(self) -> pd.DataFrame:
        """The keys before and after each row that differs, as texts."""
        import ibis

        sides, names = self.join.sides, list(self.join.sides.names)
        right = sides.right.table
        order = [name for name in right.columns if name.startswith("order_")]
        met = right.select(*names, *order).semi_join(sides.left.table, names)
        met = met.mutate(label=label(met, names))
        window = ibis.window(order_by=order)
        both = met.mutate(before=met["label"].lag().over(window), after=met["label"].lead().over(window))
        near = self._among(both, self._frame["label"]).select("label", "before", "after")
        frame: pd.DataFrame = near.to_pyarrow().to_pandas()
        return frame

    @cached_property
    def _beside(self) -> pd.DataFrame:
        """The recomputed values of the rows next to those that differ."""
        import pandas as pd

        right = self.join.sides.right.table.mutate(label=label(self.join.sides.right.table, self.join.sides.names))
        asked = pd.concat([self._next_to["before"], self._next_to["after"]]).dropna().drop_duplicates()
        values = [f"computed_{one.place}" for one in self._features]
        about = ["label", *(["at"] if self.join.timed else [])]
        frame: pd.DataFrame = self._among(right, asked).select(*about, *values).to_pyarrow().to_pandas()
        return frame

    def _among(self, table: Any, values: Any, column: str = "label") -> Any:
        """Return the rows of ``table`` whose text ``column`` is one of ``values``."""
        import pyarrow as pa

        wanted = [str(one) for one in values]
        if self.join.sides.ours:
            return table.semi_join(database.as_table(pa.table({column: pa.array(wanted, pa.string())})), column)
        return table.filter(table[column].isin(wanted))

    def history(self, one: Differences, entities: Any) -> pd.DataFrame:
        """Return ``at``, ``value`` and, where there are entities, ``entity`` of the recomputed rows, in time order.

        At most 200,000 rows, of these entities; none where there are no entities and too many times to keep.
        """
        source, joined = self.join.sides.history, self.join
        columns = {"at": source["at"], "value": source[f"computed_{one.place}"]}
        if joined.with_entity:
            columns["entity"] = source["entity"]
        past = source.select(**columns)
        past = past.filter(past["at"].notnull(), past["value"].notnull())
        if joined.with_entity:
            past = self._among(past, entities.dropna().unique(), "entity")
        elif joined.joined > HISTORY and self._frame["at"].nunique() > len(self._frame) / 2:
            past = past.limit(0)
        frame: pd.DataFrame = past.distinct().order_by(["at", "value"]).limit(HISTORY).to_pyarrow().to_pandas()
        return frame

    def known(self, one: Differences, values: Any) -> list[Any]:
        """Return which of these single-precision numbers are recomputed values of the feature, of any row."""
        column = self.join.sides.history.select(value=self.join.sides.history[f"computed_{one.place}"].cast("float32"))
        found = column.filter(column["value"].isin([float(value) for value in values.unique()])).distinct()
        return list(found.to_pyarrow()["value"].to_pylist())


def _any(conditions: Sequence[Any]) -> Any:
    import ibis

    return ibis.or_(*conditions)
