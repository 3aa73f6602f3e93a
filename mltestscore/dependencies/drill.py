"""A notification sent by the team's own command, and seen to arrive where the team would read it."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mltestscore.codetests.sandbox import Running, started
from mltestscore.dependencies import sinks
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.functions import split_name

TABLE = "[tool.mltestscore.dependencies.drill]"
EVERY = 0.1  # seconds between looks, then a hundredth of the time that has passed
REST = 2.0  # times as long as a look took: a large table is not to be searched all the time
LATE = 10.0  # seconds beyond the promised time in which a late arrival is told from none
AFTER_FAILURE = 2.0  # seconds for a message of a command that failed to arrive all the same
MESSAGE = (
    "[mltestscore {token}] This is a probe: {system} tests whether news of its dependencies arrive here. Nothing has "
    "changed, and nothing needs to be done."
)


@dataclass(frozen=True)
class Drill:
    """How the team is notified, and where that arrives.

    Attributes:
        notify: the command, with ``{message}``, ``{token}``, ``{sink}`` and ``{python}``, or one ``"module:function"``.
        sink: where it arrives; see :mod:`mltestscore.dependencies.sinks`.
        within_seconds: how soon, by the team's own word.
        remove: whether the probe is taken away again.
        folder: the project's folder, in which the command runs.
        system: who is named in the message.
        expected: what the message must hold; empty: its own token.
    """

    notify: tuple[str, ...]
    sink: str
    within_seconds: float
    remove: bool = False
    folder: Path = Path()
    system: str = "a system"
    expected: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def replace(self, **changes: Any) -> Drill:
        """Return a drill with other attributes: how a fault is planted."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Arrival:
    """What became of a probe.

    Attributes:
        seconds: from the start of the command until it was there; ``None``: it was not.
        waited: how long was waited for it.
        cause: why it did not come, as far as that is known.
    """

    seconds: float | None
    waited: float
    cause: str = ""


def checked(drill: Drill) -> Drill:
    """Return the drill; raise :class:`ConfigError` for one that cannot work."""
    if len(drill.notify) == 1 and ":" in drill.notify[0]:
        split_name(drill.notify[0], f"{TABLE} notify")
    elif not any(sign in word for word in drill.notify for sign in ("{message}", "{token}")):
        raise ConfigError(f"{TABLE} notify does not say where the message goes; write {{message}} there.")
    if not drill.sink:
        raise ConfigError(f'{TABLE} sink is missing: a file, folder, table or "module:function", or "webhook".')
    if drill.sink == sinks.WEBHOOK and len(drill.notify) > 1 and not any("{sink}" in word for word in drill.notify):
        raise ConfigError(f'{TABLE} sink = "webhook" is an address of ours; write {{sink}} in notify where it goes.')
    sinks.refuse(drill.sink, drill.folder, drill.remove)
    return drill


def exercised(drill: Drill) -> Arrival:
    """Send one probe, the first time, and say what became of it.

    A drill that differs only in what is expected, and where, looks for the same probe: a fault must not send more.
    """
    if "arrival" not in drill.memory:
        token = f"probe-{secrets.token_hex(8)}"
        drill.memory["token"], drill.memory["drill"] = token, drill
        drill.memory["arrival"] = _sent(drill, token)
    first: Drill = drill.memory["drill"]
    arrival: Arrival = drill.memory["arrival"]
    if (drill.sink, drill.expected) == (first.sink, first.expected):
        return arrival
    with sinks.opened(drill.sink, drill.folder, only_new=False) as sink:
        there = _search(sink, drill.expected or drill.memory["token"], drill)
    return arrival if there else Arrival(None, arrival.waited, f"nothing with its mark is at {shown(drill.sink)}")


def _search(sink: sinks.Sink, token: str, drill: Drill) -> bool:
    """Look in the sink; what a webhook was sent, its first opening has."""
    if drill.sink == sinks.WEBHOOK:
        return any(sinks.contains(one, token) for one in drill.memory.get("posted", ()))
    return sink.holds(token)


def _sent(drill: Drill, token: str) -> Arrival:
    message = MESSAGE.format(token=token, system=drill.system[:100])
    with sinks.opened(drill.sink, drill.folder) as sink:
        began = time.monotonic()
        try:
            command = _command(drill, message, token, sink.address)
            # What is no Python of ours must not be given our packages.
            own = {} if command[0] == sys.executable else {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
            with started(command, sandbox=drill.folder, home=drill.folder, variables=own) as one:
                seconds, cause = _awaited(sink, token, one, began, drill)
        except OSError as error:
            raise InputError(f"{TABLE} notify: {drill.notify[0]!r:.200} cannot be started: {error.strerror}.") from None
        drill.memory["posted"] = list(getattr(sink, "messages", ()))
        if drill.remove and seconds is not None:
            sink.remove(token)
    return Arrival(seconds, time.monotonic() - began, cause)


def _command(drill: Drill, message: str, token: str, address: str) -> list[str]:
    if len(drill.notify) == 1 and ":" in drill.notify[0]:
        call = [sys.executable, "-m", "mltestscore.dependencies.call_process"]
        return [*call, "notify", drill.notify[0], message, address]
    filled = {"{message}": message, "{token}": token, "{sink}": address, "{python}": sys.executable}
    return [_filled(word, filled) for word in drill.notify]


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def _awaited(sink: sinks.Sink, token: str, running: Running, began: float, drill: Drill) -> tuple[float | None, str]:
    """Look until it is there, the time is up, or the command has failed; return the seconds, or the cause."""
    until = began + drill.within_seconds + min(drill.within_seconds, LATE)
    while True:
        looked = time.monotonic()
        there = sink.holds(token)
        now = time.monotonic()
        if there:
            return now - began, ""
        code = running.process.poll()
        if code:  # what a failed command sent before it failed may still be on its way
            until = min(until, now + AFTER_FAILURE)
        if now >= until:
            said = running.said()[-300:]
            told = f"; the command ended with status {code} and said: {said or 'nothing'}" if code else ""
            if code is None:
                told = f"; the command still ran after {now - began:.0f} s, was stopped and said: {said or 'nothing'}"
            return None, f"nothing with its mark is at {shown(drill.sink)}{told}"
        pause = max(EVERY + (now - began) / 100, REST * (now - looked))
        time.sleep(min(pause, max(0.0, until - now)))


def shown(sink: str) -> str:
    """Return a sink for the reader."""
    from mltestscore.inputs import warehouse

    return (warehouse.title(sink) if warehouse.is_address(sink) else sink)[:200]


def commanded(notify: str | Sequence[str]) -> tuple[str, ...]:
    """Return the command that the configuration gives as words or as one function."""
    return (notify,) if isinstance(notify, str) else tuple(notify)
