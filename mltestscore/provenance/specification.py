"""The settings that a file held at a commit, and how they differ from those stored with a model."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from mltestscore.errors import ConfigError, InputError, near

KNOWN = (".json", ".toml", ".yaml", ".yml", ".py")
MAX_SHOWN = 60
_WHERE = "[tool.mltestscore.repository] specification"
_ABSENT = object()


def settings(specification: str, content: bytes) -> dict[str, Any]:
    """Return the settings in the content of a file.

    Args:
        specification: the file's path, with ``:key`` or ``:outer.inner`` where the settings are a part of it; of a
            Python file ``:NAME``, a name that is assigned a literal dictionary.
        content: of the file, UTF-8; never executed.

    Raises :class:`ConfigError` for an ending that is not known, a missing key, or what is no table of settings, and
    :class:`InputError` for a file that cannot be parsed.
    """
    path, _, key = specification.partition(":")
    kind = next((one for one in KNOWN if path.casefold().endswith(one)), "")
    if not kind:
        raise ConfigError(f"{_WHERE} is {path!r:.200}; expected a file that ends in {', '.join(KNOWN)}.")
    try:
        found = _parsed(kind, content.decode("utf-8"), key)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise InputError(f"{path} at the model's commit cannot be parsed: {error!s:.200}. Correct it.") from None
    for part in key.split(".") if key and kind != ".py" else ():
        if not isinstance(found, Mapping) or part not in found:
            known = found if isinstance(found, Mapping) else ()
            raise ConfigError(
                f"{_WHERE}: {path} has no {part!r:.80} at the model's commit.{near(part, map(str, known))}"
            )
        found = found[part]
    if not isinstance(found, Mapping):
        raise ConfigError(f"{_WHERE}: {specification!r:.200} holds a {type(found).__name__}, expected a table.")
    return {str(name): value for name, value in found.items()}


def _parsed(kind: str, text: str, key: str) -> Any:
    if kind == ".json":
        return json.loads(text)
    if kind == ".toml":
        return tomllib.loads(text)
    if kind == ".py":
        return _assigned(text, key)
    try:
        import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
    except ImportError:
        raise ConfigError(f"{_WHERE} is a YAML file; `pip install pyyaml` to read it.") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _assigned(text: str, name: str) -> Any:
    """Return the literal that a module assigns to a name, without running it."""
    names = []
    for node in ast.parse(text).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            names += [target.id] if isinstance(target, ast.Name) else []
            if names and names[-1] == name and node.value is not None:  # type: ignore[attr-defined]
                return ast.literal_eval(node.value)  # type: ignore[attr-defined]
    raise ConfigError(f"{_WHERE}: the file assigns nothing to {name!r:.80}; write file.py:NAME.{near(name, names)}")


def differences(stored: Mapping[str, Any], reviewed: Mapping[str, Any], ignored: Sequence[str]) -> list[str]:
    """Return what differs between the settings stored with a model and the reviewed ones, one sentence a setting.

    The order of keys does not matter, nor how a number is written, nor whether it was stored as a text, as MLflow does.

    >>> differences({"depth": "6", "rate": 0.1}, {"rate": 0.10, "depth": 6}, ())
    []
    >>> differences({"depth": 8}, {"depth": 6}, ())
    ['depth: stored 8, reviewed 6']
    """
    found = []
    ours, theirs = flat(stored), flat(reviewed)
    for name in dict.fromkeys((*theirs, *ours)):
        if name in ignored or name.partition(".")[0] in ignored:
            continue
        left, right = ours.get(name, _ABSENT), theirs.get(name, _ABSENT)
        if not same(left, right):
            found.append(f"{name:.80}: stored {_shown(left)}, reviewed {_shown(right)}")
    return found


def flat(settings: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return nested settings as one level, ``outer.inner``."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{start}{name}.")
        else:
            found[f"{start}{name}"] = value
    return found


def same(left: object, right: object) -> bool:
    """Say whether two settings mean the same."""
    if left is _ABSENT or right is _ABSENT:
        return left is right
    if isinstance(left, str) != isinstance(right, str):
        left, right = (_meant(one) if isinstance(one, str) else one for one in (left, right))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=1e-12, abs_tol=0)
    return bool(left == right)


def _meant(text: str) -> object:
    """Return the value that a text spells, as Python or JSON does; the text itself where it spells none."""
    spelt = {"true": True, "false": False, "null": None, "none": None}
    if text.casefold() in spelt:
        return spelt[text.casefold()]
    try:
        return ast.literal_eval(text) if len(text) <= 1_000 else text
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _shown(value: object) -> str:
    return "nothing" if value is _ABSENT else f"{value!r:.{MAX_SHOWN}}"


def digests(content: bytes, parsed: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests by which a file may be known: of its bytes, as git's blob, of its settings as sorted JSON."""
    blob = b"blob %d\0" % len(content) + content
    text = json.dumps(parsed, sort_keys=True, separators=(",", ":"), default=str)
    return {
        "SHA-256 of the file": hashlib.sha256(content).hexdigest(),
        "git's blob": hashlib.sha1(blob, usedforsecurity=False).hexdigest(),
        "SHA-256 of the settings as sorted JSON": hashlib.sha256(text.encode()).hexdigest(),
    }


def known_as(digest: str, digests: Mapping[str, str]) -> bool:
    """Say whether ``digest``, or its first twelve or more digits, is one of these."""
    plain = digest.casefold().removeprefix("sha256:")
    return len(plain) >= 12 and any(one.startswith(plain) for one in digests.values())
