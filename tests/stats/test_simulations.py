"""A part of the simulations at fixed seeds: what each family promises holds, and a family that breaks it is named.

``python -m tests.stats.simulations`` makes the whole table, which ``coverage.md`` keeps.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from .simulations.__main__ import KEPT, NAMES, main
from .simulations.catalogue import all_aims, all_scenes
from .simulations.page import page, unexplained
from .simulations.scene import Coverage, Scene, simulate, verdicts

SCENES = all_scenes()
QUICK = {
    "proportion: proportion: share 10.0%: 300": 3_000,
    "paired: difference: 0/1, models differ in 20%: 300": 1_500,
    "paired: difference: heavy tails: 30": 2_000,
    "paired: difference: skewed: 3000": 800,
    "paired: difference: clusters of unequal size: 300": 1_500,
    "paired: auc: 5 % positive, ranked nearly right: 300": 700,
    "paired: auc: clusters of unequal size: 30": 700,
    "paired: auc_difference: 5 % positive: 300": 500,
    "quality: advantage d2_brier_score: 50% positive: 300": 1_000,
    "quality: advantage r2: tied: 300": 1_000,
    "unpaired: mean_difference: few noisy days against many quiet ones: 7": 2_000,
    "unpaired: mean_difference: days remember 30% of the last, 40 at launch: 28": 2_000,
    "cluster: design_effect: clusters of unequal size, share 30%: 300": 1_000,
    "cluster: effective_n: clusters of unequal size, share 30%: 300": 1_500,
    "periods: difference: errors remember 60% of the last: 300": 700,
    "dates: widened difference: dates remember 30% of the last: 9": 1_000,
    "ratios: gap: the group in clusters of unequal size: 400": 1_000,
    "served: as_at_launch: 40 rows a day, which spread 2 times as far as at launch: 7": 500,
    "blocks: block_ratio: heavy tails: 12": 2_000,
    "distribution: ks_distance: clean, no distance: 300": 1_500,
    "distribution: category_distance: 20 categories, no distance: 300": 1_000,
    "finite: finite_share: 30 of 90, 80% noticed: 30": 3_000,
    "sequential: mean_so_far: tied: all or nothing, all looks together: 30": 1_000,
    "rank: kendall: clean, tau 0.2: 30": 1_000,
    "rank: kendall: tied: five levels: 30": 1_000,
    "calibration: growth: clean, 0.1 before and now: 300": 1_000,
    "draws: beyond: clean: 8": 2_000,
    "draws: deviation: clean: 8": 2_000,
}


@pytest.mark.parametrize("name", QUICK)
def test_no_more_is_wrong_than_promised(name):
    scene = SCENES[name]
    assert simulate(scene, QUICK[name]).wrong(scene) == []


def test_every_family_is_tried_and_has_a_quick_part():
    assert {scene.family for scene in SCENES.values()} == set(NAMES)
    assert {name.partition(":")[0] for name in QUICK} == set(NAMES)


def test_the_same_rows_are_drawn_each_time():
    scene = SCENES["paired: difference: clean: 30"]
    assert simulate(scene, 300) == simulate(scene, 300)


def too_sure(scene: Scene) -> Scene:
    """The same rows judged by bounds at ten times the level that they say."""

    def draw(random):
        estimate = scene.draw(random)
        return lambda alpha: estimate(min(0.5, 10 * alpha))

    return replace(scene, draw=draw)


def test_bounds_that_are_too_narrow_are_told():
    scene = too_sure(SCENES["paired: difference: clean: 30"])
    found = simulate(scene, 2_000)
    assert found.wrong(scene) == ["covers too little", "fails too often", "passes too often"]
    assert unexplained([(scene, found)]) == [f"{scene.name}: covers too little, fails too often, passes too often"]
    assert unexplained([(replace(scene, known="why"), found)]) == []


def test_what_is_known_stands_below_the_table():
    scene = replace(too_sure(SCENES["paired: difference: clean: 30"]), known="a reason")
    text = page([(scene, Coverage(100, 40, 40, (30, 0), (40, 40)))], [], "today")
    assert "| 20.0 | 4.0 | 300.0, 0.0 | 0.5 | 40.0, 40.0 | 2.2 | covers too little, fails too often" in text
    assert "passes too often [1] |" in text
    assert "[1] a reason." in text
    assert "0 as promised, 1 within a limit" in text


def test_a_side_on_which_no_harm_lies_is_not_judged():
    scene = replace(SCENES["paired: difference: clean: 30"], harms=("above",))
    assert Coverage(1_000, 50, 50, (0, 500), (50, 500)).wrong(scene) == []
    assert Coverage(1_000, 50, 50, (500, 0), (50, 50)).wrong(scene) == ["fails too often"]


@pytest.mark.parametrize(("n", "share", "planned"), [(200, 0.05, 0.97), (1_000, 0.01, 0.67), (5_000, 0.005, 0.94)])
def test_keyed_rows_that_differ_are_shown_as_often_as_planned(n, share, planned):
    (aim,) = (one for one in all_aims() if (one.scene.family, one.scene.n, one.scene.truth) == ("proportion", n, share))
    assert (aim.planned, verdicts(aim, 2_000)["failed"]) == (planned, pytest.approx(planned, abs=0.04))


def test_the_command_writes_what_it_prints(tmp_path, capsys):
    kept = tmp_path / "page.md"
    arguments = ["--only", "unpaired", "--simulations", "20", "--workers", "1", "--write", str(kept)]
    assert main(arguments) == 0
    text = kept.read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    assert "| `mean_difference` | few noisy days against many quiet ones | 7 | 20 |" in text
    assert "## unpaired: verdicts" in text


def test_the_kept_page_holds_every_row():
    text = KEPT.read_text(encoding="utf-8")
    missing = [one.name for one in SCENES.values() if f"| `{one.method}` | {one.rows} | {one.n:,} |" not in text]
    assert missing == []
    assert "0 unexplained" in text
