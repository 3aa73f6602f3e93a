"""Commits that changed what makes the model, and who reviewed each: by trailers, notes, merges or a forge's word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mltestscore.errors import InputError
from mltestscore.inputs.forge import Forge
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.repository import Repository

NOTES = "review"
"""The ref under refs/notes/ that holds reviews, as Gerrit's reviewnotes plugin writes them."""
_FIELD = "\0"  # no message can hold it
_BOT = re.compile(r"\[bot\]|[-_. ]bot$|^(dependabot|renovate|github-actions|mergify|bors|gitlab-bot)\b", re.IGNORECASE)
_PERSON = re.compile(r"^\s*(?P<name>[^<]*?)\s*(?:<(?P<email>[^<>]*)>)?\s*(?:[(#].*)?$")
MAX_SHOWN = 80
BEFORE = 20


@dataclass(frozen=True)
class Person:
    """Somebody as git names them."""

    name: str
    email: str

    @property
    def machine(self) -> bool:
        """Whether this is a program and no person."""
        return bool(_BOT.search(self.name) or _BOT.search(self.email.partition("@")[0]))

    def same(self, other: Person) -> bool:
        """Say whether both are one person: one address, or one name where somebody writes from two addresses."""
        addresses, names = (
            (self.email.casefold(), other.email.casefold()),
            (self.name.casefold(), other.name.casefold()),
        )
        return bool(addresses[0] and addresses[0] == addresses[1]) or bool(names[0] and names[0] == names[1])


@dataclass(frozen=True)
class Change:
    """One commit that changed what makes the model.

    Attributes:
        commit: its full name.
        subject: the first line of its message.
        authors: who wrote it, co-authors too.
        named: who reviewed it, by the trailers of its message and of its review notes.
    """

    commit: str
    subject: str
    authors: tuple[Person, ...]
    named: tuple[Person, ...]

    def other(self, people: Sequence[Person]) -> Person | None:
        """Return the first of them who is a person and wrote none of it."""
        found = (one for one in people if not one.machine and not any(one.same(author) for author in self.authors))
        return next(found, None)


@dataclass(frozen=True)
class Review:
    """What is known of the review of one change.

    Attributes:
        change: the change.
        reviewer: who reviewed it; empty where no review is on record.
        way: how that is known.
        unknown: why it cannot be told, such as a forge that does not answer.
    """

    change: Change
    reviewer: str = ""
    way: str = ""
    unknown: str = ""


def first_commit(repository: Repository, registry: Registry, declared: str) -> str:
    """Return the commit after which changes are to be reviewed; empty: from the beginning.

    As declared (any name that git knows); else the commit of the newest version in the registry that came from
    another, earlier commit than the current one.

    Raises :class:`InputError` for a declared name that git does not know.
    """
    if declared:
        code, found, _ = repository.git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{declared}^{{commit}}"
        )
        if code != 0:
            raise InputError(
                f"reviewed_since is {declared!r:.80}, which {repository.root} has not; write a commit or a tag of it."
            )
        return found
    current = repository.resolve(registry.current.code_commit)
    for version in reversed(registry.versions):
        commit = repository.resolve(version.code_commit)
        if commit and commit != current and contains(repository, current, commit):
            return commit
    return ""


def contains(repository: Repository, tip: str, commit: str) -> bool:
    """Say whether ``commit`` is ``tip`` or one of its ancestors."""
    return repository.git("merge-base", "--is-ancestor", commit, tip)[0] == 0


def changes(
    repository: Repository, since: str, until: str, trailers: Sequence[str], most: int
) -> tuple[list[Change], bool]:
    """Return the commits after ``since`` up to ``until`` that changed what makes the model, newest first.

    At most ``most`` are returned; the second value says whether there are more. Where the range holds none (the same
    code was trained again), it is the newest one before.

    Raises :class:`InputError` when git fails.
    """
    reach = f"{since}..{until}" if since else until
    found = list(_log(repository, reach, trailers, most + 1))
    found = found or list(_log(repository, until, trailers, 1))
    return found[:most], len(found) > most


def earlier(repository: Repository, found: Sequence[Change], until: str, trailers: Sequence[str]) -> list[Change]:
    """Return up to twenty changes up to ``until`` besides those ``found``, which show what the practice was."""
    known = {one.commit for one in found}
    return [one for one in _log(repository, until, trailers, len(found) + BEFORE) if one.commit not in known][:BEFORE]


def _log(repository: Repository, reach: str, trailers: Sequence[str], most: int) -> Iterator[Change]:
    def lines(names: Sequence[str]) -> str:
        keys = ",".join(f"key={name}" for name in names)
        return f"%(trailers:{keys},valueonly,unfold)"

    parts = ("%H", "%aN", "%aE", "%s", lines(("Co-authored-by",)), lines(trailers), "%N")
    options = ("-z", "--no-merges", f"--max-count={most}", f"--notes={NOTES}", f"--format={'%x00'.join(parts)}")
    code, said, error = repository.git("log", *options, reach, "--", *repository.pathspec)
    fields = said.split(_FIELD)[:-1] if said else []
    if code != 0 or len(fields) % len(parts):
        raise InputError(f"git log failed in {repository.root}: {error:.300}")
    for start in range(0, len(fields), len(parts)):
        commit, name, email, subject, together, reviewed, notes = fields[start : start + len(parts)]
        authors = (Person(name, email), *people(together.splitlines()))
        named = (*people(reviewed.splitlines()), *_noted(notes, trailers))
        yield Change(commit.strip(), subject[:MAX_SHOWN], authors, named)


def _noted(notes: str, trailers: Sequence[str]) -> tuple[Person, ...]:
    keys = "|".join(map(re.escape, (*trailers, "Code-Review+2")))
    return people(re.findall(rf"(?im)^(?:{keys}):(.*)$", notes))


def people(texts: Sequence[str]) -> tuple[Person, ...]:
    """Return the people that texts such as ``Ada Ng <ada@example.org> # partly`` name.

    >>> people(["Ada Ng <ada@example.org> # partly", " "])
    (Person(name='Ada Ng', email='ada@example.org'),)
    """
    found = (_PERSON.match(text[:500]) for text in texts if text.strip())
    return tuple(Person(one["name"], one["email"] or "") for one in found if one and (one["name"] or one["email"]))


class Reviews:
    """Looks for the review of changes in every place that may tell of it, the cheapest first."""

    def __init__(
        self, repository: Repository, branch: str, tip: str, forge: Forge | None = None, way: str = "any"
    ) -> None:
        self._repository, self._branch, self._tip = repository, branch, tip
        self._forge = forge if way in ("any", "forge") else None
        self._way = way

    def of(self, change: Change) -> Review:
        """Return who reviewed a change, and how that is known."""
        if self._way in ("any", "trailers") and (found := change.other(change.named)):
            return Review(change, found.name or found.email, "trailer")
        if self._way in ("any", "merges") and (found := self._merged_by(change)):
            return Review(change, found.name or found.email, "merged by another")
        if self._forge is None:
            return Review(change)
        said = self._forge.review(change.commit, self._branch)
        return Review(change, said.reviewer, said.where, said.unknown)

    @cached_property
    def _main_line(self) -> list[str]:
        """The commits that the branch pointed to one after the other, newest first."""
        return self._repository.git("rev-list", "--first-parent", self._tip)[1].split()

    def _merged_by(self, change: Change) -> Person | None:
        """Return who merged a change into the branch, if they wrote nothing of what the merge brought."""
        after = set(self._repository.git("rev-list", "--ancestry-path", f"{change.commit}..{self._tip}")[1].split())
        line = [commit for commit in self._main_line if commit in after]
        if not line or change.commit in self._main_line:
            return None
        merge = line[-1]
        brought = self._people("%aN%x00%aE", f"{merge}^1..{merge}^2")
        merger = next(iter(self._people("%aN%x00%aE", "--no-walk", merge)), None)
        if merger is None or any(merger.same(author) for author in brought):
            return None
        return change.other([merger])

    def _people(self, form: str, *which: str) -> set[Person]:
        code, said, _ = self._repository.git("log", "--max-count=1000", f"--format={form}", *which)
        pairs = (line.split(_FIELD) for line in said.splitlines()) if code == 0 else ()
        return {Person(pair[0], pair[1]) for pair in pairs if len(pair) == 2}
