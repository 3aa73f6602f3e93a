import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mltestscore.reports.markdown.escape import JOINER, code, escape
from mltestscore.reports.markdown.render import MOST_LINES, render

from .hostile import TEXTS, hostile
from .samples import bare, flights, huge, perfect

PARSER = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def kinds(text: str) -> list[str]:
    tokens = PARSER.parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return [token.type for token in [*tokens, *inner]]


def test_the_comment_begins_with_the_score_and_names_what_fails() -> None:
    text = render(flights())
    assert text.startswith("## ML Test Score: 2.5 of 7 – flight-delay\n")
    assert "Gate **release** is not met" in text
    assert "| ML infrastructure | 2.5 of 7 | holds the score |" in text
    assert "| ❌ failing | monitor.3" in text
    assert "looks like °F → °C" in text
    assert "data.7" not in text


def test_the_comment_says_what_differs_from_the_last_run_and_the_trend() -> None:
    text = render(flights())
    assert "- ▲ fixed: data.1 wind\\_dir has a rule again\n- 2 proofs renewed\n" in text
    assert "Trend: 0.5 → 2.5 over 6 runs." in text


@pytest.mark.parametrize(("by", "said"), [("CI", " · CI · "), ("hand", " · by hand · ")])
def test_the_comment_says_who_ran_it(by: str, said: str) -> None:
    card = flights()
    card.run.by = by
    assert said in render(card).splitlines()[-1]


@pytest.mark.parametrize("card", [flights, perfect, bare, huge])
def test_the_comment_is_at_most_sixty_lines(card: object) -> None:
    assert len(render(card()).splitlines()) <= MOST_LINES  # type: ignore[operator]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if text.strip()])
def test_hostile_values_add_no_markup(name: str) -> None:
    """The comment has the blocks of a harmless one, so no value opened a cell, a list, a link or an element."""
    plain, text = kinds(render(hostile("x"))), render(hostile(TEXTS[name]))
    structure = {"text", "softbreak", "text_special"}
    assert [kind for kind in kinds(text) if kind not in structure] == [kind for kind in plain if kind not in structure]
    assert len(text.splitlines()) <= MOST_LINES
    assert "<img" not in text
    assert "@octocat" not in text


@given(st.text(st.sampled_from("ab@#1!*_`[]()<>&|\\~$:-+=.w/ \n")))
@settings(deadline=None)
def test_escaped_text_is_one_paragraph_that_reads_as_it_was_written(text: str) -> None:
    tokens = PARSER.parse("x " + escape(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children).replace(JOINER, "") == ("x " + " ".join(text.split())).rstrip()


def test_a_mention_an_issue_and_an_address_are_not_recognised() -> None:
    for text in ("@octocat", "#12", "GH-12", "https://x.invalid", "www.x.invalid", "a@b.invalid", ":tada:"):
        assert JOINER in escape(text)


def test_a_commit_is_a_code_span_of_harmless_characters() -> None:
    assert code("1a2b`<b>") == "`1a2bb`"
    assert code("``") == "`-`"
