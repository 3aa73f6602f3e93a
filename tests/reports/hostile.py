"""Values as an enemy would choose them, in every field of a scorecard that holds free text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from mltestscore.scorecard import Scorecard

from .samples import flights

TEXTS = {
    "script": "</script></style></title><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>",
    "attribute": "\" onmouseover=\"window.pwned=1\" autofocus onfocus='window.pwned=1' x='",
    "address": "javascript:window.pwned=1",
    "https address": 'https://x.invalid/"onclick=window.pwned=1',
    "template": "{{7*7}}{% for x in range(9) %}{{ self.__init__.__globals__ }}",
    "backwards": "\u202e\u2066gpj.exe\u2069 \u200b\u200d\ufeff",
    "control": "a\x00b\x07c\x1b[31mred\x7f\x85\u2028\r\n\td",
    "long": "A" * 10_000,
    "long words": "wide_feature " * 800,
    "accents": "Z" + "\u0351\u0310\u0324" * 300,
    "comment": "--><!--<![CDATA[ ]]>",
    "entity": "&lt;b&gt;&#x3c;script&#x3e;",
    "empty": "",
    "white space": " \n\t ",
    "markdown": "| a | b |\n|---|---|\n# head\n```\n<details>@octocat #1 "
    "![x](https://x.invalid/y.png) [l](javascript:1) www.x.invalid",
}

DETAIL_FIELDS = {"columns", "rows", "left_out", "x", "x_name", "y_name", "lines", "edges", "categories", "body"}
DETAIL_FIELDS |= {"left", "right", "left_name", "right_name"}


def hostile(text: str) -> Scorecard:
    """Return the flights scorecard with ``text`` in every free text, keys of mappings included.

    Items keep their ids, which permalinks need; :func:`hostile_ids` breaks those.
    """
    return Scorecard.model_validate(_replaced(flights(), lambda _: text))


def hostile_ids(text: str) -> Scorecard:
    """Return the flights scorecard with ``text`` as the id of every item and check."""
    card = flights()
    for item in card.items:
        item.id = text
        for check in item.checks:
            check.id = check.item = text
    return card


def _replaced(model: BaseModel, change: Callable[[str], str]) -> dict[str, Any]:
    fields = type(model).model_fields
    free = {name for name, field in fields.items() if "Literal" not in str(field.annotation) and name != "id"}
    return {name: _changed(value, change) if name in free else value for name, value in model}


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, BaseModel):
        return _replaced(value, change)
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(part, change) for part in value]
    if isinstance(value, dict):
        return {
            key if key in DETAIL_FIELDS else f"{change(key)}{number}": _changed(part, change)
            for number, (key, part) in enumerate(value.items())
        }
    return value
