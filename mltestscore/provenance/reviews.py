"""From what is known of each change's review to one finding."""

from __future__ import annotations

from collections.abc import Sequence

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.provenance.commits import Review

UNREVIEWED = "changes without a review by another person"
COLUMNS = ("commit", "subject", "author", "reviewed by", "known from")
SHOWN = 5
WAYS = (
    "offer [tool.mltestscore.forge], or write Reviewed-by trailers, or let another person merge; alone, ask someone "
    'outside to review and note it: git notes --ref=review add -m "Reviewed-by: NAME <ADDRESS>" COMMIT'
)


def judged(
    reviews: Sequence[Review], before: Sequence[Review], more: bool, forge: bool, way: str, practice: float
) -> Finding:
    """Return the finding on the changes that nobody else reviewed.

    Args:
        reviews: one a change.
        before: those of changes before, which show what the practice was.
        more: whether there are changes that were not looked up.
        forge: whether a forge was asked.
        way: the declared way of reviewing, or ``"any"``.
        practice: the share of changes from which on a trace of reviews counts as the practice.

    A change without a trace fails where a trace would be: a forge says so, a way is declared, or most others have one.
    """
    if not reviews:
        return undecided(UNREVIEWED, "no commit changed what makes the model; correct paths in the configuration")
    if way == "forge" and not forge:
        return undecided(UNREVIEWED, 'review is "forge", and none is offered; write [tool.mltestscore.forge]')
    silent = [one for one in reviews if one.unknown]
    without = [one for one in reviews if not one.reviewer and not one.unknown]
    usual = any(_practised(some, practice) for some in (reviews, before))
    if without and (forge or way != "any" or usual):
        named = "; ".join(f"{one.change.commit[:12]} {one.change.subject}" for one in without[:SHOWN])
        rest = f"; and {len(without) - SHOWN} more" if len(without) > SHOWN else ""
        return at_most(UNREVIEWED, len(without), 0, n=len(reviews), cause=named + rest)
    if without:
        authors = {author.name.casefold() for one in reviews for author in one.change.authors}
        alone = ", all by one person" if len(authors) == 1 else ""
        return undecided(UNREVIEWED, f"{len(without)} of {len(reviews)} changes show none{alone}: {WAYS}")
    if silent:
        return undecided(UNREVIEWED, f"the forge did not tell of {len(silent)}: {silent[0].unknown:.300}")
    if more:
        return undecided(UNREVIEWED, f"there are more than {len(reviews)} changes; raise max_commits, or narrow paths")
    return at_most(UNREVIEWED, 0, 0, n=len(reviews))


def _practised(reviews: Sequence[Review], practice: float) -> bool:
    return bool(reviews) and sum(bool(one.reviewer) for one in reviews) >= practice * len(reviews)


def rows(reviews: Sequence[Review]) -> list[tuple[str, ...]]:
    """Return one row of :data:`COLUMNS` for each change, those without a review first."""
    return [
        (one.change.commit[:12], one.change.subject, one.change.authors[0].name[:40], one.reviewer[:40], one.way)
        for one in sorted(reviews, key=lambda one: bool(one.reviewer))
    ]
