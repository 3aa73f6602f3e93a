"""What the source systems deliver today, as far as its form goes: the first rows of each, with all their columns."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from itertools import islice

import pandas as pd
from pyarrow import csv

from flights.raw import data_folder
from flights.switches import broken

LINES = 1_000


def flights() -> pd.DataFrame:
    """Return the first departures, as the airports deliver them."""
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive, archive.open("flights.csv") as lines:
        return _first(lines)


def weather() -> pd.DataFrame:
    """Return the first readings of the weather stations, as the feed delivers them."""
    with (data_folder() / "weather.csv").open("rb") as lines:
        rows = _first(lines)
    return rows.rename(columns={"temp": "air_temp"}) if broken("monitor.1") else rows


def _first(lines: Iterable[bytes]) -> pd.DataFrame:
    missing = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv(io.BytesIO(b"".join(islice(lines, LINES))), convert_options=missing).to_pandas()
