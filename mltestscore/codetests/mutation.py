"""How many small changes of the code its tests notice: draws mutants, runs them, remembers what came of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from time import monotonic

from mltestscore.codetests.mutants import Mutant, Place, mutant, places, statement_lines
from mltestscore.codetests.observed_run import REMEDY, TestRun
from mltestscore.codetests.session import TIMED_OUT, Judged, Session
from mltestscore.errors import InputError, NotOffered
from mltestscore.stats.seeds import generator

SURVIVED = (0, 5)  # all tests passed; there was none
NOTICED = (1, 2)  # a test failed; the tests could not even be collected
LEAST_SECONDS, LEAST_CPU, TIMES_SOUND = 10.0, 2.0, 10  # a mutant's wall and processor time, also in sound runs
LOOK_AGAIN = 6  # with so many changes of one function unnoticed, and none noticed, 80 % is ruled out at level .0001


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: whether a test noticed it, and how many tests run its line."""

    mutant: Mutant
    noticed: bool
    tests: int


@dataclass(frozen=True)
class Tried:
    """The mutants that were tried.

    Attributes:
        drawn: outcomes of mutants drawn at random from all, without replacement.
        followed: outcomes of further mutants of functions in which none was noticed.
        all: how many there are at most; some places turn out to hold none when they are drawn.
        exhausted: functions (module, name) of which all were tried.
        untried: how many were drawn and not reached in time.
    """

    drawn: tuple[Outcome, ...]
    followed: tuple[Outcome, ...]
    all: int
    untried: int
    exhausted: frozenset[tuple[str, str]]

    @property
    def noticed(self) -> int:
        """How many of the drawn mutants were noticed."""
        return sum(outcome.noticed for outcome in self.drawn)

    def unnoticed_functions(self, least: int) -> Iterator[tuple[str, str, int]]:
        """Yield module, function and n where no change was noticed: all there are, if ``least`` at least, or six."""
        by_function: dict[tuple[str, str], list[bool]] = {}
        for outcome in (*self.drawn, *self.followed):
            place = outcome.mutant.place
            by_function.setdefault((place.module, place.function), []).append(outcome.noticed)
        for key, noticed in by_function.items():
            enough = len(noticed) >= LOOK_AGAIN or (key in self.exhausted and len(noticed) >= least)
            if key[1] and not any(noticed) and enough:
                yield (*key, len(noticed))


class Mutation:
    """The mutants of feature code, against the tests that :class:`TestRun` saw run their lines."""

    def __init__(self, session: Session, run: TestRun) -> None:
        if find_spec("cosmic_ray") is None:
            raise NotOffered("cosmic-ray", REMEDY)
        self._session, self._features, self._run = session, session.features, run
        self._noticing: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        key = ("mutants", self._features.code_digest)
        self._outcomes: dict[Place, Outcome] = self._features.memory.setdefault(key, {})

    def tried(self, most: int, seconds: float) -> Tried:
        """Try ``most`` mutants drawn at random, then those of functions in which none was noticed, for ``seconds``.

        Raises :class:`InputError` when the tests fail on the sound code where mutants are run.
        """
        until = monotonic() + seconds
        drawn = self._drawn(most)
        for one in drawn:
            self._try(one, until)
        done = [self._outcomes[one.place] for one in drawn if one.place in self._outcomes]
        followed, exhausted = self._followed(done, until)
        every = len(drawn) if len(drawn) < most else max(len(drawn), len(self._places))
        return Tried(tuple(done), tuple(followed), every, len(drawn) - len(done), frozenset(exhausted))

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {
            module: (self._features.folder / module).read_text(encoding="utf-8") for module in self._features.modules
        }

    @cached_property
    def _places(self) -> list[Place]:
        """All places of all modules in an order drawn at random, the same for the same code."""
        found = []
        for module, text in self._texts.items():
            try:
                found += places(module, text, self._run.files[module].excluded)
            except SyntaxError as error:
                raise InputError(f"{self._features.table} modules: {module} is no Python: {error}.") from None
        order = generator("modules", *self._texts.values()).permutation(len(found))
        return [found[place] for place in order]

    def _mutant(self, place: Place) -> Mutant | None:
        key = ("mutant", place, self._texts[place.module])
        if key not in self._features.memory:
            self._features.memory[key] = mutant(place, self._texts[place.module])
        made: Mutant | None = self._features.memory[key]
        return made

    def _drawn(self, most: int) -> list[Mutant]:
        made: list[Mutant] = []
        for place in self._places:
            if len(made) == most:
                break
            if (one := self._mutant(place)) is not None:
                made.append(one)
        return made

    def _followed(self, drawn: Sequence[Outcome], until: float) -> tuple[list[Outcome], set[tuple[str, str]]]:
        """Try more mutants of each function in which none was noticed, up to six with the drawn ones.

        Returns their outcomes, and the functions of which all were tried. Where no mutant at all was noticed, the share
        says it all, and nothing is tried.
        """
        tried: list[Outcome] = []
        exhausted: set[tuple[str, str]] = set()
        for key in self._functions if any(one.noticed for one in drawn) else ():
            mine = [one.noticed for one in drawn if _key(one.mutant.place) == key]
            seen = {one.mutant.place for one in drawn}
            left = iter([place for place in self._places if _key(place) == key and place not in seen])
            while not any(mine) and len(mine) < LOOK_AGAIN:
                if (place := next(left, None)) is None:
                    exhausted.add(key)
                    break
                if (one := self._mutant(place)) is None:
                    continue
                if (outcome := self._try(one, until)) is None:
                    break
                tried.append(outcome)
                mine.append(outcome.noticed)
        return tried, exhausted

    @property
    def _functions(self) -> list[tuple[str, str]]:
        return [key for key in dict.fromkeys(map(_key, self._places)) if key[1]]

    def _try(self, one: Mutant, until: float) -> Outcome | None:
        """Return what becomes of a mutant, now or before; ``None`` where time is over or pytest itself fails."""
        if one.place in self._outcomes:
            return self._outcomes[one.place]
        tests, anew = self._tests(one.place)
        judged: Judged | None = Judged(SURVIVED[1])
        if tests:
            self._must_pass(until)
            judged = self._judged(tests, one.place.module, one.text, anew, until)
        if judged is None or not (judged.code in (*SURVIVED, *NOTICED, TIMED_OUT) or judged.code < 0):
            return None
        noticed = judged.code not in SURVIVED
        for key in (_key(one.place), (one.place.module, "")):
            self._noticing[key].update([judged.by] if judged.by else [])
        return self._outcomes.setdefault(one.place, Outcome(one, noticed=noticed, tests=len(tests)))

    def _tests(self, place: Place) -> tuple[list[str], bool]:
        """Return the tests that run the statement; all of them where importing runs it, too, and whether it does."""
        by_line = self._run.files[place.module].tests
        lines = statement_lines(self._texts[place.module], place.line)
        found = frozenset[str]().union(*(by_line.get(line, frozenset()) for line in lines))
        if "" in found:
            return list(self._features.tests), True
        return _likely_first(found, self._noticing[_key(place)], self._noticing[place.module, ""]), False

    def _must_pass(self, until: float) -> None:
        """Run the sound code once, as mutants are run; deaf tests pass in any case."""
        key = ("sound", self._features.code_digest)
        if key in self._features.memory or self._features.deaf:
            return
        judged = self._judged(self._features.tests, self._features.modules[0], "", anew=False, until=until)
        if judged is None:
            return
        if judged.code not in SURVIVED:
            raise InputError(
                f"{self._features.table} tests pass once and fail when they are run again on the same code (pytest "
                f"ended with status {judged.code}); make them independent of what ran before."
            )
        self._features.memory[key] = True

    def _judged(self, tests: Sequence[str], module: str, text: str, anew: bool, until: float) -> Judged | None:
        left = until - monotonic()
        if left <= 0:
            return None
        seconds = max(LEAST_SECONDS, TIMES_SOUND * self._run.seconds)
        cpu = max(LEAST_CPU, TIMES_SOUND * self._run.cpu)
        return self._session.judge(tests, module=module, text=text, anew=anew, seconds=seconds, cpu=cpu, left=left)


def _key(place: Place) -> tuple[str, str]:
    return place.module, place.function


def _likely_first(tests: frozenset[str], *noticed: Counter[str]) -> list[str]:
    """Return tests in the order in which they are likely to notice a change: the first that fails spares the others.

    Those come first that noticed most so far; then one of each test function, before further parameters of the same.
    """
    nth: Counter[str] = Counter()
    order: dict[str, int] = {}
    for test in sorted(tests):
        function = test.partition("[")[0]
        order[test], nth[function] = nth[function], nth[function] + 1
    return sorted(tests, key=lambda test: (*(-count[test] for count in noticed), order[test], test))
