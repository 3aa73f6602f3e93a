"""A new version on its way into service: a candidate's server, its libraries, logs of roll-outs, the rule that stops.

Each part is optional, and what is offered is judged. The version that is served now is the input ``endpoint``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import digests
from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.inputs.functions import split_name

if TYPE_CHECKING:
    from mltestscore.inputs.endpoint import Endpoint

TABLE = "[tool.mltestscore.canary]"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Environments:
    """Where the libraries of a model are named: an interpreter, a lock file or a file of requirements each.

    Attributes:
        serving: of the environment that serves.
        training: of the one in which the candidate was trained.
        libraries: what the artefact needs; empty: the modelling libraries that both name.
        folder: what paths are relative to.
    """

    serving: str
    training: str
    libraries: tuple[str, ...] = ()
    folder: Path = Path()


@dataclass(frozen=True)
class Ramp:
    """A log of past roll-outs: rows of a version and its share of the traffic from then on.

    Attributes:
        log: the rows; one a step, or one every so often.
        time, version, share: the columns; shares in [0, 1] or per cent.
        requests, errors: columns of counts since the row before, or empty.
        served_requests, served_errors: likewise of the version served beside it; empty: the other versions' rows.
    """

    log: Dataset
    time: str
    version: str
    share: str
    requests: str = ""
    errors: str = ""
    served_requests: str = ""
    served_errors: str = ""


@dataclass(frozen=True)
class Traffic:
    """Requests of a roll-out and which version answered each.

    Attributes:
        log: one row a request.
        version: the column of the version.
        slices: columns whose values a canary should meet as often as all traffic does.
        canary: the version that was on trial; empty: the rarest one.
        unit: the column by which requests are assigned (a user), or empty.
        time: the column of the request's time, or empty: then the log holds the roll-out alone.
    """

    log: Dataset
    version: str
    slices: tuple[str, ...]
    canary: str = ""
    unit: str = ""
    time: str = ""


@dataclass(frozen=True)
class Rule:
    """The team's own rule, which says of two versions' answers whether the roll-out goes on.

    Attributes:
        call: ``"module:function"``, or the words of a command with ``{results}``.
        folder: the project's folder; the rule runs in a copy.
        left_out: patterns of files that the copy does not need.
        timeout: seconds that it may take for all cases together.
    """

    call: str | tuple[str, ...]
    folder: Path
    left_out: tuple[str, ...] = ()
    timeout: float = 60.0


@dataclass(frozen=True)
class Canary:
    """What a team offers of its canary process; each part may be missing, not all of them.

    Attributes:
        source: the candidate's command or URL, else what there is, for the record.
        start: starts or reaches the candidate's server; raises :class:`InputError` when it does not come up.
        features: the columns to send; empty: the features of the serving log.
        environments: the libraries of training and serving.
        ramp: the log of roll-outs.
        traffic: requests of a roll-out.
        rule: the team's own.
        tampering: what is done to the parts before they are judged, by name: how a fault is planted.
    """

    source: str
    start: Callable[[], Endpoint] | None = None
    features: tuple[str, ...] = ()
    environments: Environments | None = None
    ramp: Ramp | None = None
    traffic: Traffic | None = None
    rule: Rule | None = None
    tampering: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def digest(self) -> str:
        """A digest of the logs; empty where a server, a rule or an environment counts, whose content is not known."""
        if self.start or self.rule or self.environments:
            return ""
        logs = [(part, part.log.digest) for part in (self.ramp, self.traffic) if part is not None]
        said = [(repr(part), digest) for part, digest in logs]
        return digests.of_settings((said, self.tampering))

    def replace(self, **changes: Any) -> Canary:
        """Return a canary with other attributes: how a fault is planted. It shares the candidate's server."""
        return replace(self, **changes)

    def recall(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return what was answered before for the key, or ask now; faults come after, so that they share answers."""
        if key not in self.memory:
            self.memory[key] = ask()
        found: Answer = self.memory[key]
        return found

    def close(self) -> None:
        """Stop the candidate's server, if it was started. Safe to call twice."""
        candidate = self.memory.pop("candidate", None)
        if candidate is not None:
            candidate.close()


def open_canary(
    folder: Path,
    *,
    command: Sequence[str] = (),
    url: str = "",
    server: Mapping[str, Any] | None = None,
    features: Sequence[str] = (),
    environments: tuple[str, str, Sequence[str]] = ("", "", ()),
    ramp: Mapping[str, Any] | None = None,
    traffic: Mapping[str, Any] | None = None,
    decide: str | Sequence[str] = (),
    left_out: Sequence[str] = (),
    decide_timeout: float = 60.0,
) -> Canary:
    """Return the canary process of a project; the candidate's server is started on first use.

    Args:
        folder: what paths and commands are relative to.
        command, url: as for the endpoint; ``server`` holds more attributes of
            :class:`mltestscore.inputs.opening.Opening`.
        features: the columns to send.
        environments: where the libraries of serving and of training are named, and which libraries count.
        ramp, traffic: the attributes of :class:`Ramp` and :class:`Traffic`, with ``source`` in place of ``log``.
        decide, left_out, decide_timeout: the team's rule, see :class:`Rule`.

    Raises :class:`ConfigError` for a part that is only half there, :class:`InputError` for a log that cannot be read.
    """
    place = _environments(folder, *environments)
    parts = (_start(folder, command, url, server or {}), place, ramp, traffic, decide)
    if not any(parts):
        raise ConfigError(f"{TABLE} is empty: write the command of the candidate's server, a ramp or both.")
    named = " ".join(command) or url or str((ramp or traffic or {}).get("source", "")) or str(decide)
    return Canary(
        named[:300],
        parts[0],
        tuple(features),
        place,
        _ramp(folder, ramp) if ramp else None,
        _traffic(folder, traffic) if traffic else None,
        _rule(folder, decide, left_out, decide_timeout) if decide else None,
    )


def _environments(folder: Path, serving: str, training: str, libraries: Sequence[str]) -> Environments | None:
    if bool(serving) != bool(training) or (libraries and not serving):
        raise ConfigError(
            f"{TABLE} needs both serving_environment and training_environment to compare libraries: write an "
            "interpreter, a lock file or a file of requirements for each."
        )
    return Environments(serving, training, tuple(libraries), folder) if serving else None


def _start(folder: Path, command: Sequence[str], url: str, server: Mapping[str, Any]) -> Callable[[], Endpoint] | None:
    if not command and not url:
        return None
    if command and not shutil.which(command[0]) and not (folder / command[0]).is_file():
        raise ConfigError(f"{TABLE} command starts with {command[0]!r:.200}, which is no program; {{python}} is ours.")

    def start() -> Endpoint:
        from mltestscore.inputs.endpoint import open_endpoint

        return open_endpoint(command=command, url=url, cwd=folder, **server)

    return start


def _ramp(folder: Path, settings: Mapping[str, Any]) -> Ramp:
    columns = {name: value for name, value in settings.items() if name != "source"}
    for pair in (("requests", "errors"), ("served_requests", "served_errors")):
        if bool(columns.get(pair[0])) != bool(columns.get(pair[1])):
            raise ConfigError(f"{TABLE[:-1]}.ramp] needs {pair[0]} and {pair[1]} together: a rate needs both.")
    log = open_dataset("ramp", settings["source"], base=folder)
    log.require(*filter(None, columns.values()))
    return Ramp(log, **columns)


def _traffic(folder: Path, settings: Mapping[str, Any]) -> Traffic:
    columns = {name: value for name, value in settings.items() if name != "source"}
    columns["slices"] = tuple(columns["slices"])
    log = open_dataset("traffic", settings["source"], base=folder)
    log.require(columns["version"], *columns["slices"], *filter(None, (columns.get("unit"), columns.get("time"))))
    if not columns["slices"]:
        raise InputError(f"{TABLE[:-1]}.traffic] names no slices; name columns that every canary should meet alike.")
    return Traffic(log, **columns)


def _rule(folder: Path, decide: str | Sequence[str], left_out: Sequence[str], timeout: float) -> Rule:
    call = decide if isinstance(decide, str) else tuple(decide)
    if isinstance(call, str):
        split_name(call, f"{TABLE} decide")
    elif not any("{results}" in word for word in call):
        raise ConfigError(f"{TABLE} decide does not say where the results' file goes; write {{results}} there.")
    return Rule(call, folder.resolve(), tuple(left_out), timeout)
