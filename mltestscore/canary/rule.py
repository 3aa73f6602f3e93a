"""A team's own rule, asked about candidates of known worth, in a copy of the project."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import pandas as pd

from mltestscore.codetests.sandbox import Done, copied, run
from mltestscore.errors import InputError
from mltestscore.inputs.canary import TABLE, Canary, Rule
from mltestscore.inputs.feature_code import NEVER_COPIED

NOT_STARTED = (126, 127)  # exit codes of a shell that found no program; from 128 on it was killed


def decisions(canary: Canary, tables: Mapping[str, pd.DataFrame]) -> dict[str, bool]:
    """Return for each case whether the rule lets the candidate go on; remembered.

    Raises :class:`InputError` when the rule fails, takes too long or says neither yes nor no.
    """
    rule = canary.rule
    assert rule is not None  # only asked where a rule is offered
    texts = {name: table.to_csv(index=False) for name, table in tables.items()}
    content = hashlib.sha256(repr(sorted(texts.items())).encode("utf-8", "backslashreplace")).hexdigest()
    found = canary.recall(("rule", content), lambda: _asked(rule, texts))
    return dict.fromkeys(found, True) if canary.tampering == "promotes" else found


def _asked(rule: Rule, texts: Mapping[str, str]) -> dict[str, bool]:
    with (
        copied(rule.folder, (*NEVER_COPIED, *rule.left_out), TABLE) as sandbox,
        tempfile.TemporaryDirectory(prefix="mltestscore-") as name,
    ):
        work = Path(name).resolve()
        files = {case: work / f"{number:02}.csv" for number, case in enumerate(texts)}
        for case, file in files.items():
            file.write_text(texts[case], encoding="utf-8")
        if isinstance(rule.call, str):
            return _by_function(rule, rule.call, files, sandbox, work)
        return _by_command(rule, rule.call, files, sandbox)


def _by_function(rule: Rule, call: str, files: Mapping[str, Path], sandbox: Path, work: Path) -> dict[str, bool]:
    command = [sys.executable, "-m", "mltestscore.canary.rule_process", call, str(work)]
    done = run(command, sandbox=sandbox, home=rule.folder, timeout=rule.timeout)
    if done.code != 0:
        raise InputError(f"{TABLE} decide: {call} {_ending(done, rule)}. It said:\n{done.said}")
    found = {case: json.loads(file.with_suffix(".json").read_text(encoding="utf-8")) for case, file in files.items()}
    for case, answer in found.items():
        if not isinstance(answer, bool):
            raise InputError(
                f"{TABLE} decide: {call} returned {answer} for {case!r}; return True where the roll-out goes on and "
                'False where it stops (or "promote" and "block").'
            )
    return found


def _by_command(rule: Rule, words: tuple[str, ...], files: Mapping[str, Path], sandbox: Path) -> dict[str, bool]:
    found, until = {}, monotonic() + rule.timeout
    for case, file in files.items():
        filled = [word.replace("{python}", sys.executable).replace("{results}", str(file)) for word in words]
        try:
            done = run(filled, sandbox=sandbox, home=rule.folder, timeout=max(0.1, until - monotonic()))
        except OSError as error:
            raise InputError(f"{TABLE} decide: {words[0]!r:.200} cannot be run: {error.strerror or error}.") from error
        if done.code is None or done.code < 0 or done.code >= min(NOT_STARTED):
            raise InputError(f"{TABLE} decide: the command {_ending(done, rule)} on {case!r}. It said:\n{done.said}")
        found[case] = done.code == 0
    return found


def _ending(done: Done, rule: Rule) -> str:
    if done.code is None:
        return f"was not done with all cases after {rule.timeout:g} s (decide_timeout) and was stopped"
    return f"failed with exit code {done.code}" if done.code > 0 else f"was ended by signal {-done.code}"
