"""The garbage collector leaves alone what was there before a check, and finds what becomes garbage within."""

from __future__ import annotations

import gc
import weakref

import pytest

from mltestscore.garbage import YOUNG, at_rest


class Cycle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_left_alone_and_looked_at_again_afterwards():
    """Frozen objects are in no generation; after the block they are, and garbage among them goes."""
    old = weakref.ref(Cycle())

    with at_rest():
        gc.collect()
        assert old() is not None
        assert gc.get_freeze_count() > 1_000
    gc.collect()

    assert old() is None
    assert gc.get_freeze_count() == 0


def test_what_becomes_garbage_within_is_found():
    """Only the old is left alone."""
    with at_rest():
        new = weakref.ref(Cycle())
        gc.collect()

        assert new() is None


def test_what_somebody_froze_stays_frozen():
    """A block within another one, or a server that froze its objects before it forked."""
    with at_rest():
        with at_rest():
            pass

        assert gc.get_freeze_count() > 1_000


@at_rest()
def failing():
    """Raise what the thresholds are within."""
    raise ValueError(f"within {gc.get_threshold()}")


@pytest.mark.parametrize(("before", "within"), [(700, YOUNG), (YOUNG + 1, YOUNG + 1), (0, 0)])
def test_the_collector_looks_less_often_and_its_settings_come_back(before, within):
    """Also after an exception; one that is switched off stays off."""
    usual = gc.get_threshold()
    gc.set_threshold(before, 10, 10)
    try:
        with pytest.raises(ValueError, match=rf"within \({within}, 10, 10\)"):
            failing()

        assert gc.get_threshold() == (before, 10, 10)
    finally:
        gc.set_threshold(*usual)
