"""TensorFlow Data Validation: statistics of both files, the schema inferred, anomalies and skew of every column."""

from __future__ import annotations

import pandas as pd
import tensorflow_data_validation as tfdv
from exchange import tell, told

NUMBERS_LIMIT = 0.05
TEXTS_LIMIT = 0.02


def main() -> None:
    """Compare all columns."""
    work = told()
    training, serving = (
        tfdv.generate_statistics_from_dataframe(pd.read_parquet(work.file(name), columns=list(work.features)))
        for name in ("training", "serving")
    )
    schema = tfdv.infer_schema(training)
    for name in work.numbers:
        tfdv.get_feature(schema, name).skew_comparator.jensen_shannon_divergence.threshold = NUMBERS_LIMIT
    for name in work.texts:
        tfdv.get_feature(schema, name).skew_comparator.infinity_norm.threshold = TEXTS_LIMIT
    anomalies = tfdv.validate_statistics(training, schema, serving_statistics=serving)
    compared = len(anomalies.drift_skew_info)
    if compared != len(work.features):
        raise SystemExit(f"{compared} of {len(work.features)} columns compared")
    tell(f"{compared} columns compared", ("tensorflow-data-validation", "tensorflow", "pandas"))


if __name__ == "__main__":
    main()
