"""Counters of single requests: what answers and metrics say, and what a server's processes did meanwhile.

Asked one row at a time, most of these are the same whenever they are counted, however busy the machine is.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.bodies import Columns, row_count
from mltestscore.serving.client import Client
from mltestscore.serving.places import find
from mltestscore.serving.process import Server
from mltestscore.settings_serving import CountersConfig

BYTES = "bytes of an answer"
PROCESSOR, READS, WRITTEN, FAULTS = "processor ms", "reads", "bytes written", "page faults"
_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)\s*(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Counting:
    """Counts what requests cost.

    Attributes:
        client, server: of the endpoint; no server where it is not ours.
        declared: the counters that the team names.
        padding: bytes that every answer seems to be longer; for planted faults.
    """

    client: Client
    server: Server | None
    declared: CountersConfig
    padding: int = 0

    def per_request(self, columns: Columns) -> dict[str, float]:
        """Ask for each row by itself; return each counter's mean over the usable answers, without those not found."""
        before, usable = self._elsewhere(), 0
        totals: defaultdict[str, float] = defaultdict(float)
        for row in range(row_count(columns)):
            with suppress(InputError):  # an answer that is none is counted by whoever judges errors
                reply = self.client.exchange({name: [values[row]] for name, values in columns.items()})
                self.client.decode(reply, 1)
                for name, value in self._of(reply).items():
                    totals[name] += value
                usable += 1
        after = self._elsewhere()
        totals |= {name: after[name] - before[name] for name in before.keys() & after.keys()}
        return {name: total / usable for name, total in totals.items() if math.isfinite(total)} if usable else {}

    def _of(self, reply: Reply) -> dict[str, float]:
        found = {BYTES: float(len(reply.content) + self.padding)}
        for name, place in self.declared.places.items():
            kind, _, where = place.partition(":")
            said = [reply.headers.get(where.lower(), "")] if kind == "header" else []
            if kind == "body":
                said = find(self.client.protocol.answered(reply), where)
            with suppress(TypeError, ValueError):
                if said:
                    found[name] = math.fsum(float(one) for one in said)
        return found

    def _elsewhere(self) -> dict[str, float]:
        """Return what has been counted so far, by the server's metrics and the operating system."""
        return {**self._metrics(), **(of_processes(self.server.processes()) if self.server else {})}

    def _metrics(self) -> dict[str, float]:
        wanted = {name: place for name, place in self.declared.places.items() if place.startswith("metric:")}
        if not wanted:
            return {}
        text = ""
        with suppress(InputError):
            reply = self.client.ask(self.declared.metrics)
            text = reply.content.decode("utf-8", "replace") if reply.status == 200 else ""
        sums = {name: metric(text, place.removeprefix("metric:")) for name, place in wanted.items()}
        return {name: value for name, value in sums.items() if value is not None}


def metric(text: str, selector: str) -> float | None:
    """Return the sum of a metric's samples in Prometheus' text format; ``None`` where there is none.

    >>> metric('# HELP calls_total x\\ncalls_total{to="store"} 3\\ncalls_total{to="model"} 4 171', "calls_total")
    7.0
    >>> metric('calls_total{to="store"} 3\\ncalls_total{to="model"} 4', 'calls_total{to="store"}')
    3.0
    """
    name, _, labels = selector.partition("{")
    wanted, values = set(_LABEL.findall(labels)), []
    for line in text.splitlines():
        sample = _SAMPLE.match(line)
        if sample and sample["name"] == name.strip() and wanted <= set(_LABEL.findall(sample["labels"] or "")):
            with suppress(ValueError):
                values.append(float(sample["value"]))
    return math.fsum(values) if values else None


def of_processes(processes: Iterable[psutil.Process]) -> dict[str, float]:
    """Return what processes have done since they began, as far as the system tells: see the names above."""
    totals: defaultdict[str, float] = defaultdict(float)
    for process in processes:
        with suppress(psutil.Error, OSError, AttributeError, IndexError, ValueError):
            times = process.cpu_times()
            totals[PROCESSOR] += 1000 * (times.user + times.system)
            spent = process.io_counters()
            totals[READS] += spent.read_count
            totals[WRITTEN] += spent.write_chars
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            totals[FAULTS] += int(fields[7])
    return dict(totals)
