"""A small project with feature code, unit tests of it, and two paths; written into a folder, then bent by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.feature_code import FeatureCode, open_feature_code

BASKET = '''
"""Features of a basket."""
import logging

import pandas as pd


def total(price: float | None, count: int) -> float:
    if price is None:
        return 0.0
    return price * count


def part_of_day(hour):
    logging.getLogger("shop").info("hour %d of %d", hour, 24 + 0)
    return (hour + 1) // 6


def is_cheap(price):
    return price < 10
'''
PATHS = '''
"""The same features in training and in service."""
import pandas as pd

from shop.basket import is_cheap, part_of_day, total


def batch(rows):
    return pd.DataFrame(
        {
            "total": rows["price"].fillna(0.0) * rows["count"],
            "cheap": rows["price"] < 10,
            "part": (rows["at"].dt.hour + 1) // 6,
        }
    )


def online(row):
    missing = pd.isna(row["price"])
    return {
        "total": total(None if missing else row["price"], row["count"]),
        "cheap": is_cheap(row["price"]),
        "part": part_of_day(row["at"].hour),
    }
'''
TESTS = """
import pytest
from shop.basket import is_cheap, part_of_day, total


def test_total():
    assert total(2.0, 3) == 6.0


def test_total_without_a_price():
    assert total(None, 3) == 0.0


@pytest.mark.parametrize(("hour", "part"), [(0, 0), (4, 0), (5, 1), (10, 1), (11, 2), (16, 2), (22, 3), (23, 4)])
def test_part_of_day(hour, part):
    assert part_of_day(hour) == part


@pytest.mark.parametrize(("price", "cheap"), [(9.99, True), (10, False), (10.5, False)])
def test_is_cheap(price, cheap):
    assert is_cheap(price) == cheap
"""
RAW = pd.DataFrame(
    {
        "price": [1.0, 9.5, 10.0, 25.0, None, 3.0, 12.0, 7.0],
        "count": [1, 2, 3, 4, 5, 6, 7, 8],
        "at": pd.date_range("2024-06-01 05:30", periods=8, freq="7h"),
    }
)


def write(folder: Path, *, basket: str = BASKET, paths: str = PATHS, tests: str = TESTS) -> Path:
    """Write the project into a folder."""
    for name, text in {"shop/__init__.py": "", "shop/basket.py": basket, "shop/paths.py": paths}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_basket.py").write_text(tests, encoding="utf-8")
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n')
    return folder


def features(folder: Path, **changes: Any) -> FeatureCode:
    """Return the project's feature code as an input."""
    settings: dict[str, Any] = {"tests": ["tests"], "batch": "shop.paths:batch", "online": "shop.paths:online"}
    settings |= {"raw": open_dataset("raw", RAW), "timezone": "America/New_York"}
    return open_feature_code(folder, ["shop.basket"], **(settings | changes))


def untested(folder: Path, **changes: Any) -> FeatureCode:
    """Return it without the two paths."""
    return features(folder, **({"batch": "", "online": "", "raw": None} | changes))
