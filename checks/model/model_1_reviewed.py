"""The model in service comes from one commit, checked in and reviewed, and holds the settings of that commit.

Why
    Whoever is called at night must know which code and settings made the model, and one person's mistake is seen best
    by another before it is released.

Measured
    From the lineage of the registry's current version: is its commit in the repository and on the protected branch,
    was the tree clean when it trained, are its settings (and their digest, where there is one) those of the declared
    file at that commit. Then every commit that changed what makes the model, since the newest version of another
    commit: was it reviewed by a person who did not write it. That shows by a forge's approval of the request that
    brought it, by trailers of its message or of its review notes (git notes, refs/notes/review), or by a merge that
    another person made. Commits that change documents only do not count.

Passes when
    all of it holds. A missing review fails where reviews are the practice: a forge says there was none, or a way is
    declared, or at least half of the commits, or of the twenty before, show one. Where nothing shows any, as with one
    developer alone, nothing is decided, and nothing earned.

If it fails
    Commit and train again; take settings from the reviewed file only; have the named commits reviewed, also later:
    git notes --ref=review add -m "Reviewed-by: NAME <ADDRESS>" COMMIT. Working alone: ask someone outside.

Options
    review: "any", or the way that your team has agreed on: "forge", "trailers" or "merges"; then nothing else counts.
    trailers: Reviewed-by, as in Linux (submitting-patches), and Approved-by, as Bitbucket writes it.
    reviewed_since: the commit or tag after which commits are judged, if not the former version's.
    ignore_settings: names that the model may have and the file not, such as a seed.
    practice: half of the commits; convention of this project. max_commits: 200, each may cost a question to the forge.

Source
    Breck et al. 2017, Model 1; https://git-scm.com/docs/git-interpret-trailers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mltestscore import Finding, Table, at_most, check, fault, undecided
from mltestscore.errors import NotOffered
from mltestscore.inputs.forge import Forge
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.repository import Repository
from mltestscore.provenance.origin import DIRTY, MISSING, SETTINGS, on_branch, on_record, settings_of, tree
from mltestscore.provenance.reviews import COLUMNS, UNREVIEWED, judged, rows

UNPROTECTED = "protected branches that anybody may change"
PLANTED = "planted_by_mltestscore"


@check("model.1")
def check_reviewed(
    registry: Registry,
    repository: Repository,
    forge: Forge | None = None,
    *,
    review: Literal["any", "forge", "trailers", "merges"] = "any",
    trailers: tuple[str, ...] = ("Reviewed-by", "Approved-by"),
    reviewed_since: str = "",
    ignore_settings: tuple[str, ...] = (),
    practice: float = 0.5,
    max_commits: int = 200,
) -> Iterator[Finding | Table]:
    """Follow the current version back to its commit, its settings and the reviews of both."""
    from mltestscore.provenance.commits import Reviews, changes, earlier, first_commit

    current = registry.current
    commit = repository.resolve(current.code_commit.removesuffix("-dirty"))
    branch, tip = repository.protected_branch()
    yield on_record(repository, current, commit)
    yield on_branch(repository, commit, branch, tip)
    yield tree(current)
    yield from settings_of(repository, current, commit, ignore_settings)
    if not commit or not tip:
        yield undecided(UNREVIEWED, "the model's commit or the protected branch is not known; see above")
        return
    since = first_commit(repository, registry, reviewed_since)
    found, more = changes(repository, since, commit, trailers, max_commits)
    looked_up = Reviews(repository, branch, tip, forge, review)
    reviews = [looked_up.of(one) for one in found]
    settled = all(one.reviewer for one in reviews) or forge is not None
    before = [] if settled else [looked_up.of(one) for one in earlier(repository, found, commit, trailers)]
    yield judged(reviews, before, more, forge is not None, review, practice)
    if forge is not None and (protected := forge.protects(branch)) is not None:
        yield at_most(UNPROTECTED, int(not protected), 0, n=1, where=branch, advisory=True)
    yield Table(f"Changes up to the commit of version {current.version:.40}", COLUMNS, rows(reviews))


@fault(check_reviewed, "the lineage names a commit that nobody has", caught_by=MISSING)
def unknown_commit(registry: Registry, repository: Repository) -> Mapping[str, Any]:
    """The model was made from code that was never checked in."""
    if repository.shallow:
        raise NotOffered("the whole history", "fetch it, as with fetch-depth: 0")
    return {"registry": registry.replace(code_commit="0" * 40)}


@fault(check_reviewed, "the model was trained from files that nobody committed", caught_by=DIRTY)
def uncommitted(registry: Registry) -> Mapping[str, Any]:
    """The commit is a true one, and not what trained."""
    return {"registry": registry.replace(tree_clean=False)}


@fault(check_reviewed, "a setting of the model is not in the reviewed file", caught_by=SETTINGS)
def drifted(registry: Registry, repository: Repository) -> Mapping[str, Any]:
    """It was given on the command line."""
    if not repository.specification:
        raise NotOffered("specification", "write it under [tool.mltestscore.repository]")
    return {"registry": registry.replace(parameters={**registry.current.parameters, PLANTED: 1})}


@fault(check_reviewed, "the last change before the training was not reviewed", caught_by=UNREVIEWED)
def unreviewed(registry: Registry, repository: Repository) -> Mapping[str, Any]:
    """A real commit that changes what makes the model, pushed straight to the branch."""
    commit = repository.resolve(registry.current.code_commit)
    if not commit:
        raise NotOffered("the model's commit", "write code_commit into the lineage")
    path = repository.specification.partition(":")[0] or repository.paths[0]
    before = repository.content(commit, path)
    if before is None:
        path, before = f"{'' if path == '.' else f'{path}/'}{PLANTED}.py", b""
    broken, planted = repository.with_commit(commit, path, before + b"\n", "Try something", "Nobody")
    return {"repository": broken, "registry": registry.replace(code_commit=planted)}
