"""A copy of the project in which a gate, a deployment or a packaging runs, with links to what it may share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from mltestscore.codetests.sandbox import Done, copied, run
from mltestscore.errors import InputError
from mltestscore.inputs.validator import TABLE, Validator, changed


@contextmanager
def workplace(validator: Validator) -> Iterator[Path]:
    """Give a copy of the project; it is removed afterwards.

    Raises :class:`InputError` where shared files are not as they were before.
    """
    before = validator.shared_state()
    own = [escape(str(validator.folder / name)) for name in validator.shared]  # seen through a link, and so not copied
    with copied(validator.folder, (*validator.ignored, *own), TABLE) as copy:
        for name in validator.shared:
            link = copy / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(validator.folder / name)
        yield copy
    if touched := changed(before, validator.shared_state()):
        raise InputError(
            f"{TABLE} shared: {touched[0]!r:.200} was written to while the gate ran in a copy of the project; "
            "share only what the gate reads."
        )


def done_in(copy: Path, words: Sequence[str], validator: Validator, setting: str, timeout: float) -> Done:
    """Run a command in a copy of the project.

    Raises :class:`InputError` for a command that cannot be started.
    """
    try:
        return run(words, sandbox=copy, home=validator.folder, timeout=timeout)
    except OSError as error:
        raise InputError(f"{TABLE} {setting}: {words[0]!r:.200} cannot be started: {error}.") from None
