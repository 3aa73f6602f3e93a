"""What one result file, or one run of a team's report, says: its tests, when it was made and which data it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mltestscore.details import Table
from mltestscore.errors import NotOffered
from mltestscore.finding import Finding, at_most
from mltestscore.result import CheckResult

TestState = Literal["passed", "failed", "warned", "error", "skipped"]

FAILED = "existing tests that fail"
ERRED = "existing tests that ended in an error"
WARNED = "existing tests that only warn"
CONTRADICTED = "results that contradict themselves"
HEAD = ["test", "column", "outcome", "found"]
NAMED = 3
MAX_NAME = 160
MAX_SAID = 300
_WORST_FIRST: dict[TestState, int] = {"failed": 0, "error": 1, "warned": 2, "skipped": 3, "passed": 4}


class Unreadable(Exception):  # noqa: N818 - a reason, told beside the file
    """Why a file is no result that can be judged; the message ends a sentence that begins with the file's name."""


class NotCounted(NotOffered):
    """Evidence that was offered but does not count: the check is shown with the reason and earns nothing."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.args = (f"{name} does not count: {why}",)


@dataclass(frozen=True)
class ExistingTest:
    """One expectation or test as its tool judged it.

    Attributes:
        name: what was tested, cut to 160 characters.
        column: the column that it is about, or empty.
        state: ``warned`` for a failure that the team declared not to be critical.
        said: what the tool found, cut to 300 characters.
    """

    name: str
    column: str
    state: TestState
    said: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", cut(self.name, MAX_NAME))
        object.__setattr__(self, "column", cut(self.column, MAX_NAME))
        object.__setattr__(self, "said", cut(self.said, MAX_SAID))


@dataclass(frozen=True)
class Reading:
    """What a file says.

    Attributes:
        subject: the suite or the snapshot, so that a newer result takes the place of an older one.
        data: every name and digest by which the result knows its data.
        made: when it was made, aware; ``None`` where it does not say.
        rows: how many rows it was about; ``None`` where it does not say.
        tests: in the order of the file.
        contradiction: in which way it says something else of itself than what is in it; empty where it does not.
    """

    subject: str
    data: frozenset[str]
    made: datetime | None
    rows: int | None
    tests: tuple[ExistingTest, ...]
    contradiction: str = ""

    @property
    def ran(self) -> int:
        """How many tests were carried out."""
        return sum(test.state != "skipped" for test in self.tests)


def judged(tests: Sequence[ExistingTest], where: str = "") -> Iterator[Finding | Table]:
    """Yield what a team's tests add up to: any failure or error that is not declared a warning fails.

    The counts are exact: whatever chance there is was weighed by the team's own tool.
    """
    n = sum(test.state != "skipped" for test in tests)
    yield _count(FAILED, "failed", tests, n, where)
    yield _count(ERRED, "error", tests, n, where)
    if any(test.state == "warned" for test in tests):
        yield _count(WARNED, "warned", tests, n, where, advisory=True)
    ordered = sorted(tests, key=lambda test: _WORST_FIRST[test.state])
    rows = [(test.name, test.column, test.state, test.said) for test in ordered]
    yield Table(f"Existing tests{f' of {where}' if where else ''}", HEAD, rows)


def failing_columns(result: CheckResult) -> list[str]:
    """Return the columns whose existing tests fail, each once, from a result that :func:`judged` made."""
    tables = [detail.data for detail in result.details if detail.data.get("columns") == HEAD]
    rows = [row for table in tables for row in table["rows"]]
    return list(dict.fromkeys(str(row[1]) for row in rows if row[1] and row[2] == "failed"))


def _count(
    name: str, state: TestState, tests: Sequence[ExistingTest], n: int, where: str, *, advisory: bool = False
) -> Finding:
    hits = [test for test in tests if test.state == state]
    more = f"; and {len(hits) - NAMED} more" if len(hits) > NAMED else ""
    cause = (
        "; ".join(f"{test.name}: {test.said.rstrip('.')}" if test.said else test.name for test in hits[:NAMED]) + more
    )
    return at_most(name, len(hits), 0, where=where, n=n, cause=cause, advisory=advisory)


def moment(text: object) -> datetime | None:
    """Return a time as tools write it, ISO 8601 or ``20261122T200447.453592Z``, in UTC, which it is in without a zone.

    ``None`` for what is no time.
    """
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found if found is None else found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def cut(text: object, longest: int) -> str:
    """Return one line of at most ``longest`` characters."""
    # A value of a million characters must not be split into words only to be thrown away.
    line = " ".join(str(text)[: 4 * longest].split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
