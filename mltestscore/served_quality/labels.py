"""Served rows and the labels that came later, joined by key in the database; which labels should be in by now.

A row is *due* when its label should be known: it was served longer ago than labels take. Younger rows are left out of
every figure, those with a label too, because labels that come early are often of one kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mltestscore.comparison import columns
from mltestscore.comparison.keys import alike, drawn, key_of, keyed, row
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset, Roles
from mltestscore.inputs.sources import Content

if TYPE_CHECKING:
    import ibis
    import pandas as pd

LABEL, AT = "mltestscore_label", "mltestscore_at"
KNOWN = "mltestscore_known"
USUAL = 0.99  # of the labels that came have come within the measured delay
HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class Late:
    """The serving log with the labels known by now.

    Attributes:
        table: one row a served key, unevaluated: the log's columns, ``LABEL`` (NULL where none is known) and, where
            the log has times, ``AT`` in seconds since 1970.
        names: the columns of the key in ``table``.
        served: keys in the log.
        twice: keys that are left out because the log, or the labels, contradict themselves about them.
        until: rows served at this time or earlier are due, in seconds since 1970; ``None`` where times are not known.
        delay: how long labels take, in hours; ``None`` where that is not known.
        how: where the delay comes from, in words.
        young: rows that are not due.
    """

    table: ibis.Table
    names: tuple[str, ...]
    served: int
    twice: int
    until: float | None
    delay: float | None
    how: str
    young: int

    @property
    def due(self) -> Any:
        """The rows that are due, unevaluated."""
        return self.table if self.until is None else self.table.filter(self.table[AT] <= self.until)


def joined(serving: Dataset, outcomes: Dataset, clock: datetime | None, delay_hours: float | None) -> Late:
    """Join the labels to the log by key; ``delay_hours`` is the declared delay, ``None`` to measure it.

    The time that a label became known is the column that the ``feature_times`` of ``outcomes`` name for the label.
    Labels that became known after ``clock`` are not known yet.

    Raises :class:`NotOffered` where a role is missing, :class:`InputError` where no key of both meets.
    """
    for dataset, role, column in ((outcomes, "label", outcomes.roles.label), (serving, "score", serving.roles.score)):
        if not column:
            table = f"[tool.mltestscore.data.{dataset.name}]"
            raise NotOffered(f"the {role} column of {dataset.name}", f"name it with {role} = … under {table}")
    mine, theirs = key_of(serving, outcomes)
    if not mine:
        raise NotOffered("a key of serving and outcomes", "name their common columns with key = […] under both tables")
    left, right = columns.together(serving.table, outcomes.table)
    names = tuple(f"mltestscore_key_{place}" for place in range(len(mine)))
    pairs = list(zip(names, mine, theirs, strict=True))
    ours = {name: alike(left[one], right[other]) for name, one, other in pairs}
    if serving.roles.time:
        ours[AT] = columns.seconds(left[serving.roles.time])
    known = dict(outcomes.roles.feature_times).get(outcomes.roles.label, "")
    its = {name: alike(right[other], left[one]) for name, one, other in pairs}
    its[LABEL] = columns.present(right[outcomes.roles.label])
    if known:
        its[KNOWN] = columns.seconds(right[known])
    served, labels = keyed(left.mutate(**ours), names), keyed(right.select(**its), names)
    table = served.table.left_join(labels.table, list(names), rname="mltestscore_other_{name}")
    table = table.drop(*(name for name in table.columns if name.startswith("mltestscore_other_")))
    late = _known_by(table, clock, KNOWN if known else "")
    until, delay, how, young = _due(late, serving, clock, delay_hours, bool(known))
    twice = served.keys - served.once + labels.keys - labels.once
    if not row(late.aggregate(n=late[LABEL].count()))["n"]:
        texts = [str(one.select(keys[0]).limit(1).to_pyarrow()[0][0]) for one, keys in ((left, mine), (right, theirs))]
        repeated = next((data.name for data, one in ((serving, served), (outcomes, labels)) if not one.once), "")
        raise InputError(
            f"No label of outcomes ({outcomes.source}) joins a served row by {', '.join(mine)}: serving has "
            f"{texts[0]!r:.60}, outcomes {texts[1]!r:.60}. {_apart(repeated)}"
        )
    return Late(late, names, served.once, twice, until, delay, how, young)


def _apart(repeated: str) -> str:
    """Return what to do where no label meets a row; ``repeated``: whose every key stands in several rows, if any."""
    if not repeated:
        return "Write both keys in the same form."
    return f"Every key of {repeated} stands in several rows: drop what was written twice, or name the whole key."


def _known_by(table: Any, clock: datetime | None, known: str) -> Any:
    import ibis

    if clock is None or not known:
        return table
    seen = table[known].isnull() | (table[known] <= clock.timestamp())
    return table.mutate(**{LABEL: ibis.ifelse(seen, table[LABEL], ibis.null(table[LABEL].type()))})


def _due(
    table: Any, serving: Dataset, clock: datetime | None, declared: float | None, known: bool
) -> tuple[float | None, float | None, str, int]:
    """Return the last time of a row that is due, the delay in hours, where it comes from, and the younger rows."""
    if not serving.roles.time:
        return None, declared, "the log has no time column, so every row counts as due", 0
    labelled = table.filter(table[LABEL].notnull())
    asked = {"last": labelled[AT].max(), "now": table[AT].max()}
    if known:
        asked["delay"] = (labelled[KNOWN] - labelled[AT]).quantile(USUAL)
        asked["seen"] = labelled[KNOWN].max()
    found = row(labelled.aggregate(**{name: value for name, value in asked.items() if name != "now"}))
    newest = row(table.aggregate(now=asked["now"]))["now"]
    now = (
        clock.timestamp()
        if clock is not None
        else max((t for t in (newest, found.get("seen")) if t is not None), default=0.0)
    )
    if declared is not None:
        until, delay, how = now - declared * HOUR, declared, "declared"
    elif found.get("delay") is not None:
        delay = max(0.0, float(found["delay"])) / HOUR
        until, how = now - delay * HOUR, f"within which {USUAL:.0%} of the labels came"
    else:
        until, delay = found["last"], None
        how = "not known: rows after the newest one with a label count as too young; declare label_delay_hours"
    if until is None:
        return None, delay, "no label has a served time, so every row counts as due", 0
    young = int(row(table.aggregate(n=table.count(where=table[AT] > until)))["n"])
    return float(until), delay, how, young


@dataclass(frozen=True)
class Span:
    """From when to when rows were served, ends included, in seconds since 1970; ``None`` for no limit.

    ``older`` says whether the log has due rows before it.
    """

    low: float | None = None
    high: float | None = None
    older: bool = False


def newest(late: Late, days: float, least: int) -> Span:
    """Return the newest window of due rows: ``days`` long, or longer to hold ``least`` rows.

    Where the log has no times all rows are the window.
    """
    if late.until is None:
        return Span()
    due = late.due
    ends = row(due.aggregate(low=due[AT].min(), high=due[AT].max()))
    if ends["high"] is None:
        return Span()
    low, high, length = float(ends["low"]), float(ends["high"]), days * DAY
    while length < high - low and row(due.aggregate(n=due.count(where=due[AT] > high - length)))["n"] < least:
        length *= 2
    return Span(max(low, high - length), high, older=high - length > low)


def rows(late: Late, wanted: Sequence[str], span: Span, most: int, together: str = "") -> pd.DataFrame:
    """Return the due rows of a span, in order of time; at most about ``most``.

    Of more rows a hash of the key draws some, or of the column that names rows which must stay ``together``. Columns:
    ``wanted`` of the log, ``LABEL`` and, with times, ``AT``.
    """
    due = late.due
    if span.low is not None and span.high is not None:
        due = due.filter(due[AT].between(span.low, span.high))
    if late.served > most:
        count = int(row(due.aggregate(n=due.count()))["n"])
        due = due.filter(drawn(due, [together] if together else late.names, most / max(1, count)))
    kept = list(dict.fromkeys([*wanted, LABEL, *([AT] if AT in due.columns else [])]))
    order = [*([AT] if AT in due.columns else []), *late.names]
    content = Content("the serving log with its labels", table=due.order_by(order).select(kept))
    return Dataset("serving", content, Roles()).frame()
