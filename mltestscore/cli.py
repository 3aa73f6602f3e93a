"""``mltestscore``: what can be done with a scorecard when the system is not at hand, and what the rubric says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console

from mltestscore import __version__, conclude
from mltestscore.config import Config, find_config, known_keys, read_config
from mltestscore.errors import InputError, MltestscoreError
from mltestscore.journal import read_journal
from mltestscore.rubric import rubric
from mltestscore.scorecard import Scorecard, load
from mltestscore.settings import DatasetName

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
_out, _err = Console(highlight=False, markup=False), Console(stderr=True, highlight=False, markup=False)

File = Annotated[Path, typer.Argument(help="A scorecard.json, or the journal-….jsonl of a run that was killed.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The pyproject.toml (default: the nearest one).")]


@app.command()
def render(
    file: File,
    output: Annotated[Path | None, typer.Option(help="Folder for the reports (default: beside the file).")] = None,
) -> None:
    """Make all reports again from a stored scorecard, or a scorecard marked incomplete from a killed run's journal."""
    with _errors():
        scorecard = _read(file)
        html = conclude.write(scorecard, output or file.parent)
        for line in conclude.summary(scorecard, html):
            _out.print(line, soft_wrap=True)


@app.command()
def gate(
    file: File,
    name: Annotated[str | None, typer.Argument(help="A gate of [tool.mltestscore.gates].")] = None,
    fail_under: Annotated[float | None, typer.Option(help="The lowest score that is accepted.")] = None,
    config: ConfigOption = None,
) -> None:
    """Hold a stored scorecard to a release gate; exit 1 with the reasons when it is not met."""
    with _errors():
        decision = conclude.decide(_read(file), _configuration(config), name, fail_under)
        if decision is None:
            raise InputError("Name a gate, or give --fail-under.")
        _out.print(f"gate {decision.name}: {'met' if decision.met else 'NOT MET'}")
        for reason in decision.reasons:
            _out.print(f"  - {reason}", soft_wrap=True)
    if not decision.met:
        raise typer.Exit(1)


@app.command()
def explain(item: Annotated[str, typer.Argument(help="A rubric item, such as monitor.3.")]) -> None:
    """Say what a rubric item asks and why, what a person must still judge, and how our check is given what it takes."""
    with _errors():
        found = rubric().item(item)
        _out.print(f"{found.id}  {found.title}\n", soft_wrap=True)
        parts = {
            "Asks": found.question,
            "Why": found.why,
            "Evidence": found.evidence,
            "A person judges": found.person,
            "Remedy": f"{found.remedy} (effort: {found.effort})",
            "In 2016": found.in_2016,
            "Source": found.source,
        }
        for name, text in parts.items():
            if text:
                _out.print(f"{name}: {text}", soft_wrap=True)
        for line in _our_check(found.id):
            _out.print(line, soft_wrap=True)


def _our_check(item: str) -> Iterator[str]:
    """Yield the documentation of our check, the tables of its inputs with their keys, and its options."""
    from mltestscore.catalogue import our_check  # which imports the check, for this command only

    found = our_check(item)
    yield f"\nThe check: {found.doc}"
    yield f"\nIts inputs: {', '.join(found.inputs)}"
    if found.optional:
        yield f"Where they are offered, also: {', '.join(found.optional)}"
    for place in dict.fromkeys(filter(None, map(_place, (*found.inputs, *found.optional)))):
        yield f"  [tool.mltestscore.{'.'.join(place)}] {', '.join(known_keys(place))}"
    options = ", ".join(f"{name} = {value!r}" for name, value in found.options.items())
    yield f'Its options: [tool.mltestscore.checks."{found.id}"] {options}'


def _place(name: str) -> tuple[str, ...]:
    """Return where an input is configured; empty for one that has no table of its own."""
    if name in get_args(DatasetName):
        return ("data", name)
    table = {"previous_model": "model", "tracer": "trace"}.get(name, name)
    table_of_many = {"stores": (table, "NAME")}.get(table, (table,))
    return table_of_many if known_keys((table,)) != known_keys(()) else ()


@app.command()
def init(
    data: Annotated[str | None, typer.Argument(help="Training data (default: the configured).")] = None,
    output: Annotated[Path | None, typer.Option(help="The suite to write (default: the configured).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    config: ConfigOption = None,
) -> None:
    """Infer a first schema (a Great Expectations suite) from the training data, for a person to review."""
    from mltestscore.inputs import inference, offered  # a second of imports, for this command only
    from mltestscore.inputs.dataset import open_dataset

    with _errors():
        settings = _configuration(config)
        named = settings.schema_.path if settings.schema_ else ""
        target = output or (settings.path(named) if named else Path("expectations.json"))
        if target.exists() and not force:
            raise InputError(f"{target} is there already; give --output another name, or --force to write over it.")
        with _err.status("inferring a schema …"):
            training = open_dataset("training", data) if data else offered.dataset("training", settings)
            schema = inference.inferred(training)
        suite = inference.suite(schema, f"{settings.name} training data")
        try:
            target.write_text(json.dumps(suite, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{target} cannot be written: {error.strerror}. Name another place.") from error
        _out.print(f"{target}: {len(schema.rules)} rules on {len(schema.columns)} columns. Review them, then commit.")
        if settings.schema_ is None:
            _out.print(f'Add to pyproject.toml:\n[tool.mltestscore.schema]\npath = "{target}"')


@app.command()
def acknowledge(
    names: Annotated[list[str] | None, typer.Argument(help="Dependencies (default: list what differs).")] = None,
    by: Annotated[str, typer.Option(help="Who agrees to what they promise now.")] = "",
    upcoming: Annotated[str, typer.Option(help="An announced contract, accepted beside the present one.")] = "",
    config: ConfigOption = None,
) -> None:
    """Record that somebody agrees to what dependencies promise now (monitor.1), or list what nobody has agreed to."""
    from mltestscore.dependencies import agreeing
    from mltestscore.inputs import offered_infra

    with _errors():
        settings = _configuration(config)
        dependencies = offered_infra.dependencies(settings)
        if not names:
            for line in agreeing.open_questions(dependencies):
                _out.print(line, soft_wrap=True)
            return
        assert settings.dependencies is not None  # else they were not offered
        file = settings.path(settings.dependencies.acknowledged)
        for line in agreeing.agree(dependencies, names, by, settings.now(), upcoming, file, settings.folder):
            _out.print(line, soft_wrap=True)


@app.command()
def version() -> None:
    """Print the version."""
    _out.print(__version__)


class _errors:  # noqa: N801 - reads as a statement
    """Print our own errors as one message and exit 4, as pytest does for a usage error; let others through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MltestscoreError):
            _err.print(f"mltestscore: {error}", soft_wrap=True)
            raise typer.Exit(4) from None


def _read(file: Path) -> Scorecard:
    if file.suffix != ".jsonl":
        return load(file)
    story = read_journal(file)
    configuration = Path(story.configuration)
    config = read_config(configuration) if configuration.is_file() else Config()
    run = story.run.model_copy(update={"incomplete": True})
    left = [f"{datetime.now(UTC).date()}: made from the journal of a run that was killed"]
    return conclude.make_scorecard(conclude.Conclusion(story.system, run, story.results, left), config, None)


def _configuration(file: Path | None) -> Config:
    found = file or find_config(Path.cwd())
    return read_config(found) if found else Config()


if __name__ == "__main__":
    app()
