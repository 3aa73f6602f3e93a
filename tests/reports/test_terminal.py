from pathlib import Path

import pytest
from mltestscore.reports.terminal.render import MOST_LINES, WIDTH, render

from mltestscore.result import CheckResult
from mltestscore.rubric import rubric

from .hostile import TEXTS, hostile
from .samples import bare, card, flights, huge, perfect

HTML = Path("report/scorecard.html")


@pytest.mark.parametrize("card", [flights, perfect, bare, huge])
def test_the_summary_is_short_and_ends_with_the_page(card: object) -> None:
    lines = render(card(), HTML)  # type: ignore[operator]
    assert len(lines) <= MOST_LINES
    assert lines[-1] == str(HTML)
    assert all(len(line) <= WIDTH for line in lines)


def test_the_summary_says_score_sections_gate_and_what_fails() -> None:
    text = "\n".join(render(flights(), HTML))
    assert "flight-delay: 2.5 of 7 – Reasonably tested" in text
    assert "Infrastructure 2.5 ← holds the score" in text
    assert "gate release: NOT MET: monitor.3 is required and failing" in text
    assert "✖ monitor.3 temp: rows that differ is 4.9 %" in text
    assert "⚠ infra.3 the pipeline's command ended with status 3" in text


def test_the_summary_says_what_differs_from_the_last_run_and_the_trend() -> None:
    text = "\n".join(render(flights(), HTML))
    assert "since last run: broken monitor.3, worse monitor.6, fixed data.1, 2 proofs renewed" in text
    assert "13 passed · trend 0.5 → 2.5 over 6 runs" in text
    assert "since last run: 2 proofs renewed" in "\n".join(render(flights(changes=[]), HTML))


def test_more_failing_items_than_fit_are_counted() -> None:
    lines = render(huge(2), HTML)
    assert any("more items that failed or ended in an error" in line for line in lines)


@pytest.mark.parametrize("failing", range(1, 12))
def test_failing_items_are_shown_or_counted_each_once(failing: int) -> None:
    lines = render(card([CheckResult(id=id, item=id, state="failed") for id in rubric().ids[:failing]]), HTML)
    shown = sum(line.startswith("  ✖ ") for line in lines)
    counted = [line for line in lines if "more item" in line]
    assert len(lines) <= MOST_LINES
    assert shown == failing or counted == [f"  and {failing - shown} more items that failed or ended in an error"]


def test_without_a_page_the_last_line_counts_the_items() -> None:
    assert render(perfect(), None)[-1] == "  28 passed"


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_values_send_no_control_character(name: str) -> None:
    for line in render(hostile(TEXTS[name]), HTML):
        assert line.isprintable()
        assert len(line) <= WIDTH
