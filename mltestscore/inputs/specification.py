"""The code that specifies the model: an object that trains it step by step, and the modules with their unit tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from mltestscore.errors import ConfigError
from mltestscore.inputs.feature_code import FeatureCode, module_files, require_targets
from mltestscore.inputs.functions import split_name
from mltestscore.specification import Kind, Part

TABLE = "[tool.mltestscore.specification]"
SETTING = f"{TABLE} stepper"


@dataclass(frozen=True)
class Specification:
    """How the model is made, to be tried and tested apart from a whole training.

    Attributes:
        code: the modules and their unit tests; both empty where tests are not offered.
        stepper: ``"module:function"`` (or a class) that returns a model that is not trained yet, with ``step(frame)``,
            ``predict(frame)``, ``save(path)`` and ``load(path)``; empty where it is not offered. See
            :mod:`mltestscore.specification.stepper`.
        predicts: what ``predict`` gives; empty: told from labels and predictions.
        task: the model's task, where it is declared.
        random: whether steps or predictions draw from a generator that a checkpoint does not hold.
        wrappers: functions that take the stepper and return another; see :meth:`wrapped`.
        parts: what is tried with the stepper; a fault that can show in one part alone is planted in that alone.
    """

    code: FeatureCode
    stepper: str = ""
    predicts: Kind = ""
    task: str = ""
    random: bool = False
    wrappers: tuple[str, ...] = ()
    parts: tuple[Part, ...] = get_args(Part)
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The stepper and the modules, for the reader."""
        return ", ".join(filter(None, (self.stepper, *self.code.modules)))

    @property
    def tested(self) -> bool:
        """Whether there are unit tests to judge."""
        return bool(self.code.modules)

    @property
    def digest(self) -> str:
        """A digest of every Python file of the project and of what is asked of it."""
        asked = (self.code.code_digest, self.stepper, self.predicts, self.task, self.random)
        return hashlib.sha256(repr((asked, self.wrappers, self.parts)).encode("utf-8", "backslashreplace")).hexdigest()[
            :16
        ]

    def replace(self, **changes: Any) -> Specification:
        """Return a specification with other attributes: how a fault is planted."""
        return replace(self, **changes)

    def wrapped(self, wrapper: str, *parts: Part) -> Specification:
        """Return one whose stepper goes through ``wrapper`` (``"module:function"``), looked at in ``parts`` alone."""
        split_name(wrapper, "wrapper")
        return replace(self, wrappers=(*self.wrappers, wrapper), parts=parts or self.parts)


def open_specification(
    folder: Path,
    *,
    stepper: str = "",
    modules: Iterable[str] = (),
    tests: Iterable[str] = (),
    predicts: Kind = "",
    task: str = "",
    random: bool = False,
    left_out: Iterable[str] = (),
) -> Specification:
    """Return the specification of a project; modules are dotted names or paths of files below ``folder``.

    Raises :class:`ConfigError` where nothing is offered, or modules without tests; :class:`InputError` for a module or
    test that is not there.
    """
    targets, files = tuple(tests), module_files(folder, modules, TABLE)
    if not stepper and not files:
        raise ConfigError(
            f'{TABLE} offers nothing to try; name the model, stepper = "module:function", or its code and unit tests, '
            'modules = ["shop.network"] and tests = ["tests/test_network.py"], or both.'
        )
    if bool(files) != bool(targets):
        lacking = "tests" if files else "modules"
        raise ConfigError(f"{TABLE} names {'modules' if files else 'tests'} but no {lacking}; one says little alone.")
    if stepper:
        split_name(stepper, SETTING)
    require_targets(folder, targets, TABLE)
    code = FeatureCode(folder.resolve(), files, targets, left_out=tuple(left_out), table=TABLE)
    return Specification(code, stepper, predicts, task, random)
