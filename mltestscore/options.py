"""The options of checks, as ``[tool.mltestscore.checks.<id>]`` sets them, in the types that the checks declare."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from mltestscore.config import Config
from mltestscore.declare import Check
from mltestscore.errors import ConfigError, near


def options_for(check: Check, config: Config) -> dict[str, Any]:
    """Return the configured options of a check, converted to the annotated types.

    Raises :class:`ConfigError` naming the key.
    """
    options = {}
    for name, value in config.checks.get(check.id, {}).items():
        key = f'{config.file}: tool.mltestscore.checks."{check.id}".{name}'
        if name not in check.options:
            raise ConfigError(f"{key} is not an option of this check.{near(name, check.options)}")
        try:
            options[name] = _option_type(check, name).validate_python(value)
        except ValidationError as error:
            raise ConfigError(f"{key} is {value!r:.80}: {error.errors()[0]['msg']}.") from None
        if isinstance(value, bool) and not isinstance(options[name], bool):
            raise ConfigError(f"{key} is {str(value).lower()}: write a number or a text, as its default is.")
    return options


def refuse_unknown_checks(config: Config, planned: dict[str, Check]) -> None:
    """Raise :class:`ConfigError` for options of a check that does not exist, or that it does not have."""
    by_id = {check.id: check for check in planned.values()}
    for id in config.checks:
        if id not in by_id:
            raise ConfigError(f'{config.file}: tool.mltestscore.checks."{id}": no such check.{near(id, by_id)}')
        options_for(by_id[id], config)


def _option_type(check: Check, name: str) -> TypeAdapter[Any]:
    """Return the annotated type of an option; without a usable annotation, that of its default. NaN is refused."""
    annotation = check.function.__annotations__.get(name)
    strict = ConfigDict(allow_inf_nan=False)
    try:
        if isinstance(annotation, str):
            annotation = eval(annotation, check.function.__globals__)  # the check's own annotation text, not data
        if annotation is not None:
            return TypeAdapter(annotation, config=strict)
    except (NameError, PydanticUserError):  # imported for type checkers only, or a type that no configuration can hold
        pass
    default = check.options[name]
    kind = type(default) if isinstance(default, bool | str | list | tuple | dict) else float
    return TypeAdapter(Any if default is None else kind, config=strict)
