"""What latencies an open loop must find, from the pauses that the server wrote down."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .server import SERVICE

SHARES = (50.0, 99.0, 99.9)


def pauses(log: Path) -> np.ndarray:
    """Return begin and end of each pause, shape (pauses, 2)."""
    return np.array([[float(word) for word in line.split()] for line in log.read_text().splitlines()]).reshape(-1, 2)


def latencies_ms(starts: np.ndarray, paused: np.ndarray) -> np.ndarray:
    """Return the latency of requests that are meant to start then: the service, and what is left of a pause.

    Without queues: the server answers as many as there are at once.
    """
    return (_awake(_awake(starts, paused) + SERVICE, paused) - starts) * 1000


def _awake(moments: np.ndarray, paused: np.ndarray) -> np.ndarray:
    """Return the first moments from these on at which the server does not pause."""
    place = np.searchsorted(paused[:, 0], moments, side="right") - 1
    inside = (place >= 0) & (moments < paused[np.maximum(place, 0), 1])
    return np.where(inside, paused[np.maximum(place, 0), 1], moments)


def of_schedule(starts: np.ndarray, paused: np.ndarray) -> dict[float, float]:
    """Return percentile → milliseconds."""
    found = latencies_ms(starts, paused)
    return {share: float(np.percentile(found, share)) for share in SHARES}
