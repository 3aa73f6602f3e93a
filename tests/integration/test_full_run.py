"""The date of the last run at full size."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.integration.full_run import days_since
from tests.integration.shop import shop, write_shop

NOON = datetime(2024, 5, 11, 12, tzinfo=UTC)


@pytest.fixture
def told(tmp_path):
    """Return a function that gives the days since the date that a file tells."""
    pipeline = shop(write_shop(tmp_path / "shop"))

    def days(name: str, text: str, field: str = ""):
        (pipeline.folder / name).write_text(text)
        return days_since(pipeline.replace(last_full_run=name, last_full_run_field=field, now=NOON))

    return days


@pytest.mark.parametrize(
    ("name", "text", "field", "days"),
    [
        ("a.txt", "last full run: 2024-05-10 12:00 (CI 4711)", "", 1),
        ("a.txt", "2024-05-10T08:00:00-04:00", "", 1),
        ("a.json", '{"run": {"ended": "2024-05-01"}}', "run.ended", 10.5),
        ("a.toml", "ended = 2024-05-09T12:00:00Z", "ended", 2),
    ],
)
def test_dates_are_read_where_they_stand(told, name, text, field, days):
    assert told(name, text, field) == days


@pytest.mark.parametrize(
    ("name", "text", "field", "error", "said"),
    [
        ("a.txt", "yesterday", "", InputError, "tells no date"),
        ("a.txt", "2024-13-45", "", InputError, "tells no date"),
        ("a.json", '{"run": {"ended": "2024-05-01"}}', "run.endet", ConfigError, "Did you mean 'ended'"),
        ("a.json", "{", "run", InputError, "neither JSON nor TOML"),
        ("a.json", "[]", "0", ConfigError, "there is no '0'"),
    ],
)
def test_a_file_without_a_date_is_an_error(told, name, text, field, error, said):
    with pytest.raises(error, match=said):
        told(name, text, field)


def test_without_a_file_nothing_is_told(tmp_path):
    pipeline = shop(write_shop(tmp_path / "shop"))
    assert days_since(pipeline.replace(now=NOON)) is None
    with pytest.raises(InputError, match="there is no file"):
        days_since(pipeline.replace(now=NOON, last_full_run="absent.json"))
