"""Every example in a docstring runs and says what it says; the public API has one for each name."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import mltestscore
from mltestscore.shipped import shipped

TOP = Path(mltestscore.__file__).parent


def _modules() -> list[str]:
    places = {"mltestscore": TOP, "mltestscore.reports": shipped("reports")}
    return sorted(
        ".".join([package, *file.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__")
        for package, folder in places.items()
        for file in folder.rglob("*.py")
        if "    >>> " in file.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("name", _modules())
def test_examples_come_to_what_they_say(name):
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(set(mltestscore.__all__) - {"__version__"}))
def test_every_public_name_has_an_example(name):
    assert ">>> " in getattr(mltestscore, name).__doc__
