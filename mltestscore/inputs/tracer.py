"""What follows one row through the model: the team's own function, or what we can follow ourselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import digests
from mltestscore.inputs.functions import split_name
from mltestscore.unstructured import as_texts

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model
    from mltestscore.tracing.trace import Trace

TABLE = "[tool.mltestscore.trace]"
AUTOMATIC = "automatic"
FOLLOWED_TO = 1e-5  # how close the steps that we follow must come to the model's own score, else it does more


@dataclass(frozen=True)
class Tracer:
    """What gives the steps from a row to its score.

    Attributes:
        call: ``"module:function"``, called as ``function(row, version)`` in its own process; empty: we do it.
        folder: the project's folder, from which the function is imported.
        timeout: seconds for the process, all its rows together.
        derived: pairs of a name in the trace and the features that it derives from.
        version_column: the column of ``serving`` that names the version which answered; empty: ``version`` or
            ``model_version`` where there is one.
        reason: the field of a server's answer that says why it gave a default; empty: it must give none.
        tampering: what is done to the traces afterwards, by name: how a fault is planted.
    """

    call: str = ""
    folder: Path = Path()
    timeout: float = 60.0
    derived: tuple[tuple[str, tuple[str, ...]], ...] = ()
    version_column: str = ""
    reason: str = ""
    tampering: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The function's name, or that we follow the model ourselves."""
        return self.call or AUTOMATIC

    @property
    def digest(self) -> str:
        """A digest of the settings and of the Python files in the folder of the function's module."""
        asked = (self.call, self.derived, self.version_column, self.reason, self.tampering)
        if not self.call:
            return digests.of_settings(asked)
        module, _ = split_name(self.call, f"{TABLE} call")
        home = self.folder.joinpath(*module.split(".")).parent
        return digests.of_settings(asked, sorted(home.glob("*.py")), home)

    def replace(self, **changes: Any) -> Tracer:
        """Return a tracer with other attributes: how a fault is planted."""
        return replace(self, **changes)

    def trace(self, model: Model, rows: pd.DataFrame, version: str, *, earlier: bool = False) -> list[Trace]:
        """Return the trace of each row through ``model``; one that failed says why.

        Args:
            model: what is followed where there is no function.
            rows: the features, and all else that is known of the rows.
            version: what the function is told.
            earlier: whether the model is the version before the served one.

        Raises :class:`InputError` when the function cannot be imported.
        """
        from mltestscore.tracing.tampering import TAMPERING, Given

        texts = rows.apply(as_texts)
        key = (self.call, id(model), version, tuple(rows.columns), tuple(pd.util.hash_pandas_object(texts)))
        if key not in self.memory:
            found = self._asked(rows, version) if self.call else _followed(model, rows)
            self.memory[key] = (model, found)  # the model too: its id is its own as long as it lives
        return TAMPERING[self.tampering](list(self.memory[key][1]), Given(model.features, rows, self.derived, earlier))

    def _asked(self, rows: pd.DataFrame, version: str) -> list[Trace]:
        from mltestscore.codetests.sandbox import run_python

        with tempfile.TemporaryDirectory(prefix="mltestscore-") as name:
            work = Path(name)
            try:
                rows.reset_index(drop=True).to_parquet(work / "rows.parquet", index=False)
            except Exception as error:
                raise InputError(f"{TABLE}: the rows cannot be handed over as Parquet: {error}") from error
            request = {"call": self.call, "version": version, "setting": f"{TABLE} call"}
            (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
            arguments = ["-m", "mltestscore.tracing.function_process", name]
            done = run_python(arguments, sandbox=self.folder, home=self.folder, timeout=self.timeout)
            answered = work / "result.jsonl"
            lines = answered.read_text(encoding="utf-8").splitlines() if answered.is_file() else []
            if done.code != 0 and not answered.is_file():
                raise InputError(f"{TABLE}: {done.said or 'the process ended without a word'}")
            ended = "ended the process" if done.code is not None else f"did not answer within {self.timeout:g} s"
            return _read(lines, len(rows), f"{self.call} {ended} {done.said[-200:]}".strip())


def _followed(model: Model, rows: pd.DataFrame) -> list[Trace]:
    from mltestscore.tracing.automatic import follow

    return follow(model, rows, FOLLOWED_TO)


def _read(lines: Sequence[str], rows: int, otherwise: str) -> list[Trace]:
    from mltestscore.tracing.trace import Step, Trace, Value

    traces = []
    for line in lines[:rows]:
        try:
            held = json.loads(line)
        except ValueError:  # cut off when the process was stopped
            break
        steps = tuple(Step(name, tuple(Value(one, value) for one, value in values)) for name, values in held["steps"])
        traces.append(Trace(steps, held["error"]))
    return traces + [Trace(error=otherwise)] * (rows - len(traces))


def open_tracer(
    folder: Path,
    *,
    call: str = "",
    timeout: float = 60.0,
    derived: Mapping[str, Sequence[str]] | None = None,
    version_column: str = "",
    reason: str = "",
) -> Tracer:
    """Return the tracer; settings are the attributes of :class:`Tracer`.

    Raises :class:`ConfigError` for a function's name of another form, or one derived from nothing.
    """
    if call:
        split_name(call, f"{TABLE} call")
    for name, features in (derived or {}).items():
        if not features:
            raise ConfigError(f"{TABLE} derived: {name!r:.80} derives from no feature; name one, or remove the key.")
    pairs = tuple((name, tuple(features)) for name, features in (derived or {}).items())
    return Tracer(call, folder.resolve(), timeout, pairs, version_column, reason)


def require_followed(tracer: Tracer, model: Callable[[], Model]) -> Tracer:
    """Return the tracer where it has a function, or its model can be followed without one.

    Raises :class:`NotOffered` that says how to offer a trace.
    """
    from mltestscore.errors import NotOffered
    from mltestscore.tracing.automatic import LIBRARIES, can_follow

    if tracer.call or can_follow(found := model()):
        return tracer
    kind = type(found.estimator).__name__
    raise NotOffered(
        "tracer",
        f'write call = "module:function" under {TABLE}: a function of a row and a version that returns the values on '
        f"the way, the score last. A {kind} cannot be followed without one; models of {LIBRARIES} can",
    )
