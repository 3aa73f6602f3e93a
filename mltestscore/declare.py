"""How a check and its planted faults are declared: two decorators, the function's signature is the contract.

A parameter names an input (a fixture); one with the default ``None`` is optional; a keyword-only parameter is an
option, whose default can be changed under ``[tool.mltestscore.checks."<id>"]``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltestscore.details import Detail
from mltestscore.finding import Finding
from mltestscore.result import Origin

Observations = Iterator[Finding | Detail]
CheckFunction = Callable[..., Observations]
FaultFunction = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Fault:
    """A way to break the system on purpose; the check must turn ``failed`` when it is planted.

    Attributes:
        name: what breaks, in the reader's words.
        function: takes the inputs that it breaks by name (bounded copies), and ``rng`` if it draws at random;
            returns the broken ones by name.
        caught_by: the name of the finding that must turn ``failed``; empty: any finding that was not failed before.
    """

    name: str
    function: FaultFunction
    caught_by: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that the fault takes, without ``rng``."""
        return tuple(name for name in inspect.signature(self.function).parameters if name != "rng")


@dataclass
class Check:
    """A declared check: which rubric item it speaks for, what it needs, its options and its planted faults."""

    id: str
    item: str
    function: CheckFunction
    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    options: dict[str, Any]
    proof_options: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)
    existing: bool = False
    """Whether it only takes over what a team's own tool found, which is worth ½ like a marked test."""

    @property
    def origin(self) -> Origin:
        """Who wrote it."""
        if self.existing:
            return "existing result"
        return "built-in" if self.id == self.item else "team"

    @property
    def doc(self) -> str:
        """The documentation of the check: its file's where it is ours, else its function's."""
        module = inspect.getmodule(self.function)
        own = inspect.getdoc(self.function) or ""
        return (inspect.getdoc(module) or own) if _is_ours(self.function) else own


def check(
    item: str, *, id: str = "", proof_options: Mapping[str, Any] | None = None
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare that the decorated generator speaks for a rubric item.

    Args:
        item: the rubric item, for example ``"data.1"``.
        id: the check's own id; default: the item's id for our checks, ``"<item>/<function>"`` for a team's.
        proof_options: option values that are used while faults are planted, where the defaults would take too long.

    The generator takes inputs by parameter name and yields findings (:func:`at_most`, :func:`at_least`,
    :func:`within`, :func:`undecided`) and details (:class:`Table`, …); it never judges, catches or prints.

    Raises :class:`TypeError` for an option without a default, an input with a default other than ``None``, and
    ``proof_options`` that name no option.

    >>> from mltestscore import at_most, check, fault
    >>> @check("data.1")
    ... def check_rows_have_ids(training, *, most=0.0):
    ...     missing = training.frame()["id"].isna()
    ...     yield at_most("rows without an id", missing.mean(), most, unit="share", n=len(missing))
    >>> @fault(check_rows_have_ids, "one id in ten is lost")
    ... def lost_ids(training, rng):
    ...     frame = training.frame()
    ...     return {"training": training.replace(frame.assign(id=frame["id"].where(rng.random(len(frame)) > 0.1)))}
    """

    def declare(function: CheckFunction) -> CheckFunction:
        required, optional, options = _signature(function)
        unknown = set(proof_options or {}) - set(options)
        if unknown:
            raise TypeError(f"{function.__name__}: proof_options names no option of the check: {sorted(unknown)}")
        declared = Check(
            id=id or (item if _is_ours(function) else f"{item}/{function.__name__.removeprefix('check_')}"),
            item=item,
            function=function,
            inputs=required,
            optional=optional,
            options=options,
            proof_options=dict(proof_options or {}),
        )
        function.__mltestscore__ = declared  # type: ignore[attr-defined]
        return function

    return declare


def fault(of: CheckFunction, name: str, *, caught_by: str = "") -> Callable[[FaultFunction], FaultFunction]:
    """Plant a fault that the check ``of`` must catch; without one that it catches, a check earns nothing.

    The decorated function takes the inputs that it breaks, by the check's parameter names, as bounded copies that it
    may use as it likes, and ``rng`` (:class:`numpy.random.Generator`) when it draws; it returns the broken inputs by
    name. ``caught_by`` names the finding that must turn ``failed``, so that the fault is caught for the right reason.

    Raises :class:`TypeError` when ``of`` is not a declared check, or the fault takes an input that the check has not.

    >>> from mltestscore import at_most, check
    >>> from mltestscore.testing import run_check
    >>> @check("data.1")
    ... def check_length(rows, *, most=3):
    ...     yield at_most("rows", len(rows), most)
    >>> @fault(check_length, "rows come twice", caught_by="rows")
    ... def twice(rows):
    ...     return {"rows": rows * 2}
    >>> run_check(check_length, rows=["a", "b"]).proof.state
    'proven'
    """
    declared = declared_check(of)
    if declared is None:
        raise TypeError(f"fault({name!r}): {of!r} is not a check; decorate it with @check(…) first")

    def plant(function: FaultFunction) -> FaultFunction:
        planted = Fault(name, function, caught_by)
        unknown = set(planted.inputs) - set(declared.inputs) - set(declared.optional)
        if unknown:
            raise TypeError(f"fault({name!r}) takes {sorted(unknown)}, which {declared.id} does not use")
        declared.faults.append(planted)
        return function

    return plant


def declared_check(function: object) -> Check | None:
    """Return what :func:`check` declared on ``function``, or ``None`` for an ordinary function."""
    declared = getattr(function, "__mltestscore__", None)
    return declared if isinstance(declared, Check) else None


def _is_ours(function: CheckFunction) -> bool:
    return function.__module__.startswith("mltestscore.checks.")


def _signature(function: CheckFunction) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]:
    required, optional, options = [], [], {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise TypeError(f"{function.__name__}: the option {parameter.name!r} needs a default")
            options[parameter.name] = parameter.default
        elif parameter.default is parameter.empty:
            required.append(parameter.name)
        elif parameter.default is None:
            optional.append(parameter.name)
        else:
            raise TypeError(f"{function.__name__}: the input {parameter.name!r} may only default to None (optional)")
    return tuple(required), tuple(optional), options
