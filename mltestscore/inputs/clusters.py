"""How much less the rows of a table say because they come in clusters, counted where the data is."""

from __future__ import annotations

from typing import Any

from mltestscore.stats.cluster import design_effect


def clustered_share(rows: Any, hit: Any, cluster: Any) -> float:
    """Return the design effect of the share of ``rows`` (an Ibis table) in which ``hit`` is true.

    ``hit`` and ``cluster`` are columns of ``rows``; the first is Boolean. See :func:`design_effect`.
    """
    # PostgreSQL makes no number of a truth value.
    each = rows.select(cluster=cluster, hit=hit.ifelse(1, 0).cast("float64"))
    groups = each.group_by("cluster").aggregate(n=each.count().cast("float64"), hits=each.hit.sum())
    sums = {"rows": groups.n, "hits": groups.hits, "rows2": groups.n * groups.n, "hits2": groups.hits * groups.hits}
    totals = {name: column.sum() for name, column in sums.items()} | {"both": (groups.n * groups.hits).sum()}
    return design_effect(**groups.aggregate(clusters=groups.count(), **totals).to_pyarrow().to_pylist()[0])
