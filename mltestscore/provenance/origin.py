"""Where a model version comes from: is its commit on record, and are its settings those of that commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.registry import Lineage
from mltestscore.inputs.repository import Repository
from mltestscore.provenance.commits import contains
from mltestscore.provenance.specification import differences, digests, known_as, settings

MISSING = "commits of the model that the repository has not"
ASIDE = "commits of the model outside the protected branch"
DIRTY = "trainings from files that were not committed"
SETTINGS = "settings of the model that differ from the reviewed file"
DIGEST = "digests of settings that are not the reviewed file's"
SHOWN = 5


def on_record(repository: Repository, current: Lineage, commit: str) -> Finding:
    """Judge whether the repository has the commit that the lineage names; ``commit`` is what it was resolved to."""
    named = current.code_commit.removesuffix("-dirty")
    if not named:
        return undecided(MISSING, "the lineage does not say code_commit; write it there when you train")
    if not commit and repository.shallow:
        return undecided(MISSING, f"the history here is cut off before {named:.40}; fetch all of it (fetch-depth: 0)")
    cause = "" if commit else f"{named:.40} is no commit of {repository.root}"
    return at_most(MISSING, int(not commit), 0, n=1, cause=cause)


def on_branch(repository: Repository, commit: str, branch: str, tip: str) -> Finding:
    """Judge whether the protected branch holds the commit."""
    if not tip:
        which = f"there is no branch {branch!r:.80}" if branch else "there is neither main nor master"
        return undecided(ASIDE, f"{which}; fetch it, or name it as branch under [tool.mltestscore.repository]")
    if not commit:
        return undecided(ASIDE, "the model's commit is not known; see above", where=branch)
    inside = contains(repository, tip, commit)
    if not inside and repository.shallow:
        return undecided(ASIDE, "the history here is cut off; fetch all of it (fetch-depth: 0)", where=branch)
    return at_most(ASIDE, int(not inside), 0, n=1, where=branch, cause="" if inside else f"{commit[:12]} is not on it")


def tree(current: Lineage) -> Finding:
    """Judge whether the files that trained were those of the commit."""
    if current.code_commit.endswith("-dirty") or current.tree_clean is False:
        return at_most(DIRTY, 1, 0, n=1, cause=f"the lineage of {current.version:.40} says so")
    if current.tree_clean is None:
        return undecided(DIRTY, "the lineage does not say tree_clean; write there whether `git status` was empty")
    return at_most(DIRTY, 0, 0, n=1)


def settings_of(repository: Repository, current: Lineage, commit: str, ignored: Sequence[str]) -> Iterator[Finding]:
    """Hold the settings stored with the model, and their digest, to the declared file at its commit.

    Raises :class:`ConfigError` and :class:`InputError` as :func:`mltestscore.provenance.specification.settings` does.
    """
    if not repository.specification:
        remedy = 'name the file, as in specification = "params.yaml:train" under [tool.mltestscore.repository]'
        yield undecided(SETTINGS, f"it is not known where the reviewed settings stand; {remedy}")
        return
    file = repository.specification.partition(":")[0]
    if not commit:
        yield undecided(SETTINGS, "the model's commit is not known; see above", where=file)
        return
    content = repository.content(commit, file)
    if content is None:
        yield at_most(SETTINGS, max(1, len(current.parameters)), 0, where=file, cause=f"{commit[:12]} has no such file")
        return
    reviewed = settings(repository.specification, content)
    if current.parameters:
        wrong = differences(current.parameters, reviewed, ignored)
        yield at_most(SETTINGS, len(wrong), 0, n=len(reviewed), where=file, cause="; ".join(wrong[:SHOWN]))
    elif not current.config_digest:
        yield undecided(SETTINGS, "the lineage says neither parameters nor config_digest; write them there", where=file)
    if current.config_digest:
        known = known_as(current.config_digest, digests(content, reviewed))
        cause = "" if known else f"the lineage says {current.config_digest:.40}"
        yield at_most(DIGEST, int(not known), 0, n=1, where=file, cause=cause)
