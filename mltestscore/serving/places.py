"""Places in a JSON answer: ``outputs[0].data``, ``workers[*].status``, ``states[state=AVAILABLE].version``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_STEP = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<choice>\*|-?\d+|[^\[\]=]+=[^\[\]]*)\]")
_PLACE = re.compile(rf"(?:{_STEP.pattern.replace('?P<key>', '').replace('?P<choice>', '')}|\.(?!$|\.))*")


def is_place(text: str) -> bool:
    """Say whether ``text`` names a place.

    >>> is_place("outputs[0].data"), is_place("outputs[0"), is_place("a..b")
    (True, False, False)
    """
    return _PLACE.fullmatch(text) is not None and not text.startswith(".")


def find(body: object, place: str) -> list[Any]:
    """Return what stands at a place, which is several things where it says ``[*]`` or ``[key=value]``.

    A filter without a value (``[key=]``) takes every object. A key that holds dots itself is found too.

    >>> find({"states": [{"id": 1, "up": True}, {"id": 2, "up": False}]}, "states[up=True].id")
    [1]
    """
    if not place:
        return [body]
    if isinstance(body, Mapping) and place in body:
        return [body[place]]
    step = _STEP.match(place)
    if step is None:
        return []
    rest = place[step.end() :].removeprefix(".")
    if step["key"] is not None:
        chosen = [body[step["key"]]] if isinstance(body, Mapping) and step["key"] in body else []
    else:
        chosen = _chosen(body, step["choice"])
    return [value for part in chosen for value in find(part, rest)]


def _chosen(body: object, choice: str) -> list[Any]:
    if not isinstance(body, list):
        return []
    if choice == "*":
        return body
    key, filters, value = choice.partition("=")
    if filters:
        return [part for part in body if isinstance(part, Mapping) and value in ("", str(part.get(key)))]
    return [body[int(choice)]] if -len(body) <= int(choice) < len(body) else []


def first(body: object, places: Iterable[str]) -> Any:
    """Return what stands at the first place that is there; the list of it where the place names several.

    Raises :class:`ValueError` naming the places, and the keys that are there.
    """
    tried = list(places)
    for place in tried:
        found = find(body, place)
        if "[*]" in place and found:
            return found
        if found:
            return found[0]
    keys = sorted(map(str, body))[:10] if isinstance(body, Mapping) else type(body).__name__
    wanted = " or ".join(repr(place) for place in tried)
    raise ValueError(f"expected the key {wanted} in the answer, found {keys!s:.200}")


def texts(body: object, places: Iterable[str]) -> list[str]:
    """Return what stands at the first place that is there, as texts in lower case; nothing when none is."""
    for place in places:
        if found := find(body, place):
            return [str(value).lower() for value in found]
    return []
