"""What a score is called: the bands of the two published versions (Breck et al. 2016, 2017), paraphrased."""

from __future__ import annotations

UNTESTED = "A research project rather than a system in production"
HOLES = "Not wholly untested, but serious holes in reliability are likely enough to go and look for"
FIRST_PASS = "A first pass at productionization; more investment may be needed"
REASONABLE = "Reasonably tested, but more of it could be automated"
STRONG = "Strong automated testing and monitoring, fit for mission-critical systems"
EXCEPTIONAL = "Exceptional automated testing and monitoring"
NO_BAND_FOR_11 = "No band was published for 11: the 2016 paper goes from 7–10 to 12 and more"

BANDS_2017 = ((0.0, UNTESTED), (1.0, HOLES), (2.0, FIRST_PASS), (3.0, REASONABLE), (5.0, STRONG), (7.0, EXCEPTIONAL))
"""Highest score of each band, itself included: 0, (0, 1], (1, 2], (2, 3], (3, 5], above 5; 2017, Table V."""

BANDS_2016 = ((0, UNTESTED), (2, HOLES), (4, FIRST_PASS), (6, REASONABLE), (10, STRONG), (11, NO_BAND_FOR_11))
"""Highest number of points of each band: 0, 1–2, 3–4, 5–6, 7–10; a gap at 11; 12 to 14 follow; 2016."""


def band_2017(score: float) -> str:
    """Return the 2017 band of a score from 0 to 7; raises :class:`ValueError` outside of that.

    >>> band_2017(3.0) == REASONABLE, band_2017(3.5) == STRONG
    (True, True)
    """
    if not 0 <= score <= 7:
        raise ValueError(f"a 2017 score lies between 0 and 7, not at {score}")
    return next(text for highest, text in BANDS_2017 if score <= highest)


def band_2016(points: int) -> str:
    """Return the 2016 band of 0 to 14 whole points; raises :class:`ValueError` for anything else.

    >>> band_2016(11)
    'No band was published for 11: the 2016 paper goes from 7–10 to 12 and more'
    """
    if points != int(points) or not 0 <= points <= 14:
        raise ValueError(f"a 2016 score is a whole number of points between 0 and 14, not {points}")
    return next((text for highest, text in BANDS_2016 if points <= highest), EXCEPTIONAL)
