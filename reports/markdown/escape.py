"""Hostile text inside a line of Markdown: no markup, no HTML, no table cell, no mention, no automatic link."""

from __future__ import annotations

import re

from mltestscore.words.tame import one_line, visible

JOINER = "\u2060"
"""WORD JOINER: no width, no line break; it keeps ``@name``, ``#1`` and ``www.`` from being recognised."""

_RECOGNISED = re.compile(r"[@#!%&~$](?=\w)|:(?=//)|:(?=[\w+-]+:)|\b(?:www|GH)(?=[.-])", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`*_\[\]{}|~$!]")
_BLOCK_START = re.compile(r"^(?=[-+=#>:]|\d+[.)])")


def escape(text: str, longest: int = 400) -> str:
    """Return one line of text that reads as it is written.

    >>> print(escape("a|b *c* <d>"))
    a\\|b \\*c\\* &lt;d&gt;
    """
    text = _RECOGNISED.sub(lambda found: found.group() + JOINER, visible(one_line(text), longest))
    text = _BLOCK_START.sub(JOINER, text)
    text = _MARKUP.sub(lambda found: "\\" + found.group(), text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Return text as a code span of letters, digits, dots and hyphens; all else is left out."""
    return f"`{re.sub(r'[^A-Za-z0-9._-]', '', text) or '-'}`"
