import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.words.tame import LONGEST_NAME, one_line, tame, visible
from tests.reports.hostile import TEXTS, hostile
from tests.reports.samples import flights

ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(codec=None)), st.integers(0, 50))
@settings(deadline=None)
def test_no_character_is_left_that_acts_instead_of_showing(text: str, longest: int) -> None:
    shown = visible(text, longest)
    assert {unicodedata.category(letter) for letter in shown if letter not in "\n\t"} & ACTING == set()


@given(st.text(st.sampled_from("a\u0351\u0310\u0324 ")))
@settings(deadline=None)
def test_accents_do_not_pile_up(text: str) -> None:
    piled = longest = 0
    for letter in visible(text):
        piled = piled + 1 if unicodedata.combining(letter) else 0
        longest = max(longest, piled)
    assert longest <= 2


def test_ordinary_text_of_any_language_stays() -> None:
    for text in ("Ünïcode – 5 °C", "Tiếng Việt", "日本語", "עברית", "a\nb\tc"):
        assert visible(text) == text


def test_a_long_name_is_cut_and_says_by_how_much() -> None:
    shown = tame(hostile(TEXTS["long"])).system
    assert shown.startswith("A" * LONGEST_NAME + "… (9,880 more")


def test_taming_twice_changes_nothing_more() -> None:
    once = tame(hostile(TEXTS["control"]))
    assert tame(once) == once


def test_a_harmless_scorecard_comes_back_as_it_was() -> None:
    assert tame(flights()) == flights()


def test_one_line_joins_lines() -> None:
    assert one_line(" a\n\n b\t c ") == "a b c"
