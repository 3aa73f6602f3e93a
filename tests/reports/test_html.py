"""The page as text: what it says, what it never holds, and that it stays small and the same."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from mltestscore.reports.html.render import LARGEST, render

from mltestscore.result import DetailRecord, Proof
from mltestscore.scorecard import Scorecard

from .hostile import TEXTS, hostile
from .samples import bare, flights, huge, perfect

VOID = {"meta", "link", "br", "col", "img", "input", "hr"}


class Balance(HTMLParser):
    """Notes elements that are closed in the wrong order or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> in line {self.getpos()[0]}")


def words(page: str) -> str:
    body = re.sub(r"(?s)<(style|script)>.*?</\1>", "", page)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.mark.parametrize("card", [flights, perfect, bare, huge])
def test_the_page_is_well_formed_and_small(card: object) -> None:
    page = render(card())  # type: ignore[operator]
    balance = Balance()
    balance.feed(page)
    assert balance.wrong == []
    assert balance.open == []
    assert len(page.encode()) <= LARGEST


def test_a_page_of_28_items_has_a_picture_of_each() -> None:
    page = render(huge(2))
    assert page.count('<figure class="series"') == 28
    assert len(page.encode()) <= LARGEST


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_page_stays_small_too(name: str) -> None:
    assert len(render(hostile(TEXTS[name])).encode()) <= LARGEST


def test_the_same_scorecard_gives_the_same_bytes() -> None:
    assert render(flights()) == render(flights())


def test_nothing_is_loaded_from_anywhere() -> None:
    page = render(flights())
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|action|data|poster)\s*=\s*["']?\s*(?!data:,)[a-z]+:""", page)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<iframe|<object|<embed|<base|style=", page)
    assert re.findall(r'<link [^>]*href="([^"]+)"', page) == ["data:,"]


def test_the_first_block_answers_the_reviewers_questions() -> None:
    text = words(render(flights()))
    for said in (
        "2.5 of 7",
        "Reasonably tested, but more of it could be automated",
        "The minimum of the four section sums (2017 rule).",
        "Gate release : not met , 2 reasons",
        "2.5 of 7 holds the score",
        "Next best step infra.3",
        "broken: monitor.3 temp: rows that differ went from 0.0 % to 4.9 %",
        "proven checks only 2.0",
        "Not validated as a predictor of incidents.",
    ):
        assert said in text


def test_a_failing_item_shows_findings_cause_faults_and_what_to_do() -> None:
    page = render(flights())
    item = words(page[page.index('id="monitor.3"') : page.index('id="infra.3"')])
    for said in (
        "temp failed 4.9",
        "4.4 to 5.4 at most 0.1 6,512",
        "offset by −17.8, ×0.556: looks like °F → °C",
        "13 more findings within the limit",
        "temperatures are served in °F – caught by rows that differ, temp",
        "serving 9f2c4be0",
        "tolerance = 0.001 (changed)",
        "What to do",
        "Why not more credit monitor.3 failed",
    ):
        assert said in item


def test_a_missed_fault_is_named_and_the_check_said_to_prove_nothing() -> None:
    text = words(render(flights()))
    assert "a feature derived from a forbidden one – missed: this check proved nothing" in text


def test_statements_show_owner_and_days_left_and_rejected_ones_their_reason() -> None:
    text = words(render(flights()))
    assert "Attested by R. Okafor on 2026-10-02, 131 days left" in text
    assert "Waived (accepted) by T. Lindqvist" in text
    assert "Attestation rejected: It expired on 2026-10-31." in text


def test_what_a_scorecard_lacks_is_left_out() -> None:
    text = words(render(bare()))
    assert "First run on record." in text
    for absent in ("Gate", "Since last run", "Commit", "Inputs", "What was not run"):
        assert absent not in text


def test_groups_stand_worst_first_and_only_what_is_wrong_is_open() -> None:
    page = render(flights())
    groups = re.findall(r'<section class="group (\w+)">\n<details( open)?>', page)
    assert groups == [
        ("failed", " open"),
        ("error", " open"),
        ("inconclusive", " open"),
        ("not_offered", ""),
        ("attested", ""),
        ("passed", ""),
    ]


def changed_proof(proof: Proof) -> Scorecard:
    card = flights()
    next(item for item in card.items if item.id == "model.6").checks[0].proof = proof
    return card


def test_a_reused_proof_names_its_run_and_a_noisy_control_is_said() -> None:
    proof = changed_proof(Proof(state="vacuous", control="the unbroken copy fails already: AUC, LGA", cached_from="r7"))
    assert "The unbroken copy was not quiet: The unbroken copy fails already: AUC, LGA." in words(render(proof))


def test_renewed_proofs_stand_under_what_differs_from_the_last_run() -> None:
    after = words(render(flights())).partition("Since last run")[2]
    assert after.index("wind_dir has a rule again") < after.index("2 proofs renewed") < after.index("Other readings")


def test_where_no_item_changed_renewed_proofs_are_said_and_reused_ones_are_not() -> None:
    quiet = flights(changes=[])
    assert "Since last run No item changed. 2 proofs renewed" in words(render(quiet))
    for item in quiet.items:
        for check in item.checks:
            check.proof.cached_from = "r7"
    assert "Since last run No item changed. Other readings" in words(render(quiet))


def test_an_incomplete_run_is_marked_and_not_said_to_be_unchanged() -> None:
    card = flights(changes=[])
    card.run.incomplete = True
    assert "Incomplete. 2 checks did not run; an item without another result stands as not offered." in words(
        render(card)
    )
    assert "Since last run Not compared, because the run was cut short." in words(render(card))


def test_one_point_is_no_points() -> None:
    card = flights()
    card.score.points_2016 = 1
    assert "2016 rule 1 point, Reasonably" in words(render(card))


def test_cells_of_a_table_are_said_in_words() -> None:
    card = flights()
    data = {"columns": ["a", "b", "c", "d"], "rows": [[True, False, None, 0.25]], "left_out": 0}
    detail = DetailRecord.model_validate({"kind": "table", "title": "odd one", "data": data})
    next(item for item in card.items if item.id == "monitor.3").checks[0].details = [detail]
    assert "yes no – 0.25" in words(render(card))


@pytest.mark.parametrize("kind", ["table", "series", "histograms", "text"])
@pytest.mark.parametrize("data", [{}, {"rows": 3, "columns": None, "x": "a", "lines": [], "left": {}, "body": None}])
def test_details_that_do_not_fit_their_kind_are_said_and_never_raised(kind: str, data: dict[str, object]) -> None:
    card = flights()
    detail = DetailRecord.model_validate({"kind": kind, "title": "odd one", "data": data})
    next(item for item in card.items if item.id == "monitor.3").checks[0].details = [detail]
    assert "odd one" in words(render(card))
