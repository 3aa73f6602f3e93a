"""What can go wrong between a team's system and a check, said so that the reader knows what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MltestscoreError(Exception):
    """Base of every error that mltestscore raises on purpose: one message, never a traceback for the reader.

    >>> from mltestscore.testing import run_check
    >>> try:
    ...     run_check("data.99")
    ... except MltestscoreError as error:
    ...     print(str(error)[:37])
    There is no built-in check 'data.99'.
    """


class ConfigError(MltestscoreError):
    """The configuration is wrong: names the file, the key, what was expected and the remedy."""


class InputError(MltestscoreError):
    """An input was offered but cannot be used: names the file or fixture, what was found and the remedy."""


class OutOfTime(InputError):  # noqa: N818 - the team's own limit, not a fault of what it offers
    """What was started did not end within its limit of time and was stopped: names the option that gives it more."""


class NotOffered(MltestscoreError):  # noqa: N818 - a state of a check, not an error
    """An input was not offered, so the checks that need it have nothing to observe.

    ``remedy`` says which config key or fixture offers it. A fixture of yours, or a fault, may raise it.

    >>> str(NotOffered("training", "name its source in [tool.mltestscore.data.training]"))
    'training is not offered; name its source in [tool.mltestscore.data.training]'
    """

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name} is not offered; {remedy}")
        self.name = name
        self.remedy = remedy


def near(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known names close to ``name``, else the list of what is known.

    >>> near("modle", ["model", "trainer"])
    " Did you mean 'model'?"
    """
    names = sorted(map(str, known))
    close = get_close_matches(name, names, n=2, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(repr(candidate) for candidate in close) + "?"
    shown = ", ".join(repr(candidate) for candidate in names[:20])
    return f" Known: {shown}{', …' if len(names) > 20 else ''}." if names else ""
