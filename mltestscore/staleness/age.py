"""How old a model may become: as declared, or as model.4 last found it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mltestscore.errors import ConfigError
from mltestscore.scorecard import Scorecard

TOLERABLE = "largest age measured to be harmless"
"""The finding of model.4 that carries the largest tolerable age from one run to the next."""


@dataclass(frozen=True)
class Age:
    """A largest age of a model.

    Attributes:
        days: above 0, finite.
        source: who says so.

    Raises :class:`ConfigError` for days that are no such number.
    """

    days: float
    source: str = "declared"

    def __post_init__(self) -> None:
        number = isinstance(self.days, int | float) and not isinstance(self.days, bool)
        if not number or not 0 < self.days < math.inf:
            raise ConfigError(f"max_age_days is {self.days!r:.80}; expected a number of days above 0, such as 30.")

    @property
    def digest(self) -> str:
        """What a remembered proof depends on."""
        return f"{self.days:g} days"


def recorded_age(scorecard: Scorecard | None) -> Age | None:
    """Return the largest age that model.4 measured to be harmless in a run on record; ``None`` where it found none."""
    if scorecard is None:
        return None
    checks = (check for item in scorecard.items if item.id == "model.4" for check in item.checks)
    for check in checks:
        for finding in check.findings:
            if check.id == "model.4" and finding.name == TOLERABLE and finding.value:
                return Age(finding.value, f"model.4 of {scorecard.run.started[:10]}")
    return None
