"""Score an ML system's production readiness on the 28 tests of the ML Test Score, as a pytest plugin.

The names below are the whole public API. They load on first use, so that a pytest run without ``--mltestscore``
imports this file and :mod:`mltestscore.plugin` and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltestscore.declare import check, fault
    from mltestscore.details import Histograms, Series, Table, Text
    from mltestscore.errors import MltestscoreError, NotOffered
    from mltestscore.finding import Finding, at_least, at_most, undecided, within
    from mltestscore.stats.interval import Interval, exactly

__version__ = "0.1.0"

_HOME = {
    "check": "declare",
    "fault": "declare",
    "Table": "details",
    "Series": "details",
    "Histograms": "details",
    "Text": "details",
    "MltestscoreError": "errors",
    "NotOffered": "errors",
    "Finding": "finding",
    "at_least": "finding",
    "at_most": "finding",
    "within": "finding",
    "undecided": "finding",
    "Interval": "stats.interval",
    "exactly": "stats.interval",
}

__all__ = [
    "Finding",
    "Histograms",
    "Interval",
    "MltestscoreError",
    "NotOffered",
    "Series",
    "Table",
    "Text",
    "__version__",
    "at_least",
    "at_most",
    "check",
    "exactly",
    "fault",
    "undecided",
    "within",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # not at the top: it would count against every pytest run

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
