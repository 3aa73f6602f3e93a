"""An inferred schema fits the data that it came from, rejects corrupted columns and says that nobody reviewed it."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import pandas as hp

from mltestscore.comparison.levels import rate
from mltestscore.corruptions import rejected
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.gx import validate
from mltestscore.inputs.inference import inferred, suite
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import load_schema


def visits(rows: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    age = rng.integers(18, 90, rows).astype(float)
    age[rng.random(rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "id": [f"visit-{number}" for number in range(rows)],
            "temperature": rng.normal(36.8, 0.6, rows).round(2),
            "age": age,
            "ward": rng.choice(["north", "south", "west"], rows),
            "fever": rng.random(rows) < 0.2,
            "at": pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 86_400 * 60, rows), unit="s"),
            "stays": rng.integers(0, 5, rows),
        }
    )


def training(frame: pd.DataFrame, **roles) -> Dataset:
    return open_dataset("training", frame, Roles(**roles))


def rules_of(dataset: Dataset, column: str) -> dict[str, dict]:
    return {rule.type: dict(rule.kwargs) for rule in inferred(dataset).rules if rule.column == column}


@pytest.fixture(scope="module")
def known() -> Dataset:
    return training(visits(), key=("id",), label="stays")


def test_the_data_obey_what_they_suggested(known):
    assert inferred(known).violations(known) == []


def test_nine_in_ten_corrupted_columns_are_rejected(known):
    found = rejected(inferred(known), known.sample(1_000), [name for name in known.columns if name != "id"])
    killed = [one for ways in found.values() for one in ways.values()]
    assert sum(killed) / len(killed) >= 0.9
    assert all(any(ways.values()) for ways in found.values())


def healthy(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Heavy tails, counts, rare categories and gaps: what surprises in the next rows of a sound system."""
    columns: dict[str, object] = {}
    for place in range(8):
        columns[f"price{place}"] = rng.lognormal(3, 1.5, rows)
        columns[f"count{place}"] = rng.poisson(1 + place, rows)
        columns[f"wait{place}"] = np.where(rng.random(rows) < 0.01, np.nan, rng.standard_t(3, rows))
        columns[f"city{place}"] = np.char.add("c", (rng.zipf(2.0, rows) % 60).astype(str))
    return pd.DataFrame(columns)


@pytest.mark.parametrize("rows", [250, 2_500, 25_000])
def test_the_next_rows_of_a_sound_system_do_not_break_what_was_inferred(rows):
    rng = np.random.default_rng(rows)
    schema = inferred(training(healthy(rows, rng)))
    later = open_dataset("holdout", healthy(max(250, rows // 3), rng))

    broken = [one for one in schema.violations(later) if not one.missing]
    shown = [one for one in broken if rate(one.unexpected, one.rows, 0.05).low > 1 - one.rule.mostly]
    assert [(one.column, one.rule.text, one.unexpected, one.rows) for one in shown] == []


def test_a_few_gaps_among_many_rows_break_nothing_where_none_was_seen():
    frame = pd.DataFrame({"id": range(32_064), "x": np.linspace(0, 1, 32_064)})
    schema = inferred(training(frame, key=("id",)))
    few, many = (open_dataset("serving", frame.assign(x=frame["x"].mask(frame["id"] < gaps))) for gaps in (4, 320))
    assert schema.violations(few) == []
    assert [one.column for one in schema.violations(many)] == ["x"]
    without_key = frame.assign(id=frame["id"].astype("Int64").mask(frame["id"] < 1))
    assert "id" in {one.column for one in schema.violations(open_dataset("serving", without_key))}


def test_a_key_is_unique_and_a_label_counts_as_a_column(known):
    assert "expect_column_values_to_be_unique" in rules_of(known, "id")
    assert rules_of(known, "stays")["expect_column_values_to_be_between"] == {
        "column": "stays",
        "min_value": 0,
        "max_value": 4,
        "mostly": 0.996,
    }


def test_numbers_that_name_rows_have_no_range():
    frame = pd.DataFrame({"key": range(100), "order": range(1_000, 1_100), "size": [1, 2, 3, 4] * 25})
    orders = training(frame, key=("key",))
    ranged = [rule.column for rule in inferred(orders).rules if rule.type == "expect_column_values_to_be_between"]
    assert ranged == ["size"]


def test_whole_numbers_with_gaps_are_integers_that_may_be_missing(known):
    rules = rules_of(known, "age")
    assert "int64" in rules["expect_column_values_to_be_in_type_list"]["type_list"]
    assert 0.8 < rules["expect_column_values_to_not_be_null"]["mostly"] < 0.9


def test_few_texts_are_a_set_and_many_are_names(known):
    assert rules_of(known, "ward")["expect_column_values_to_be_in_set"]["value_set"] == ["north", "south", "west"]
    assert "expect_column_value_lengths_to_be_between" in rules_of(known, "id")


def test_one_genuinely_new_category_in_a_few_rows_of_many_breaks_nothing():
    frame = pd.DataFrame({"carrier": np.array(["AA", "B6", "UA"])[np.arange(30_000) % 3]})
    schema = inferred(training(frame))
    few, many = (
        open_dataset("serving", frame.assign(carrier=frame["carrier"].mask(frame.index % one == 0, "DL")))
        for one in (330, 50)
    )
    assert schema.violations(few) == []
    assert [one.column for one in schema.violations(many)] == ["carrier"]


def test_several_keys_are_unique_together():
    frame = pd.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "x"], "value": [0.5, 1.5, 2.5]})
    assert (
        Rule("expect_compound_columns_to_be_unique", {"column_list": ["a", "b"]})
        in inferred(training(frame, key=("a", "b"))).rules
    )


def test_a_column_without_values_gets_its_type_only():
    rules = rules_of(training(pd.DataFrame({"empty": [None, None], "n": [1, 2]}).astype({"empty": "float64"})), "empty")
    assert list(rules) == ["expect_column_values_to_be_in_type_list"]


def test_the_suite_is_one_that_we_read_again(known, tmp_path):
    file = tmp_path / "expectations.json"
    file.write_text(json.dumps(suite(inferred(known), "visits")), encoding="utf-8")
    assert load_schema(file).rules == inferred(known).rules


def test_great_expectations_accepts_the_rules_and_finds_the_data_obey_them(known):
    """Types are left out: an integer with gaps is an integer to us, and a float to Great Expectations on pandas."""
    rules = [rule for rule in inferred(known).rules if not rule.type.endswith("in_type_list")]
    assert [rules[place].text for place, one in enumerate(validate(known.frame(), rules)) if one.broken] == []


COLUMNS = [
    hp.column("number", elements=st.floats(allow_nan=True, allow_infinity=False, width=32)),
    hp.column("whole", elements=st.integers(-(2**40), 2**40)),
    hp.column("text", elements=st.text(max_size=8), dtype=object),
    hp.column("flag", elements=st.booleans()),
]


@settings(deadline=None, max_examples=60)
@given(hp.data_frames(COLUMNS, index=hp.range_indexes(min_size=1, max_size=30)))
def test_any_data_obey_what_they_suggested(frame):
    dataset = training(frame)
    assert inferred(dataset).violations(dataset, examples=0) == []
