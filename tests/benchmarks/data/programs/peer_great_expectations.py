"""Great Expectations: the forty expectations on both files as pandas frames; nothing of drift or invariants."""

from __future__ import annotations

import json

import great_expectations as gx
import pandas as pd
from exchange import tell, told
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration


def main() -> None:
    """Validate both files."""
    work = told()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("frames")
    suite = gx.ExpectationSuite(name="forty")
    for one in json.loads(work.suite.read_text(encoding="utf-8"))["expectations"]:
        suite.add_expectation_configuration(ExpectationConfiguration(type=one["type"], kwargs=one["kwargs"]))
    said = []
    for name in ("training", "serving"):
        frame = pd.read_parquet(work.file(name), columns=list(work.features))
        definition = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        result = definition.get_batch({"dataframe": frame}).validate(suite)
        held = sum(bool(one.success) for one in result.results)
        said.append(f"{held} of {len(result.results)}")
    tell(f"{' and '.join(said)} expectations held", ("great-expectations", "pandas", "numpy"))


if __name__ == "__main__":
    main()
