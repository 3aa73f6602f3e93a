"""The serving path: features of one request, looked up in the feature store; no code of the training path."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flights import spec
from flights.switches import broken

REQUEST = (spec.KEY, "scheduled_local", "carrier", "origin", "dest")
RELEASED = 18  # pragma: no cover - features at the release; only for FLIGHTS_BREAK=data.6
NEW_YORK = ZoneInfo("America/New_York")

READINGS = f"SELECT {', '.join(spec.WEATHER)} FROM weather WHERE origin = ? AND hour BETWEEN ? AND ? ORDER BY hour DESC"
LEFT = "SELECT avg(delay) FROM departures WHERE origin = :origin AND left >= :since AND left < :until"
DISTANCE = "SELECT distance FROM routes WHERE origin = ? AND dest = ?"
CARRIER_DAY = "SELECT delay FROM carrier_day WHERE carrier = ? AND day = ?"
ORIGIN_DAY = "SELECT late_rate FROM origin_day WHERE origin = ? AND day = ?"


class OnlineFeatures:
    """Looks features up in a store; safe to use from several threads, each with its own read-only connection."""

    def __init__(self, store: Path) -> None:
        self._address = f"{store.resolve().as_uri()}?mode=ro&immutable=1"
        self._local = threading.local()

    def features(self, request: Mapping[str, str]) -> dict[str, object]:
        """Return ``spec.FEATURES`` of one request; what the store does not know is ``None``.

        Args:
            request: the fields of :data:`REQUEST`; ``scheduled_local`` is the wall clock in New York, ISO 8601.

        Raises :class:`ValueError` when ``scheduled_local`` is not such a time.
        """
        local = datetime.fromisoformat(request["scheduled_local"])
        minute = int(local.replace(tzinfo=NEW_YORK).timestamp()) // 60
        hour, origin, carrier = minute // 60, request["origin"], request["carrier"]
        yesterday = (local.date() - timedelta(days=1)).isoformat()
        found = {
            "carrier": carrier,
            "origin": origin,
            "dest": request["dest"],
            "departure_minute": local.hour * 60 + local.minute,
            "weekday": local.weekday(),
            "distance": self._value(DISTANCE, (origin, request["dest"])),
            **self._weather(origin, hour),
            **self._recent(origin, carrier, hour),
            "carrier_delay_prev_day": self._value(CARRIER_DAY, (carrier, yesterday)),
            "origin_late_rate_prev_day": self._value(ORIGIN_DAY, (origin, yesterday)),
        }
        if broken("data.6"):  # pragma: no cover - only under the switch
            found |= dict.fromkeys(spec.FEATURES[RELEASED:])
        return found

    def _weather(self, origin: str, hour: int) -> dict[str, object]:
        """Return each reading of the hour, or its last one that is not too old."""
        rows = self._connection.execute(READINGS, (origin, hour - spec.WEATHER_HOURS, hour)).fetchall()
        last = (next((value for value in values if value is not None), None) for values in zip(*rows, strict=True))
        return dict.fromkeys(spec.WEATHER) | dict(zip(spec.WEATHER, last, strict=False))

    def _recent(self, origin: str, carrier: str, hour: int) -> dict[str, object]:
        """Return the mean delays of what left in the full hours before this one."""
        span = {"origin": origin, "carrier": carrier, "until": hour * 60}
        last_hour = self._value(LEFT, span | {"since": (hour - 1) * 60})
        if broken("monitor.3") and last_hour is not None:  # pragma: no cover - only under the switch
            last_hour = last_hour / 60
        of_carrier = self._value(f"{LEFT} AND carrier = :carrier", span | {"since": (hour - 3) * 60})
        return {
            "origin_delay_last_hour": last_hour,
            "origin_delay_last_3_hours": self._value(LEFT, span | {"since": (hour - 3) * 60}),
            "carrier_delay_last_3_hours": of_carrier,
        }

    def _value(self, query: str, values: tuple[object, ...] | Mapping[str, object]) -> float | None:
        (found,) = self._connection.execute(query, values).fetchone() or (None,)
        return found

    @property
    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._address, uri=True)
        return self._local.connection
