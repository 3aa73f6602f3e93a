"""A week of served answers held to the spread of days at launch, as monitor.7 judges bias: both signs are harm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
import pandas
from numpy.random import Generator

from mltestscore.served_quality.alike import as_at_launch, of_rows
from mltestscore.served_quality.scored import Scored
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.ratios import mean_gap
from tests.stats.simulations.scene import Estimate, Scene

from .periods import remembering

LAUNCH, WEEK = 36, 7
SPREAD = 0.03  # of the bias of days at launch
SHORT = "weeks whose days are alike show too little of it; `served_quality.alike` says how often"


def scenes() -> Iterator[Scene]:
    for rows, memory in ((40, 0.0), (400, 0.0), (400, 0.5)):
        for times in (1, 2, 4):
            alike = f", days remember {memory:.0%}" if memory else ""
            said = f"{rows} rows a day, which spread {times} times as far as at launch{alike}"
            draw = weeks(rows, times, memory)
            yield Scene("served", "as_at_launch", said, WEEK, 0.0, draw, most=4_000, known=SHORT if memory else "")
    draw = weeks(400, 2, 0.0, share=0.05)
    yield Scene("served", "as_at_launch", "400 rows a day, outcomes of 5 %", WEEK, 0.0, draw, most=4_000)


def weeks(rows: int, times: float, memory: float, share: float = 0.3):
    def draw(random: Generator) -> Estimate:
        launch, now = (days(random, many, rows, far, memory, share) for many, far in ((LAUNCH, 1), (WEEK, times)))
        return judged(launch, now)

    return draw


def days(random: Generator, many: int, rows: int, times: float, memory: float, share: float) -> Scored:
    """Answers whose bias differs from day to day, and is 0 on average."""
    level = remembering(random, many, memory)[0] * (1 - memory**2) ** 0.5
    day = numpy.repeat(numpy.arange(many), rows)
    chance = numpy.clip(share * (1 + SPREAD / 0.3 * times * level[day]), 0, 1)
    truth = (random.random(len(day)) < chance).astype(float)
    return Scored(truth, numpy.full(len(day), share), day, None, pandas.DataFrame(index=range(len(day))))


def judged(launch: Scored, now: Scored) -> Estimate:
    """The bound that accuses is the narrower of the week's own and the borrowed one; its own clears."""
    own = mean_gap(error(now), now.days, of_rows(error, now, launch))
    borrowed = as_at_launch(own, error, now, launch)

    def estimate(alpha: float) -> Interval:
        mine = own.interval(alpha)
        if borrowed is None or alpha >= CLEAR:
            return mine
        its = borrowed.interval(alpha)
        return Interval(mine.value, max(mine.low, its.low), min(mine.high, its.high), mine.n, 1 - alpha, mine.method)

    return estimate


def error(rows: Scored) -> numpy.ndarray:
    return rows.scores - rows.truth
