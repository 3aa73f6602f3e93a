"""What no query can answer comes to the same where Great Expectations runs on pandas and where it runs on Spark."""

from __future__ import annotations

import pandas as pd

from mltestscore.inputs import gx
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.rules import Rule

FRAME = pd.DataFrame({"text": ["{}", "[1", "3", None], "n": [1.0, 2.0, 3.0, 2.5]})
JSON = Rule("expect_column_values_to_be_json_parseable", {"column": "text"})
SPREAD = Rule("expect_column_value_z_scores_to_be_less_than", {"column": "n", "threshold": 1.0, "double_sided": True})
OTHERS = [JSON, SPREAD]


def test_the_same_rows_are_unexpected(offered):
    dataset = open_dataset("data", offered({"data": FRAME})["data"])
    found = [(one.broken, one.unexpected, one.rows) for one in gx.judged(dataset, OTHERS)]
    assert found == [(True, 1, 3), (True, 2, 4)]
