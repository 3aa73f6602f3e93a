"""The one-line switches of the demonstration: ``FLIGHTS_BREAK=monitor.3`` makes the system wrong for real.

This table is the only place that reads the variable; the code asks :func:`broken` at the spot that goes wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

VARIABLE = "FLIGHTS_BREAK"


@dataclass(frozen=True)
class Switch:
    """What breaks, which parts of the build are made again for it (none: the code itself misbehaves)."""

    breaks: str
    remakes: tuple[str, ...] = ()


SWITCHES = {
    "data.1": Switch("the expectation suite loses the rules of one model input", ("schema",)),
    "data.2": Switch("the weeks of the holdout slip into the training table", ("tables",)),
    "data.3": Switch("the weather feed moves to a service that answers in 40 ms, one call a reading", ("catalogue",)),
    "data.4": Switch("the weather feed ended on 31 October, and the model still reads it", ("catalogue",)),
    "data.5": Switch("the extract no longer honours deletions.jsonl", ("tables", "outcomes")),
    "data.6": Switch("the online path gives the features that it knew at its release, and no new one"),
    "data.7": Switch("the unit tests run the feature code and compare nothing"),
    "model.1": Switch("the last change before the training was pushed without a review", ("history", "recorded")),
    "model.2": Switch("the export of the experiments takes each new model for the old one", ("experiments",)),
    "model.3": Switch("the search for the settings of the trees was judged on the weeks of the holdout", ("searched",)),
    "model.4": Switch(
        "until 20 May the extract took late for in time; training looks at the last 120 days, so it hurts old models",
        ("tables", "previous", "model", "served"),
    ),
    "model.5": Switch(
        "both versions grow trees of 500 leaves at the full rate, and learn the noise by heart",
        ("history", "previous", "model", "served"),
    ),
    "model.6": Switch(
        "the released model learned Southwest (WN) from labels of which two in five are wrong", ("model", "served")
    ),
    "model.7": Switch(
        "three in five late arrivals from LaGuardia are missing from the training of both versions",
        ("previous", "model", "served"),
    ),
    "infra.1": Switch("training ignores its seed"),
    "infra.2": Switch("a checkpoint holds the settings of the trees and none of the trees"),
    "infra.3": Switch("the stage that makes the features writes three fifths of its flights, and ends well"),
    "infra.4": Switch("the gate says whom it refuses, and ends with status 0 all the same"),
    "infra.5": Switch("the server gives one in five for every request that it cannot read, and says nothing"),
    "infra.6": Switch("the release job gives a new version all traffic at once", ("ramped",)),
    "infra.7": Switch("the staging server takes the request to reload, and goes on with the model that it has"),
    "monitor.1": Switch("the weather feed calls the temperature by another name, and nobody was told"),
    "monitor.2": Switch("the weather feed of LaGuardia fails and delivers its default, a dew point of 0", ("served",)),
    "monitor.3": Switch("the online path gives the delay of the last hour in hours, not in minutes", ("served",)),
    "monitor.4": Switch("nobody has retrained for 200 days", ("lineage",)),
    "monitor.5": Switch(
        "the model takes the logarithm of the visibility, which is 0 in dense fog", ("model", "served")
    ),
    "monitor.6": Switch("the new server waits 150 ms on every fifth request"),
    "monitor.7": Switch("the job that collects the labels takes late for in time", ("outcomes",)),
}


def chosen() -> str:
    """Return the item that is to break, or an empty string.

    Raises :class:`SystemExit`, naming the known switches, for an unknown one.
    """
    item = os.environ.get(VARIABLE, "")
    if item and item not in SWITCHES:
        raise SystemExit(f"{VARIABLE}={item!r} is not a switch of this example; known: {', '.join(SWITCHES)}")
    return item


def broken(item: str) -> bool:
    """Say whether ``item`` is to break."""
    return chosen() == item


@contextmanager
def switched(item: str) -> Iterator[None]:
    """Run code with exactly this switch, whatever is set; with none of them for an empty text."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = item
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
