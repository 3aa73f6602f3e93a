"""Runs on record: whole scorecards, the checks that ran, and proofs, in SQLite or, by URL, in PostgreSQL.

Several runs may write to one history at once: SQLite works in WAL mode and waits for the other writer, and every
write is one transaction that takes the write lock at its start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import sqlalchemy as sql
from pydantic import ValidationError

from mltestscore.database import ELSEWHERE, Database
from mltestscore.errors import ConfigError
from mltestscore.result import CheckResult, Proof
from mltestscore.scorecard import Run, Scorecard, TrendPoint, dump

VERSION = 1
"""Of the tables below. A history of a newer version is refused, never guessed at."""

RAN = ("passed", "failed", "inconclusive")
"""States that count as a run of a check: it came to an observation."""

_META = sql.MetaData()
_SCHEMA = sql.Table("mltestscore_schema", _META, sql.Column("version", sql.Integer, nullable=False))
_RUNS = sql.Table(
    "mltestscore_runs",
    _META,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("id", sql.Text, unique=True, nullable=False),
    sql.Column("system", sql.Text, nullable=False),
    sql.Column("started", sql.Text, nullable=False),  # always the same UTC form, so that text order is time order
    sql.Column("incomplete", sql.Boolean, nullable=False),
    sql.Column("value", sql.Float, nullable=False),
    sql.Column("scorecard", sql.Text, nullable=False),
    sql.Index("mltestscore_runs_of_system", "system", "started"),
)
_CHECKS = sql.Table(
    "mltestscore_check_runs",
    _META,
    sql.Column("run_id", sql.Text, nullable=False, index=True),
    sql.Column("system", sql.Text, nullable=False),
    sql.Column("check_id", sql.Text, nullable=False),
    sql.Column("item", sql.Text, nullable=False),
    sql.Column("state", sql.Text, nullable=False),
    sql.Column("started", sql.Text, nullable=False),
    sql.Index("mltestscore_check_runs_of_check", "check_id", "started"),
)
_PROOFS = sql.Table(
    "mltestscore_proofs",
    _META,
    sql.Column("key", sql.Text, primary_key=True),
    sql.Column("run_id", sql.Text, nullable=False),
    sql.Column("proof", sql.Text, nullable=False),
)


class History:
    """Earlier runs of one or more systems.

    Args:
        url: an SQLAlchemy URL (``sqlite:///file`` or ``postgresql://…``) or a path of a SQLite file, which is made
            with its folders when it does not exist.
        system: whose earlier results :meth:`results` returns.

    Every method raises :class:`ConfigError`, which names the history (credentials removed), what went wrong and the
    remedy, when the database cannot be reached, read or written, or was made by a newer mltestscore.
    """

    def __init__(self, url: str, system: str = "") -> None:
        self._database = Database(url)
        self.system = system
        self.name = self._database.name
        self._database.make_tables(_META, _SCHEMA, VERSION)

    def append(self, scorecard: Scorecard) -> None:
        """Put a run on record; a run that is on record already (same id) is replaced."""
        run, started = scorecard.run, _utc(scorecard.run.started)
        row = {
            "id": run.id,
            "system": scorecard.system,
            "started": started,
            "incomplete": run.incomplete,
            "value": scorecard.score.value,
            "scorecard": dump(scorecard),
        }
        same = {"run_id": run.id, "system": scorecard.system, "started": started}
        checks = [
            {**same, "check_id": check.id, "item": check.item, "state": check.state}
            for item in scorecard.items
            for check in item.checks
        ]
        with self._database.transaction("written", write=True) as connection:
            self._database.upsert(connection, _RUNS, "id", row)
            connection.execute(sql.delete(_CHECKS).where(_CHECKS.c.run_id == run.id))
            if checks:
                connection.execute(sql.insert(_CHECKS), checks)

    def previous(self, system: str) -> Scorecard | None:
        """Return the newest complete run of a system, or ``None`` when there is none yet."""
        newest = (
            sql.select(_RUNS.c.id, _RUNS.c.scorecard)
            .where(_RUNS.c.system == system, ~_RUNS.c.incomplete)
            .order_by(_RUNS.c.started.desc(), _RUNS.c.number.desc())
            .limit(1)
        )
        with self._database.transaction("read") as connection:
            row = connection.execute(newest).first()
        if row is None:
            return None
        try:
            return Scorecard.model_validate_json(row.scorecard)
        except ValidationError as error:
            raise ConfigError(
                f"{self.name}: the scorecard of the run {row.id!r} is not one that this version of mltestscore can "
                f"read ({error.error_count()} problems). {ELSEWHERE}"
            ) from error

    def trend(self, system: str, limit: int = 20) -> list[TrendPoint]:
        """Return the scores of the newest ``limit`` complete runs of a system, oldest first."""
        newest = (
            sql.select(_RUNS.c.id, _RUNS.c.started, _RUNS.c.value)
            .where(_RUNS.c.system == system, ~_RUNS.c.incomplete)
            .order_by(_RUNS.c.started.desc(), _RUNS.c.number.desc())
            .limit(limit)
        )
        with self._database.transaction("read") as connection:
            rows = connection.execute(newest).all()
        return [TrendPoint(run=row.id, started=row.started, value=row.value) for row in reversed(rows)]

    def results(self, check_id: str, limit: int) -> list[tuple[Run, CheckResult]]:
        """Return what a check came to in the newest ``limit`` complete runs that ran it, oldest first.

        Runs that this version of mltestscore cannot read are left out.
        """
        ran = sql.select(_CHECKS.c.run_id).where(_CHECKS.c.check_id == check_id, _CHECKS.c.state.in_(RAN))
        newest = (
            sql.select(_RUNS.c.scorecard)
            .where(_RUNS.c.system == self.system, ~_RUNS.c.incomplete, _RUNS.c.id.in_(ran))
            .order_by(_RUNS.c.started.desc(), _RUNS.c.number.desc())
            .limit(limit)
        )
        with self._database.transaction("read") as connection:
            texts = connection.execute(newest).scalars().all()
        return [found for text in reversed(texts) for found in _result_in(text, check_id)]

    def runs_of(self, check_id: str, since: datetime, *, system: str = "") -> int:
        """Return how many runs since ``since`` (UTC when it says nothing else) saw this check come to an observation.

        ``system`` keeps the runs of other systems in the same history out; empty: all of them.
        """
        counted = sql.select(sql.func.count(sql.distinct(_CHECKS.c.run_id))).where(
            _CHECKS.c.check_id == check_id, _CHECKS.c.state.in_(RAN), _CHECKS.c.started >= _text(since)
        )
        if system:
            counted = counted.where(_CHECKS.c.system == system)
        with self._database.transaction("read") as connection:
            return connection.execute(counted).scalar_one()

    def proof(self, key: str) -> tuple[str, Proof] | None:
        """Return the id of the run that made the proof, and the proof; ``None`` when none is on record for ``key``."""
        with self._database.transaction("read") as connection:
            found = connection.execute(sql.select(_PROOFS).where(_PROOFS.c.key == key)).first()
        try:
            return None if found is None else (found.run_id, Proof.model_validate_json(found.proof))
        except ValidationError:
            return None  # of another version: it is made again, which costs time and nothing else

    def remember(self, key: str, proof: Proof, run_id: str) -> None:
        """Keep a proof under ``key``, in place of an older one."""
        row = {"key": key, "run_id": run_id, "proof": proof.model_dump_json()}
        with self._database.transaction("written", write=True) as connection:
            self._database.upsert(connection, _PROOFS, "key", row)

    def close(self) -> None:
        """Let go of the database; a closed history may be used again and reconnects."""
        self._database.close()


def _result_in(text: str, check_id: str) -> Iterator[tuple[Run, CheckResult]]:
    """Yield the run and one check's result out of a scorecard, without the cost of reading all of it."""
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        card = json.loads(text)
        checks = (check for item in card["items"] for check in item["checks"] if check["id"] == check_id)
        yield Run.model_validate(card["run"]), CheckResult.model_validate(next(checks))


def _utc(started: str) -> str:
    """Return an ISO 8601 time in the one form that sorts as text; raises :class:`ConfigError` for anything else."""
    try:
        return _text(datetime.fromisoformat(started))
    except ValueError:
        raise ConfigError(f"the run's start {started!r:.80} is not an ISO 8601 time; it cannot go on record") from None


def _text(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds")
