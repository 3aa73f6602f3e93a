"""What the dates and digests of a lineage say about each other."""

from __future__ import annotations

from datetime import datetime, timedelta

from mltestscore.inputs.registry import Lineage, Registry

# The last partition of daily data is often named by its end, which lies after a training on that day.
PARTITION = timedelta(days=1)
AGES = ("what", "when", "days ago", "days before the training")


def days(start: datetime, end: datetime) -> float:
    """Return the days from ``start`` to ``end``, negative when it lies before.

    >>> days(datetime.fromisoformat("2026-11-01T23:00:00-05:00"), datetime.fromisoformat("2026-11-03T04:00:00+00:00"))
    1.0
    """
    return (end - start) / timedelta(days=1)


def times(lineage: Lineage) -> dict[str, datetime]:
    """Return every date of the lineage by its key, such as ``"trained_at"`` or ``"tables.weather"``."""
    dated = {key: getattr(lineage, key) for key in ("trained_at", "published_at", "data_from", "data_until")}
    dated |= {f"stages.{name}": time for name, time in lineage.stages.items()}
    dated |= {f"tables.{name}": time for name, time in lineage.tables.items()}
    return {key: time for key, time in dated.items() if time is not None}


def ages(lineage: Lineage, now: datetime) -> list[tuple[str, str, float, float]]:
    """Return a row of :data:`AGES` for each date."""
    return [
        (name, f"{time:%Y-%m-%d %H:%M} UTC", round(days(time, now), 1), round(days(time, lineage.trained_at), 1))
        for name, time in times(lineage).items()
    ]


def impossible_dates(lineage: Lineage, now: datetime, skew: timedelta) -> list[str]:
    """Return a sentence for each date that lies in the future, or before what it must follow, by more than ``skew``."""
    dated = times(lineage)
    grace = {"data_until": PARTITION, "data_from": PARTITION}
    odd = [
        f"{name} lies {days(now, time):.3g} days in the future"
        for name, time in dated.items()
        if time > now + max(skew, grace.get(name, skew))
    ]
    for first, then, slack in (
        ("trained_at", "published_at", skew),
        ("data_until", "trained_at", PARTITION),
        ("data_from", "data_until", timedelta(0)),
    ):
        if first in dated and then in dated and dated[first] > dated[then] + slack:
            odd.append(f"{first} lies {days(dated[then], dated[first]):.3g} days after {then}")
    return odd


def returned_weights(registry: Registry) -> list[str]:
    """Return the versions trained earlier that have the current version's weights."""
    current = registry.current
    return [
        one.version
        for one in registry.versions
        if one.trained_at < current.trained_at and one.weights_digest == current.weights_digest != ""
    ]


def returned_data(registry: Registry) -> list[str]:
    """Return the versions trained earlier whose data are the current version's, though that dates them newer."""
    current = registry.current
    return [
        one.version
        for one in registry.versions
        if one.trained_at < current.trained_at
        and one.data_digest == current.data_digest != ""
        and one.data_until is not None
        and current.data_until is not None
        and one.data_until < current.data_until
    ]
