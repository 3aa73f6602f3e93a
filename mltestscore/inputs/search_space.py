"""The space of a hyperparameter search: numbers between two ends, or choices; where a value lies in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltestscore.errors import ConfigError, near

CLOSE = 0.02
"""Two numbers closer than this share of their range are the same setting: people round what a search has found."""
MAX_CHOICES = 100
NATURAL = ("low", "high")
_KEYS = ("low", "high", "log", "integer", "natural")


@dataclass(frozen=True)
class Numbers:
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        log: whether ratios count and not differences; both ends are above zero then.
        integer: whether only whole numbers are meant.
        natural: the ends (``"low"``, ``"high"``) beyond which nothing can be, such as 1 for a share.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    natural: tuple[str, ...] = ()

    def holds(self, value: object) -> bool:
        """Return whether a value lies between the ends, but for rounding."""
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        return is_number(value) and self.low - slack <= float(value) <= self.high + slack  # type: ignore[arg-type]

    def edge(self, value: object) -> str:
        """Return ``"low"`` or ``"high"`` where a value lies on an end that is not a natural one, else nothing.

        On an end means within a hundredth of the range, or, of whole numbers, the last one.
        """
        if not self.holds(value) or self.low == self.high:
            return ""
        place = self.place(value)
        reach = 1e-9 if self.integer else 0.01
        found = "low" if place <= reach else "high" if place >= 1 - reach else ""
        return "" if found in self.natural else found

    def place(self, value: Any) -> float:
        """Return where a number lies between the ends, 0 to 1 inside; beyond them if it lies outside."""
        if self.low == self.high:
            return 0.0
        if self.log:
            least = max(float(value), 1e-300)
            return math.log(least / self.low) / math.log(self.high / self.low)
        return (float(value) - self.low) / (self.high - self.low)

    def same(self, one: object, other: object) -> bool:
        """Return whether two values are one setting, but for rounding; see :data:`CLOSE`."""
        if not (is_number(one) and is_number(other)):
            return one == other
        return one == other or abs(self.place(one) - self.place(other)) <= CLOSE

    def draw(self, rng: np.random.Generator, around: object = None, factor: float = 4.0) -> float | int:
        """Draw a number: log-uniform within ``factor`` of ``around`` where both are given a sense by it, else anywhere.

        Where nothing within the factor lies in the space, the whole space is drawn from.
        """
        low, high = self.low, self.high
        logarithmic = self.log
        if around is not None and is_number(around) and float(around) > 0:  # type: ignore[arg-type]
            near_low, near_high = float(around) / factor, float(around) * factor  # type: ignore[arg-type]
            if near_low <= high and near_high >= low:
                low, high = max(low, near_low), min(high, near_high)
                logarithmic = low > 0
        ends = (math.log(low), math.log(high)) if logarithmic else (low, high)
        value = math.exp(rng.uniform(*ends)) if logarithmic else float(rng.uniform(*ends))
        value = min(max(value, self.low), self.high)
        return round(value) if self.integer else value

    @property
    def shown(self) -> str:
        """The range in words."""
        return f"{self.low:g} to {self.high:g}" + (", logarithmic" if self.log else "")


@dataclass(frozen=True)
class Choices:
    """One of several values, without order."""

    values: tuple[Any, ...]

    def holds(self, value: object) -> bool:
        """Return whether a value is one of the choices; 1 and True are not the same."""
        return any(self.same(value, one) for one in self.values)

    def edge(self, value: object) -> str:
        """Return nothing: choices have no ends."""
        return ""

    def same(self, one: object, other: object) -> bool:
        """Return whether two values are one choice; numbers as written in a table count as the numbers."""
        if isinstance(one, bool) or isinstance(other, bool):
            return plain_text(one) == plain_text(other)
        return one == other or plain_text(one) == plain_text(other)

    def draw(self, rng: np.random.Generator, around: object = None, factor: float = 4.0) -> Any:
        """Draw a choice; with ``around``, that one half of the time."""
        if around is not None and self.holds(around) and rng.random() < 0.5:
            return around
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def shown(self) -> str:
        """The choices in words."""
        return ", ".join(plain_text(one)[:20] for one in self.values[:8])


Dimension = Numbers | Choices
Space = Mapping[str, Dimension]


def declared_space(space: Mapping[str, object], where: str) -> dict[str, Dimension]:
    """Return a space as it is written down: ``{low = 0.01, high = 0.5, log = true}`` or a list of choices.

    Raises :class:`ConfigError` that names the parameter and what is wrong.
    """
    return {name: _dimension(given, f"{where} {name}") for name, given in space.items()}


def _dimension(given: object, where: str) -> Dimension:
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not 1 <= len(given) <= MAX_CHOICES:
            raise ConfigError(f"{where} has {len(given)} choices; write 1 to {MAX_CHOICES}.")
        return Choices(tuple(given))
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is {given!r:.80}; write {{low = 0.01, high = 0.5, log = true}} or a list.")
    for key in given:
        if key not in _KEYS:
            raise ConfigError(f"{where}: {key!r:.80} is not a known key.{near(str(key), _KEYS)}")
    for key in ("low", "high"):
        if not is_number(given.get(key)):
            raise ConfigError(f"{where}: {key} is {given.get(key)!r:.80}; write a finite number.")
    low, high, log = float(given["low"]), float(given["high"]), bool(given.get("log", False))
    if low > high or (log and low <= 0):
        more = " and above 0 where log = true" if log else ""
        raise ConfigError(f"{where}: low is {low:g} and high {high:g}; low must be at most high{more}.")
    natural = given.get("natural", ())
    named = (natural,) if isinstance(natural, str) else tuple(natural)
    for end in named:
        if end not in NATURAL:
            raise ConfigError(f"{where}: natural names {end!r:.80}; an end is low or high.")
    return Numbers(low, high, log, bool(given.get("integer", False)), named)


def observed_space(trials: Iterable[Mapping[str, Any]]) -> dict[str, Dimension]:
    """Return the space that trials have covered: from the least to the largest number, or the choices made.

    Numbers above zero that span two orders of magnitude count as logarithmic. A parameter that no trial varied is none
    that was searched.
    """
    seen: dict[str, list[Any]] = {}
    for trial in trials:
        for name, value in trial.items():
            seen.setdefault(name, []).append(value)
    found: dict[str, Dimension] = {}
    for name, values in seen.items():
        if all(is_number(value) for value in values):
            low, high = float(min(values)), float(max(values))
            whole = all(float(value).is_integer() for value in values)
            if low < high:
                found[name] = Numbers(low, high, low > 0 and high / low >= 100, whole)
        elif len(kinds := {plain_text(value): value for value in values}) > 1:
            found[name] = Choices(tuple(kinds.values())[:MAX_CHOICES])
    return found


def is_number(value: object) -> bool:
    """Return whether a value is a finite number; a truth value is none.

    >>> is_number(3), is_number(True), is_number("3"), is_number(float("inf"))
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def plain_text(value: object) -> str:
    """Return a setting as text that is the same for 5 and 5.0, and for a truth value in a table and in TOML."""
    if is_number(value):
        return f"{float(value):.12g}"  # type: ignore[arg-type]
    return str(value).strip()
