"""What the privacy check says of each place: personal data, deleted subjects, readers; and of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from mltestscore import Finding, Interval, Table, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.deletions import Deletion, Deletions
from mltestscore.inputs.model import Model
from mltestscore.inputs.registry import Registry
from mltestscore.privacy.membership import TooFew, membership
from mltestscore.privacy.places import Place
from mltestscore.privacy.subjects import distinctive, embedded, wanted

PERSONAL = "columns with personal data or access keys"
DELETED = "deleted subjects that are still held"
EARLY = "due deletions that the serving model learned too early for"
READERS = "readers beyond those of the raw stores"
MEMBERS = "how well losses tell training rows from others (AUC)"
ONE_WAY = "an alarm in one direction: a low figure is no proof that nothing was memorised"
LONGEST = 80  # characters of a table's and a column's name that are shown


def personal_data(found: list[Place], allowed: Sequence[str], fewest: int, alpha: float) -> Iterator[Finding | Table]:
    """Count the columns of each place that are shown to hold personal data; what is only suspected leaves it open."""
    scans = {place.name: place.personal() for place in found}
    tests = max(1, sum(len(hits) for hits, _ in scans.values()))
    rows = []
    for name, (hits, columns) in scans.items():
        said: dict[str, dict[str, str]] = {"shown": {}, "suspected": {}, "by chance": {}, "allowed": {}}
        for hit in sorted(hits, key=lambda one: -one.valid):
            at = f"{hit.table[-LONGEST:]}.{hit.column[:LONGEST]}"
            lawful = any(fnmatchcase(f"{hit.table}.{hit.column}", pattern) for pattern in allowed)
            doubtful = "by chance" if hit.explained(tests) else "suspected"
            says = "allowed" if lawful else "shown" if hit.shown(alpha / tests, fewest) else doubtful
            said[says].setdefault(at, f"{at}: {hit.valid} {hit.kind.name}, such as {hit.example}")
            rows.append((at, hit.kind.name, hit.candidates, hit.valid, hit.kind.chance, says, hit.example))
        shown, doubted = said["shown"], said["suspected"].keys() - said["shown"].keys()
        most = len(shown) + len(doubted)
        interval = Interval(len(shown), len(shown), most, columns, 1 - alpha, "exact binomial test a column")
        causes = list(shown.values()) or [said["suspected"][at] for at in sorted(doubted)]
        yield at_most(PERSONAL, interval, 0, where=name, cause="; ".join(causes[:3]))
    if rows:
        titles = ["column", "kind", "candidates", "valid", "valid by chance", "verdict", "one of them"]
        yield Table("What looks like personal data or an access key", titles, rows)


def deleted_subjects(
    found: list[Place], due: Sequence[Deletion], identifiers: Sequence[str]
) -> Iterator[Finding | Table]:
    """Count the subjects of due deletions that each place still holds."""
    searched = wanted(due)
    yield from _unknown(found, due, identifiers)
    inside = sum(len(embedded(value for value, _ in one.subjects)) for one in searched)
    cut = inside < sum(len(one.subjects) for one in searched)
    note = f"inside of longer texts, only the latest {inside} values were searched" if cut else ""
    rows = []
    for place in found:
        traces = place.traces(searched)
        cause = "; ".join(f"{one.table[-LONGEST:]}: {one.column[:LONGEST]} holds {one.masked}" for one in traces[:3])
        subjects = len({one.subject for one in traces})
        yield at_most(DELETED, subjects, 0, where=place.name, n=len(due), cause=cause, note=note)
        rows += [(place.name, one.table[-LONGEST:], one.column[:LONGEST], one.masked) for one in traces]
        if place.unread:
            yield undecided("parts that were not searched", "; ".join(place.unread[:3]), where=place.name)
    if rows:
        yield Table("What is left of deleted subjects", ["place", "table", "column", "value"], rows)


def _unknown(found: list[Place], due: Sequence[Deletion], identifiers: Sequence[str]) -> Iterator[Finding]:
    """Say when an identifier's values could not be searched, because they mean others too and no column is named so."""
    known = {place.columns.get(name, name) for place in found for table in place.tables for name in table.columns}
    for name in identifiers:
        common = any(not distinctive(value) for one in due for value in one.values.get(name, ()))
        if common and name not in known:
            why = f'short values say nothing in other columns; write columns = {{its_name = "{name}"}} under a store'
            yield undecided("identifiers that no column holds", why, where=name)


def learned_too_early(deletions: Deletions, due: Sequence[Deletion], registry: Registry) -> Finding:
    """Count due deletions that were asked for after the serving version's data were read.

    Whether the subject was among these data only the ledger knows; where it does not say, the count stays open.
    """
    current = registry.current
    read_at = current.stages.get("extract", current.trained_at)
    late = [one for one in due if one.requested_at > read_at and one.learned is not False]
    sure = sum(one.learned is True for one in late)
    interval = Interval(sure, sure, len(late), len(deletions.entries), 1.0, "count, open where nothing is recorded")
    note = "" if sure == len(late) else "write into the ledger whether the subject's rows were learned (learned = …)"
    cause = f"version {current.version:.80} read its data on {read_at:%Y-%m-%d}" if late else ""
    return at_most(EARLY, interval, 0, cause=cause, note=note)


def readers(found: list[Place]) -> Iterator[Finding]:
    """Count who may read what is derived and not what it was derived from."""
    raw = {place.name: place for place in found if place.raw}
    if not raw:
        yield undecided(READERS, "no store is declared raw; write raw = true under [tool.mltestscore.stores.NAME]")
        return
    for place in found:
        if not place.raw and place.has_rights:
            yield _readers(place, [raw[name] for name in (place.derived_from or raw) if name in raw])


def _readers(place: Place, sources: list[Place]) -> Finding:
    beyond = [place.access.beyond(source.access) for source in sources]
    wider = sorted({reader for one in beyond if one for reader in one})
    if not wider and (not beyond or None in beyond):
        why = "its rights, or those of what it was derived from, are not known or of another kind; declare access = […]"
        return undecided(READERS, why, where=place.name)
    return at_most(READERS, len(wider), 0, where=place.name, n=len(sources), cause=", ".join(wider[:5]))


def members(
    model: Model, training: Dataset, holdout: Dataset, *, rows: int, fewest: int, alpha: float, limit: float
) -> Finding:
    """Hold membership inference to its limit; whatever is no alarm is shown and does not count."""
    found = membership(model, training, holdout, rows=rows, fewest=fewest, alpha=alpha)
    if isinstance(found, TooFew):
        return replace(undecided(MEMBERS, found.reason), advisory=True)
    finding = at_most(MEMBERS, found, limit, note=ONE_WAY)
    return finding if finding.verdict == "failed" else replace(finding, advisory=True)
