"""A Feast repository with one feature; `feast serve` serves it. The feature's value stands in for a score."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.types import Float64
from model import folder_and_port, keep

folder, _ = folder_and_port()
(folder / "feature_store.yaml").write_text(
    "project: matrix\nregistry: registry.db\nprovider: local\n"
    "online_store: {type: sqlite, path: online.db}\noffline_store: {type: dask}\n"
    "entity_key_serialization_version: 3\n"
)
now = datetime.now(UTC)
rates = {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}
frame = pd.DataFrame({"driver_id": list(rates), "rate": list(rates.values())})
frame["at"] = now - timedelta(hours=1)
frame.to_parquet(folder / "stats.parquet")
driver = Entity(name="driver_id")
source = FileSource(path=str(folder / "stats.parquet"), timestamp_field="at")
view = FeatureView(
    name="stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[Field(name="rate", dtype=Float64)],
    source=source,
)
store = FeatureStore(repo_path=str(folder))
store.apply([driver, view])
store.materialize(now - timedelta(hours=2), now)
keep(folder, ["driver_id"], [[key] for key in rates], [[rate] for rate in rates.values()])
