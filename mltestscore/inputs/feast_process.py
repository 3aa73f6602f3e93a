"""Asks a Feast repository for feature values, in the Python that Feast is installed in: ``python SCRIPT WORK``.

It runs alone, so it imports nothing of ours. Reads ``WORK/request.json`` and ``rows.parquet``, writes
``values.parquet``, or ``error.json`` where the request cannot be met.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

BATCH = 5_000  # entities asked of the online store at once
TIME, ROW = "event_timestamp", "mltestscore_row"


class RefusedError(Exception):
    """What the request lacks, for the reader."""


def main(work: Path) -> None:
    """Answer the request in ``work``."""
    import pandas as pd

    try:
        from feast import FeatureStore  # type: ignore[import-not-found]
    except ImportError as error:
        raise RefusedError(f"Feast cannot be imported by {sys.executable}: {error}") from error
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    store = FeatureStore(repo_path=request["repository"])
    by_view = _by_view(store, request["features"], request["service"])
    views = {view.name: view for view in store.list_all_feature_views()}
    unknown = [name for name in by_view if name not in views and not request["service"]]
    if unknown:
        raise RefusedError(f"Feast has no feature view {unknown[0]!r}; it has {_some(views)}")
    keys = list(dict.fromkeys(key for name in by_view for key in getattr(views.get(name), "join_keys", [])))
    rows = pd.read_parquet(work / "rows.parquet")
    wanted = [*keys, *([request["time"]] if request["how"] == "historical" else [])]
    lacking = [name for name in wanted if name not in rows.columns]
    if lacking:
        raise RefusedError(
            f"the rows have no column {lacking[0]!r}, which Feast asks for; they have {_some(rows.columns)}"
        )
    if request["how"] == "historical":
        found = _historical(store, by_view, rows, keys, rows[request["time"]])
    else:
        rows = rows.drop_duplicates(keys, ignore_index=True)
        found = _online(store, by_view, rows[keys]) if request["how"] == "online" else None
        if found is None:
            moments = {name: _materialized(views.get(name), name) for name in by_view}
            parts = [_historical(store, {name: by_view[name]}, rows, keys, moments[name]) for name in by_view]
            found = pd.concat(parts, axis=1)
    kept = [name for name in dict.fromkeys([*request["kept"], *keys]) if name in rows.columns]
    pd.concat([rows[kept].drop(columns=found.columns, errors="ignore"), found], axis=1).to_parquet(
        work / "values.parquet", index=False
    )


def _by_view(store: Any, features: list[str], service: str) -> dict[str, list[str]]:
    """Return the features to ask for, by view; Feast itself says what it does not know."""
    named = [tuple(one.split(":", 1)) for one in features]
    if service:
        for view in store.get_feature_service(service).feature_view_projections:
            named += [(view.name_to_use(), feature.name) for feature in view.features]
    by_view: dict[str, list[str]] = {}
    for view_name, feature in named:
        by_view.setdefault(view_name, []).append(feature)
    return by_view


def _references(by_view: dict[str, list[str]]) -> list[str]:
    return [f"{view}:{feature}" for view, features in by_view.items() for feature in features]


def _historical(store: Any, by_view: dict[str, list[str]], rows: Any, keys: list[str], time: Any) -> Any:
    """Return the values as they were known at ``time``, in the order of the rows."""
    import pandas as pd

    moments = pd.to_datetime(time, utc=True)
    asked = rows[keys].assign(**{TIME: moments, ROW: range(len(rows))})
    found = store.get_historical_features(entity_df=asked, features=_references(by_view)).to_df()
    return found.set_index(ROW).reindex(range(len(rows)))[_names(by_view)]


def _online(store: Any, by_view: dict[str, list[str]], entities: Any) -> Any:
    import pandas as pd

    asked = entities.to_dict("records")
    parts = [
        store.get_online_features(features=_references(by_view), entity_rows=asked[first : first + BATCH]).to_df()
        for first in range(0, len(asked), BATCH)
    ]
    return pd.concat(parts, ignore_index=True)[_names(by_view)]


def _names(by_view: dict[str, list[str]]) -> list[str]:
    return [feature for features in by_view.values() for feature in features]


def _materialized(view: Any, name: str) -> datetime:
    """Return up to when a view was copied into the online store; now, where values are pushed into it instead."""
    done = [end for _, end in getattr(view, "materialization_intervals", [])]
    return max(done) if done else datetime.now(timezone.utc)  # noqa: UP017 - Feast may run on Python 3.10


def _some(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in list(names)[:20])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        main(folder)
    except Exception as error:
        text = str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
        (folder / "error.json").write_text(json.dumps(text[:1000]), encoding="utf-8")
        sys.exit(1)
