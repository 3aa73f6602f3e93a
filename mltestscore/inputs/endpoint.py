"""The team's served model: a URL that answers, or a command that we start, ask, load, watch and stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.serving import process
from mltestscore.serving.bodies import columns_of
from mltestscore.serving.client import Answer, Client
from mltestscore.serving.contention import watched
from mltestscore.serving.counting import Counting
from mltestscore.serving.generator import generator_for
from mltestscore.serving.load import Arrivals, Load, schedule
from mltestscore.serving.readiness import wait_until_ready
from mltestscore.serving.stalls import Bottleneck, Hold, Stall
from mltestscore.serving.urls import redact
from mltestscore.settings_serving import COUNTED_AS_USUAL, CountersConfig, LoadConfig

__all__ = ["Answer", "Endpoint", "Load", "open_endpoint"]

MOST_BODIES = 1000
AS_NEEDED = LoadConfig()


class Endpoint:
    """A served model, and (where offered) the previous version of it for paired comparison.

    A server that we started counts as ready when its status route says so *and* one row of the first frame was
    answered: a status route alone may promise what the model behind it does not keep.

    Attributes:
        url: where it answers, without credentials.
        protocol: the wire protocol's name.
        features: the columns that are sent, in order; empty: all that a frame has.
        source: the command or the URL as given, for the record.
        loading: how it may be loaded.
        counting: counts what single requests cost.
        twin: starts another server of the same command with a hook (:func:`process.hooked`), where it can be.
    """

    def __init__(
        self,
        client: Client,
        *,
        protocol: str,
        features: Sequence[str] = (),
        server: process.Server | None = None,
        source: str = "",
        ready_by: float = 0.0,
        previous: Callable[[], Endpoint | None] = lambda: None,
        loading: LoadConfig = AS_NEEDED,
        counters: CountersConfig = COUNTED_AS_USUAL,
    ) -> None:
        self.url, self.protocol, self.features = redact(client.url), protocol, tuple(features)
        self.source = source or (server.source if server else self.url)
        self._client, self._server, self._ready_by = client, server, ready_by
        self._open_previous = previous
        self._previous: Endpoint | None = None
        self.loading, self.counting = loading, Counting(client, server, counters)
        self.twin: Callable[[Path], Endpoint] | None = None
        self._generator = generator_for(client, loading.connections, loading.processes)
        self._version, self._ready, self._borrowed = "", server is None, False
        self._stall: Hold | None = None
        self._leak = self._asked = 0
        self._default: tuple[float, tuple[str, ...]] | None = None

    @property
    def ours(self) -> bool:
        """Whether we started the server: what may break it is sent to no other."""
        return self._server is not None

    @property
    def version(self) -> str:
        """The model version as the server reported it last; empty if it does not."""
        if not self._version:
            with suppress(InputError):
                self._version = self._client.status()[1]
        return self._version

    @property
    def previous(self) -> Endpoint | None:
        """The previous model version's server, started on first use; ``None`` where none was offered."""
        if self._previous is None:
            self._previous = self._open_previous()
        return self._previous

    def predict(self, frame: pd.DataFrame) -> Answer:
        """Ask for one score per row, in row order.

        Raises :class:`InputError` for a missing column, a silent server or an answer that is not as agreed.
        """
        columns = columns_of(frame, self.features)
        if self._default and not set(self._default[1]) <= set(columns):
            return Answer(np.full(len(frame), self._default[0]), self.version, 200, 0.0)
        self.wait_until_ready(frame)
        answer = self._client.predict(columns)
        self._asked += 1
        if self._stall:
            self._stall.hold()
        self._version = answer.version or self._version
        return answer

    def load(
        self, frame: pd.DataFrame, *, rate: float, seconds: float, seed: int, arrivals: Arrivals = "poisson"
    ) -> Load:
        """Send the frame's rows in turn, one a request, ``rate`` a second for ``seconds``, and measure.

        Latency counts from the intended start (open loop). Takes at most ``seconds`` and one request time-out; at most
        the first 1,000 rows are used. Answers that fail are counted in the result.

        Raises :class:`InputError` for an empty frame, a missing column or a server that has ended.
        """
        return self.send(frame, schedule(rate, seconds, seed, arrivals))

    def send(self, frame: pd.DataFrame, intended: np.ndarray) -> Load:
        """Send the frame's rows in turn, one a request, at the ``intended`` seconds, and measure.

        With zeros all are sent at once, and ``throughput`` of the result is what the server can do. Raises
        :class:`InputError` as :meth:`load` does.
        """
        columns = columns_of(frame.head(min(len(intended), MOST_BODIES)), self.features)
        self.wait_until_ready(frame)
        rows = zip(*columns.values(), strict=True)
        bodies = [self._client.body({name: [value] for name, value in zip(columns, row, strict=True)}) for row in rows]
        ours = self._server if self._stall is None else None  # a planted delay is nobody else's doing
        load = watched(ours, partial(self._generator.run, bodies, intended, stall=self._stall))
        self._asked += load.requests
        self._version = load.versions[-1] if load.versions else self._version
        return load

    def count(self, frame: pd.DataFrame) -> dict[str, float]:
        """Ask for each row by itself and return what a request costs, by counter; see :class:`Counting`."""
        self.wait_until_ready(frame)
        self._asked += len(frame)
        return self.counting.per_request(columns_of(frame, self.features))

    def memory(self) -> int | None:
        """Resident bytes of the server's process tree; ``None`` if we did not start it."""
        if self._server is None:
            return None
        self._server.require_running()
        return self._server.memory() + self._leak * self._asked

    def slowed(self, delay: float, *, every: int = 1) -> Endpoint:
        """Return a view whose answers are held back ``delay`` seconds; for planted faults.

        ``every=k``: the server pauses at each k-th request, and all that is due meanwhile waits (:class:`Stall`).
        """
        return self._view(_stall=Stall(delay, every))

    def limited(self, rate: float) -> Endpoint:
        """Return a view that gives at most ``rate`` answers a second, one after the other; for planted faults."""
        return self._view(_stall=Bottleneck(rate))

    def leaking(self, bytes_per_request: int) -> Endpoint:
        """Return a view whose server seems to keep so many bytes of every request; for planted faults."""
        return self._view(_leak=bytes_per_request)

    def padded(self, more_bytes: int) -> Endpoint:
        """Return a view whose answers seem to be so many bytes longer; for planted faults."""
        return self._view(counting=replace(self.counting, padding=more_bytes))

    def defaulting(self, score: float, features: Sequence[str]) -> Endpoint:
        """Return a view that answers ``score`` where a request lacks one of ``features``; for planted faults."""
        return self._view(_default=(score, tuple(features)))

    def _view(self, **changes: object) -> Endpoint:
        """Return an endpoint on the same server and the same previous version; closing it stops neither."""
        view = copy(self)
        view._borrowed, view._asked, view.twin = True, 0, None
        view._previous, view._open_previous = None, lambda: self.previous
        for name, value in changes.items():
            setattr(view, name, value)
        return view

    def close(self) -> None:
        """Stop what was started, the previous version's server too. Safe to call twice."""
        if self._borrowed:
            return
        self._generator.close()
        self._client.close()
        if self._server:
            self._server.stop()
        if self._previous:
            self._previous.close()

    def wait_until_ready(self, probe: pd.DataFrame) -> None:
        """Wait until the server that we started says that it is ready and answers the first row of ``probe``.

        Returns at once when that is known, or when the server is not ours. Raises :class:`InputError` when the server
        ends, refuses the row, or is not ready in time, with its last output.
        """
        if self._server:
            self._server.require_running()
        if self._ready or self._server is None:
            return
        row = columns_of(probe.head(1), self.features)
        self._version = wait_until_ready(self._client, self._server, row, self._ready_by)
        self._ready = True


def open_endpoint(*, probe: pd.DataFrame | None = None, **opening: Any) -> Endpoint:
    """Start or reach the endpoint that ``opening`` tells of, attributes of :class:`Opening` by name; see there."""
    from mltestscore.inputs.opening import Opening

    return Opening(**opening).open(probe)
