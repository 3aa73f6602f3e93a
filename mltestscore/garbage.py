"""Python's garbage collector, kept off what is there already."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000  # new objects between two looks at them; Python's 700 is a handful of query expressions


@contextmanager
def at_rest() -> Iterator[None]:
    """Look at fewer objects less often within: imported libraries are a million that never become garbage.

    A fifth of the processor time of the data checks on 100,000 rows went into looking at them again and again. What
    becomes garbage within is still found; where Python's collector is switched off or frozen, it stays so.
    """
    thresholds, outermost = gc.get_threshold(), not gc.get_freeze_count()
    if outermost:
        gc.freeze()
    gc.set_threshold(thresholds[0] and max(thresholds[0], YOUNG), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if outermost:
            gc.unfreeze()
