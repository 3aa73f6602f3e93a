"""The drawings: points, limits and intervals where they belong, on one scale a finding name."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mltestscore.reports.html.details import Caps, figure
from mltestscore.reports.html.findings import finding_groups
from mltestscore.reports.html.page import coded, web_address
from mltestscore.reports.html.pictures import INSET, WIDTH, finding_picture, finding_scale, scale_ends, sparkline
from mltestscore.reports.html.svg import Scale, element, scale, ticks

from mltestscore import Interval, at_least, at_most
from mltestscore.finding import undecided
from mltestscore.result import DetailRecord
from mltestscore.scorecard import TrendPoint

from .records import categories, check, histograms, record, series, share, table

finite = st.floats(allow_nan=False, allow_infinity=False)


def x_of(picture: str, class_: str) -> float:
    found = re.search(rf'<path d="M([\d.]+) [^"]*" class="{class_}"', picture)
    assert found is not None
    return float(found.group(1))


def test_a_failing_point_lies_beyond_its_limit_and_its_interval_too() -> None:
    failing = record(share("rows that differ", 319, 6_512, 0.001, where="temp"))
    shared = finding_scale([failing])
    picture = str(finding_picture(failing, shared))
    assert x_of(picture, "l") < x_of(picture, "i") < x_of(picture, "failed") + 4.5
    assert x_of(picture, "l") == pytest.approx(shared(0.001), abs=0.06)


def test_an_open_end_runs_to_the_edge_without_a_cap() -> None:
    open_low = record(at_most("growth", Interval(0.3, -math.inf, 1.1, 600, 0.95, "t"), 2))
    picture = str(finding_picture(open_low, finding_scale([open_low])))
    assert x_of(picture, "i") == 0
    assert picture.count("v8") == 1


def test_the_previous_runs_point_is_a_hollow_ring_that_is_read_out() -> None:
    before = record(at_most("latency", 35, 40, unit="ms"), previous=31.0)
    picture = str(finding_picture(before, finding_scale([before])))
    assert 'class="p"' in picture
    assert "<title>previous run 31\u202fms</title>" in picture


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=5))
@settings(deadline=None)
def test_every_mark_stays_inside_its_picture(values: list[tuple[float, float]]) -> None:
    findings = [record(at_least("x", value, limit)) for value, limit in values]
    shared = finding_scale(findings)
    assert shared.low < shared.high
    for finding in findings:
        assert finding.value is not None
        assert INSET - 1e-6 <= shared(finding.value) <= WIDTH - INSET + 1e-6
    assert all(scale_ends(shared, ""))


def test_the_left_end_is_nothing_where_that_costs_little_room() -> None:
    counts = [record(at_most("late rows", value, 40)) for value in (10, 31)]
    assert scale_ends(finding_scale(counts), "") == ("0", "40")
    far = [record(at_most("temperature", value, 310)) for value in (300, 305)]
    assert scale_ends(finding_scale(far), "") == ("300", "310")


def test_rows_that_agree_are_folded_behind_the_failing_one() -> None:
    findings = [share("rows", count, 1_000, 0.1, where=f"c{count}") for count in (0, 300, 1, 2, 3, 4)]
    (group,) = finding_groups(check("data.1", findings), most=3)
    assert [row.where for row in group.shown] == ["c300"]
    assert [row.where for row in group.folded] == ["c4", "c3", "c2"]
    assert group.hidden == 2


def test_where_many_agree_the_one_nearest_its_limit_is_shown() -> None:
    findings = [share("rows", count, 1_000, 0.1, where=f"c{count}") for count in range(10)]
    (group,) = finding_groups(check("data.1", findings), most=25)
    assert [row.where for row in group.shown] == ["c9"]
    assert len(group.folded) == 9


def test_an_inconclusive_finding_says_what_would_settle_it() -> None:
    open_one = at_most("error rate", Interval(0.02, 0.004, 0.05, 120, 0.95, "Wilson"), 0.01, unit="share")
    (group,) = finding_groups(check("data.1", [open_one]), most=5)
    assert group.shown[0].remarks == [
        "with this n, harm would show only from 2.6\u202f% on.".capitalize(),
        "An n of about 1,100 would settle it.",
    ]


def test_what_was_not_measured_has_no_picture() -> None:
    (group,) = finding_groups(check("data.1", [undecided("rows", "no key is declared")]), most=5)
    assert group.shown[0].picture == ""
    assert group.shown[0].remarks == ["No key is declared."]


def test_the_sparkline_reads_out_every_score() -> None:
    trend = [TrendPoint(run="a", started="", value=1.0), TrendPoint(run="b", started="", value=2.0)]
    assert "<title>Score of the last runs: 1.0, 2.0, 2.5</title>" in sparkline(trend, 2.5, 7)


def test_a_table_says_what_it_leaves_out() -> None:
    shown = figure(table(20, 5), Caps(rows=6))
    assert str(shown.body).count("<tr>") == 7
    assert shown.note == "327 more rows; 14 of them in scorecard.json."


def test_a_missing_value_breaks_the_line() -> None:
    lines = {"a": [1.0, None, 3.0, 4.0]}
    gap = DetailRecord(kind="series", title="t", data={"x_name": "day", "x": [0, 1, 2, 3], "lines": lines})
    (path,) = re.findall(r'd="([^"]*)" class="s k0"', str(figure(gap, Caps()).body))
    assert path.count("M") == 2


def test_a_long_series_is_thinned() -> None:
    (path, _) = re.findall(r'd="([^"]*)" class="s k', str(figure(series(400), Caps(points=100)).body))
    assert path.count("L") + 1 == 100


def test_histograms_and_categories_key_both_sides() -> None:
    for detail in (histograms(30), categories()):
        assert figure(detail, Caps()).keys == ["computed", "served"]
    assert "38.0\u202f% · 30.0\u202f%" in figure(categories(), Caps()).body


@given(finite, finite)
@settings(deadline=None)
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    low, high = sorted((low, high))
    marks = ticks(low, high)
    reach = max(1e-9, (high - low) * 1e-6)
    assert 1 <= len(marks) <= 8
    assert all(low - reach <= mark <= high + reach for mark in marks)


@given(st.lists(st.none() | st.floats(), max_size=5), st.floats())
@settings(deadline=None)
def test_a_scale_of_anything_maps_into_its_pixels(values: list[float | None], value: float) -> None:
    shared = scale(values, 10, 90)
    if math.isfinite(value) and math.isfinite(shared.high - shared.low):
        assert 10 <= shared(value) <= 90


def test_a_scale_clips_what_lies_outside() -> None:
    assert Scale(0, 1, 0, 100)(7) == 100


def test_elements_escape_text_and_attributes() -> None:
    assert element("text", "<b>", title='"x') == '<text title="&#34;x">&lt;b&gt;</text>'


def test_code_is_set_between_backticks_and_a_lone_backtick_stays() -> None:
    assert coded("a `<b>` c") == 'a <span class="code">&lt;b&gt;</span> c'
    assert coded("a ` <c>") == "a ` &lt;c&gt;"


@pytest.mark.parametrize("link", ["javascript:1", "data:text/html,x", "//x.invalid", 'https://x/"y', "https://x y", ""])
def test_only_plain_web_addresses_are_links(link: str) -> None:
    assert web_address("https://wiki.example.org/a?b=1#c")
    assert not web_address(link)
