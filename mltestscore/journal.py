"""The results of a run as they come, one JSON line each, so that a killed run still leaves a scorecard behind."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mltestscore.errors import InputError
from mltestscore.result import CheckResult
from mltestscore.scorecard import Run


@dataclass(frozen=True)
class Story:
    """What a journal tells: the run, and the results until it ended."""

    system: str
    configuration: str
    run: Run
    results: list[CheckResult]


class Journal:
    """Append-only file, flushed line by line; removed when the scorecard has been written.

    Raises :class:`InputError` when the folder cannot be written, before any check has run.

    Attributes:
        file: where it lies.
        whole: whether every result so far could be written.
    """

    def __init__(self, folder: Path, system: str, configuration: str, run: Run) -> None:
        self.file = folder / f"journal-{run.id}.jsonl"
        self.whole = True
        head = {"mltestscore_journal": 1, "system": system, "configuration": configuration}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.file.write_text(json.dumps({**head, "run": run.model_dump(mode="json")}) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"The output folder {folder} cannot be written: {error.strerror or error}. Free space, change its "
                "rights, or name another with --mltestscore-output."
            ) from None

    def append(self, result: CheckResult) -> None:
        """Write one result; a full disk is reported by the scorecard, not by every check."""
        try:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(result.model_dump_json() + "\n")
        except OSError:
            self.whole = False

    def remove(self) -> None:
        """Delete the journal, which the scorecard has replaced."""
        self.file.unlink(missing_ok=True)


def read_journal(file: Path) -> Story:
    """Read what a killed run left; a line that was cut, by the kill or by a full disk, is dropped.

    Raises :class:`InputError` when the file is not a journal of this version.
    """
    try:
        first, *rest = file.read_text(encoding="utf-8").splitlines()
        head = json.loads(first)
        if head.get("mltestscore_journal") != 1:
            raise ValueError("it is not a journal of this version")
        run = Run.model_validate(head["run"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{file} is not a journal of mltestscore: {error}. Give a journal-….jsonl file.") from None
    results = []
    for line in rest:
        with suppress(ValidationError):
            results.append(CheckResult.model_validate_json(line))
    return Story(head["system"], head.get("configuration", ""), run, results)
