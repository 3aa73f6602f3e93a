from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mltestscore.comparison.cause import best
from mltestscore.comparison.texts import candidates, difference, repaired, twin

LATIN = st.text(st.characters(codec="latin-1", categories=["L", "Nd", "Zs"]), min_size=1)


@given(LATIN)
def test_blanks_case_and_unicode_form_make_no_difference_to_the_twin(text: str) -> None:
    others = (f" {text} ", text.swapcase(), unicodedata.normalize("NFD", text))
    # A text that happens to be the mojibake of another has that one's twin.
    assume(all(repaired(one) == one for one in (text, *others)))
    assert {twin(other) for other in others} == {twin(text)}


@given(LATIN)
def test_mojibake_is_repaired(text: str) -> None:
    assert repaired(text.encode().decode("latin-1")) == text


@pytest.mark.parametrize(
    ("left", "right", "word"),
    [
        ("aa ", "aa", "blanks"),
        ("Aa", "aA", "case"),
        ("ZoÃ«", "Zoë", "mojibake"),
        ("Zoe\u0308", "Zoë", "Unicode"),
        ("a", "b", ""),
    ],
)
def test_the_difference_of_two_texts_is_named(left: str, right: str, word: str) -> None:
    assert word in difference(left, right)
    assert bool(word) == bool(difference(left, right))


def test_texts_cut_short_are_named() -> None:
    computed = ["Newark", "La Guardia", "Kennedy"] * 5
    cause = best(candidates([one[:3] for one in computed], computed, 1.0), 15)
    assert cause is not None
    assert cause.name == "cut short in serving"
