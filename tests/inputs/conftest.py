"""What tests of several inputs have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.config import read_config


@pytest.fixture
def config(tmp_path: Path):
    """Return a function that reads a configuration with the given text."""

    def read(text: str):
        (tmp_path / "pyproject.toml").write_text("[tool.mltestscore]\n" + text)
        return read_config(tmp_path / "pyproject.toml")

    return read


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": np.arange(50),
            "temp": np.where(np.arange(50) % 7 == 0, np.nan, np.arange(50) / 3),
            "carrier": [None if i % 5 == 0 else f"C{i % 3}" for i in range(50)],
            "late": np.arange(50) % 2 == 0,
        }
    )
