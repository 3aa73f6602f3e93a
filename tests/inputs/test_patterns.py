"""A translated pattern matches the same texts in the database as in Python, or is not translated."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.inputs.database import connection
from mltestscore.inputs.patterns import to_re2


@settings(deadline=None)
@given(text=st.text("aB1_ é٣\n-]^", max_size=5))
@pytest.mark.parametrize(
    "pattern", [r"^\d+$", r"\w", r"[^\w]", r"\W", r"[]a]", r"[^]a]", r"a.1", r"\D\Z", r"(?i)A$", r"a{1,2}|\-"]
)
def test_a_translated_pattern_matches_the_same_texts(pattern: str, text: str) -> None:

    translated = to_re2(pattern)
    found = connection().con.execute("SELECT regexp_matches(?, ?)", [text, translated]).fetchall()[0][0]
    assert found == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(?<!a)b", r"(a)\1", r"\bword\b", r"(?x) a", r"\x41", r"a*+", "(", r"[\W]", "[[a]"]
)
def test_a_pattern_that_re2_has_not_is_not_translated(pattern: str) -> None:
    assert to_re2(pattern) is None
