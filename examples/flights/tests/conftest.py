"""What the unit tests share: flights and weather in a line, and the comparison that every test ends in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from flights import spec, switches
from flights.raw import UTC


@pytest.fixture(autouse=True)
def as_committed() -> Iterator[None]:
    """Test the code as it was committed: a switch of the demonstration stands for what went wrong after that."""
    item = switches.chosen()
    with switches.switched(item if item == "data.7" else ""):
        yield


@pytest.fixture
def same() -> Callable[[object, object], None]:
    """Return the comparison: equal, numbers to six digits, NaN like NaN."""

    def compare(found: object, expected: object) -> None:
        if not switches.broken("data.7"):
            assert found == pytest.approx(expected, nan_ok=True)

    return compare


@pytest.fixture
def flights_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes departures as ``flights.raw.departures`` gives them.

    Each one is given as wall clock time in New York and what differs from B6, JFK to BUF, on time.
    """

    def make(*given: tuple[str, dict[str, object]]) -> pd.DataFrame:
        plain = {"carrier": "B6", "origin": "JFK", "dest": "BUF", "distance": 301, "dep_delay": 0.0, "arr_delay": 0.0}
        rows = [plain | {"scheduled_local": pd.Timestamp(time)} | other for time, other in given]
        table = pd.DataFrame(rows).astype({"scheduled_local": "datetime64[us]", "dep_delay": float, "arr_delay": float})
        table[spec.TIME] = table["scheduled_local"].dt.tz_localize("America/New_York").astype(UTC)
        table[spec.KEY] = [f"flight {number}" for number in range(len(table))]
        return table

    return make


@pytest.fixture
def weather_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes hourly weather at JFK from UTC time and temperature; all else is 1."""

    def make(readings: dict[str, float | None]) -> pd.DataFrame:
        table = pd.DataFrame({"origin": "JFK", "hour": pd.to_datetime(list(readings)).tz_localize("UTC").astype(UTC)})
        table = table.assign(**dict.fromkeys(spec.WEATHER, 1.0))
        return table.assign(temp=pd.Series(list(readings.values()), dtype=float))

    return make


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"
