"""The tables of the simulations, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltestscore.stats.interval import CLEAR

from .scene import Aim, Coverage, Scene

Told = tuple[Scene, Coverage]
Shown = tuple[Aim, dict[str, float]]

HEAD = """# How often the statistics are wrong

{facts}

Made by `python -m tests.stats.simulations`; what it tries stands in `tests/stats/simulations/families`. Every row calls
the function that checks call and judges as they do, on rows drawn anew each time, whose truth is known.

- **covers**: how often two bounds at {clear:.0%} hold the truth; 90 % is promised. More is caution: exact bounds of
  counts step over 5 %, and a distance cannot be below 0.
- **fails**: how often a sound system that lies on its limit, the worst there is, is said to be broken, in per mille; at
  most the level in the next column is promised. Harm above the limit, then below it.
- **passes**: how often a broken system, the least that there is, passes, in per cent; 5 is promised. Harm above, below.
- **±** is what chance makes of that share of runs (one standard error). The last column says what exceeds its
  promise by more than chance explains (1 in 10,000): a point more for *covers* and *passes*, nothing more for *fails*.
"""


def page(told: Sequence[Told], shown: Sequence[Shown], facts: str) -> str:
    """Return the whole page."""
    return "\n".join([HEAD.format(facts=facts, clear=CLEAR), *_totals(told), *_coverage(told), *_power(shown), ""])


def unexplained(told: Sequence[Told]) -> list[str]:
    """Return what is wrong and not known to be."""
    wrong = [(scene.name, found.wrong(scene)) for scene, found in told if not scene.known]
    return [f"{name}: {', '.join(what)}" for name, what in wrong if what]


def _totals(told: Sequence[Told]) -> Iterator[str]:
    held = sum(not found.wrong(scene) for scene, found in told)
    limits = [scene for scene, found in told if found.wrong(scene) and scene.known]
    found = f"{held} as promised, {len(limits)} within a limit that the function states, {len(unexplained(told))}"
    yield f"{len(told)} kinds of rows: {found} unexplained.\n"


def _coverage(told: Sequence[Told]) -> Iterator[str]:
    notes: list[str] = []
    for family in dict.fromkeys(scene.family for scene, _ in told):
        yield f"## {family}\n"
        yield "| function | rows | n | runs | covers % | ± | fails ‰ | level ‰ | passes % | ± | |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|"
        for scene, found in told:
            if scene.family == family:
                yield _row(scene, found, notes)
        yield ""
    yield from (f"[{number}] {note}.\n" for number, note in enumerate(notes, 1))


def _row(scene: Scene, found: Coverage, notes: list[str]) -> str:
    wrong = ", ".join(found.wrong(scene))
    if wrong and scene.known:
        if scene.known not in notes:
            notes.append(scene.known)
        wrong += f" [{notes.index(scene.known) + 1}]"
    harms = [side for side, harm in enumerate(("above", "below")) if harm in scene.harms]
    fails = ", ".join(f"{1000 * found.failed[side] / found.runs:.1f}" for side in harms)
    passes = ", ".join(f"{100 * found.passed[side] / found.runs:.1f}" for side in harms)
    cells = [
        f"`{scene.method}`",
        scene.rows,
        f"{scene.n:,}",
        f"{found.runs:,}",
        f"{100 * found.covered:.1f}",
        f"{100 * _error(found.covered, found.runs):.1f}",
        fails,
        f"{1000 * scene.alpha:g}",
        passes,
        f"{100 * _error(CLEAR, found.runs):.1f}",
        wrong,
    ]
    return f"| {' | '.join(cells)} |"


def _error(share: float, runs: int) -> float:
    return float((share * (1 - share) / runs) ** 0.5)


def _power(shown: Sequence[Shown]) -> Iterator[str]:
    if not shown:
        return
    yield "# What n shows\n"
    yield "The share of verdicts on systems with an effect, against the limit of the check and at its level. *planned*"
    yield "is the share failed that the research for the checks had computed or measured.\n"
    for family in dict.fromkeys(aim.scene.family for aim, _ in shown):
        yield f"## {family}: verdicts\n"
        yield "| function | effect | n | limit | level | runs | failed % | inconclusive % | passed % | planned % |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        for aim, shares in shown:
            if aim.scene.family == family:
                parts = [f"{100 * shares[verdict]:.1f}" for verdict in ("failed", "inconclusive", "passed")]
                planned = "" if aim.planned is None else f"{100 * aim.planned:.0f}"
                scene = aim.scene
                start = [f"`{scene.method}`", aim.effect, f"{scene.n:,}", f"{aim.limit:g}", f"{scene.alpha:g}"]
                cells = [*start, f"{shares['runs']:,.0f}", *parts, planned]
                yield f"| {' | '.join(cells)} |"
        yield ""
