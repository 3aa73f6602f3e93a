"""How many small changes of the code its tests notice: draws mutants, runs them, remembers what came of each."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from mltestscore.codetests.mutants import Mutant, Place, mutant, places, statement_lines
from mltestscore.codetests.mutation_process import SURVIVED, TIMED_OUT
from mltestscore.codetests.observed_run import REMEDY, TestRun
from mltestscore.codetests.sandbox import copied, run_python
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.feature_code import TABLE, FeatureCode
from mltestscore.stats.seeds import generator

Run = Mapping[str, object]

NOTICED = (1, 2)  # a test failed; the tests could not even be collected
LEAST_LIMIT, TIMES_SOUND = 10.0, 10  # a mutant's time in seconds, and in runs of the sound code
AT_A_TIME = min(4, max(2, os.cpu_count() or 1))  # mutants under test: one may wait while the other works
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

    def __init__(self, features: FeatureCode, run: TestRun) -> None:
        if find_spec("cosmic_ray") is None:
            raise NotOffered("cosmic-ray", REMEDY)
        self._features, self._run = features, run
        self._outcomes: dict[Place, Outcome] = features.memory.setdefault(("mutants", features.code_digest), {})

    def tried(self, most: int, seconds: float) -> Tried:
        """Try ``most`` mutants drawn at random, then those of functions in which none was noticed, for ``seconds``.

        Raises :class:`InputError` when the tests fail on the sound code where mutants are run.
        """
        drawn = self._drawn(most)
        further, exhausted = self._further(drawn)
        self._try(drawn, further, seconds)
        done = [self._outcomes[one.place] for one in drawn if one.place in self._outcomes]
        followed = [self._outcomes[one.place] for one in further if one.place in self._outcomes]
        reached = {key for key in exhausted if all(one.place in self._outcomes for one in further if _key(one) == key)}
        every = len(drawn) if len(drawn) < most else max(len(drawn), len(self._places))
        return Tried(tuple(done), tuple(followed), every, len(drawn) - len(done), frozenset(reached))

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
                raise InputError(f"{TABLE} modules: {module} is no Python: {error}.") from None
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

    def _further(self, drawn: Sequence[Mutant]) -> tuple[list[Mutant], set[tuple[str, str]]]:
        """Return more mutants of each function, six with the drawn ones, and the functions that have no more."""
        seen = {one.place for one in drawn}
        further: list[Mutant] = []
        exhausted: set[tuple[str, str]] = set()
        for key in dict.fromkeys((place.module, place.function) for place in self._places if place.function):
            mine = [place for place in self._places if (place.module, place.function) == key]
            room = LOOK_AGAIN - sum(place in seen for place in mine)
            made: list[Mutant] = []
            for place in mine:
                if len(made) > room:
                    break
                if place not in seen and (one := self._mutant(place)) is not None:
                    made.append(one)
            further += made[: max(0, room)]
            if len(made) <= room:
                exhausted.add(key)
        return further, exhausted

    def _tests(self, place: Place) -> list[str]:
        """Return the tests that run the statement; all of them where importing runs it, too."""
        by_line = self._run.files[place.module].tests
        lines = statement_lines(self._texts[place.module], place.line)
        found = frozenset[str]().union(*(by_line.get(line, frozenset()) for line in lines))
        return list(self._features.tests) if "" in found else sorted(found)

    def _try(self, drawn: Sequence[Mutant], further: Sequence[Mutant], seconds: float) -> None:
        """Run what is not remembered, and of ``further`` only while nothing was noticed in the function."""
        noticed = {_key(one.mutant) for one in self._outcomes.values() if one.noticed}
        waiting: list[tuple[Mutant, list[str]]] = []
        runs: list[Run] = []
        for number, one in enumerate((*drawn, *further)):
            more = number >= len(drawn)
            if one.place in self._outcomes or (more and _key(one) in noticed):
                continue
            if tests := self._tests(one.place):
                waiting.append((one, tests))
                function = f"{one.place.module}: {one.place.function}"
                run = {"module": one.place.module, "text": one.text, "tests": tests, "function": function}
                runs.append({**run, "only_until_noticed": more})
            else:
                self._outcomes[one.place] = Outcome(one, noticed=False, tests=0)
        if all(run["only_until_noticed"] for run in runs) and not noticed:
            return
        for (one, tests), code in zip(waiting, self._codes(runs, seconds) if runs else [], strict=True):
            if code is not None and (code in SURVIVED or code in NOTICED or code == TIMED_OUT or code < 0):
                self._outcomes[one.place] = Outcome(one, noticed=code not in SURVIVED, tests=len(tests))

    def _codes(self, runs: Sequence[Run], left: float) -> list[int | None]:
        """Run the sound code once, then what is given; return how each ended, ``None`` for what did not in time."""
        module, text = next(iter(self._texts.items()))
        sound: dict[str, object] = {"module": module, "text": text, "tests": self._features.tests, "function": ""}
        sound |= {"only_until_noticed": False}
        limit = max(LEAST_LIMIT, TIMES_SOUND * self._run.seconds)
        request = {"loaded": self._run.loaded, "deaf": self._features.deaf, "limit": limit, "mutants": [*runs, sound]}
        home, key = self._features.folder, ("sound", self._features.code_digest)
        if key in self._features.memory:
            request["mutants"] = runs
        with ExitStack() as stack:
            copies = [stack.enter_context(copied(home, self._features.ignored, TABLE)) for _ in range(AT_A_TIME)]
            work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (work / "request.json").write_text(json.dumps({**request, "copies": list(map(str, copies))}), "utf-8")
            arguments = ["-m", "mltestscore.codetests.mutation_process", str(work)]
            done = run_python(arguments, sandbox=copies[0], home=home, timeout=left)
            outcomes = work / "outcomes.jsonl"
            lines = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.is_file() else []
        if done.code not in (0, None):
            raise InputError(f"{TABLE} tests could not be run on changed code. They said:\n{done.said}")
        found = dict(json.loads(line) for line in lines)
        if (again := found.get(len(runs), 0)) not in SURVIVED:
            raise InputError(
                f"{TABLE} tests pass once and fail when they are run again on the same code (pytest ended with status "
                f"{again}); make them independent of what ran before."
            )
        self._features.memory[key] = True
        return [found.get(number) for number in range(len(runs))]


def _key(mutant: Mutant) -> tuple[str, str]:
    return mutant.place.module, mutant.place.function
