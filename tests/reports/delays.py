"""What was found on a system much like the flights example: every state, one waiver, one rejected statement."""

from __future__ import annotations

import math

from mltestscore import Interval, at_least, at_most
from mltestscore.evidence import Statements
from mltestscore.finding import undecided
from mltestscore.result import CheckResult
from mltestscore.scorecard import Attestation, Machine, Phases, Rejected, Run, Waiver

from .records import MODEL, RECOMPUTED, SERVING, TRAINING, categories, check, histograms, log, series, share, table

FEATURES = ["wind_dir", "humid", "dewp", "pressure", "visib", "precip", "wind_speed", "hour", "weekday", "distance"]
FEATURES += ["carrier", "origin", "dest"]
FAHRENHEIT = "offset by −17.8, ×0.556: looks like °F → °C"

RUN = Run(
    id="20261122T140311Z-1a2b3c4",
    started="2026-11-22T14:03:11+00:00",
    by="CI",
    ci="build 1873",
    commit="1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    branch="main",
    dirty=True,
    machine=Machine(system="Linux 6.8 x86_64", python="3.11.9", cpus=2, memory_gib=7.8),
    versions={"pandas": "2.3.3", "scikit-learn": "1.7.2", "duckdb": "1.4.1", "great-expectations": "1.8.0"},
    phases=Phases(total=48.2, collection=0.9, inputs=3.1, checks=21.4, faults=22.0, report=0.6),
)


def checks() -> list[CheckResult]:
    """Return the results of all checks that ran."""
    return [*_data(), *_model(), *_infra(), *_monitor()]


def statements() -> Statements:
    """Return what people vouched for, waived, and a statement that does not count."""
    dates = {"date": "2026-10-02", "expires": "2027-04-02"}
    wiki = "https://wiki.example.org/ml/"
    experiments = "Three experiments, one with a worse model on purpose; both measures fell together."
    feed = "We are on the weather feed's list and read it."
    drill = "The drill is planned for the first week of December"
    return Statements(
        attestations=[
            Attestation(
                item="model.2", by="R. Okafor", link=wiki + "ab", statement=experiments, days_left=131, **dates
            ),
            Attestation(
                item="monitor.1", by="T. Lindqvist", link=wiki + "feed", statement=feed, days_left=131, **dates
            ),
        ],
        waivers=[
            Waiver(
                item="infra.7", kind="accepted", reason=drill, owner="T. Lindqvist", link=wiki, days_left=131, **dates
            )
        ],
        rejected=[
            Rejected(
                item="data.6",
                what="attestation",
                source="attestations.toml, entry 3",
                reason="it expired on 2026-10-31",
            )
        ],
    )


def _data() -> list[CheckResult]:
    conform = [share("values outside the schema", n, 241_904, 0.01, where=name) for n, name in enumerate(FEATURES[:3])]
    kill = Interval(0.94, 0.89, 0.97, 140, 0.95, "Wilson")
    schema = [
        at_most("model inputs without a rule", 0, 0, n=14),
        at_least("kill rate", kill, 0.8, unit="share"),
        *conform,
    ]
    gain = Interval(0.004, 0.001, 0.007, 5, 0.95, "t")
    return [
        check("data.1", schema, faults=4, details=[table(14, 4)]),
        check("data.2", [at_least("loss without it", gain, 0.0, where="temp")]),
        check("data.4", [at_most("forbidden features", 0, 0, n=14)], missed="a feature derived from a forbidden one"),
        check("data.5", [share("deleted subjects still in training", 0, 40, 0.0)], faults=2),
        check("data.7", [at_least("mutants killed", 0.86, 0.6, unit="share", n=64)]),
    ]


def _model() -> list[CheckResult]:
    airports = {"EWR": 0.71, "JFK": 0.68, "LGA": 0.66}
    slices = [
        at_least("AUC", Interval(auc, auc - 0.03, auc + 0.03, 900, 0.95, "DeLong"), 0.6, where=name)
        for name, auc in airports.items()
    ]
    gain = Interval(0.031, 0.022, 0.041, 40_000, 0.95, "paired bootstrap")
    return [
        check("model.1", [at_most("commits without a review", 0, 0, n=31)]),
        check("model.3", [undecided("distance from the best trial", "the study holds one trial")]),
        check("model.4", [at_most("loss at 30 days", Interval(0.006, 0.002, 0.010, 6, 0.95, "t"), 0.02)]),
        check("model.5", [at_least("gain over logistic regression", gain, 0.005, unit="AUC")], details=[series(50)]),
        check("model.6", slices),
    ]


def _infra() -> list[CheckResult]:
    missing = "endpoint is not offered; set start under [tool.mltestscore.endpoint]"
    where = 'File "pipeline/features.py", line 41, in build\n    frame["temp"]\nKeyError: \'temp\''
    return [
        check("infra.1", [at_most("predictions that differ", 0, 0, n=20_000)], inputs=[TRAINING]),
        check("infra.2", [at_most("properties that failed", 0, 0, n=12)], faults=0, origin="marked test"),
        CheckResult(
            id="infra.3",
            item="infra.3",
            node="checks/infra.3::check",
            state="error",
            reason="the pipeline's command ended with status 3 after 12 s: features.py: no column 'temp'",
            traceback=f"Traceback (most recent call last):\n  {where}",
            inputs=[TRAINING],
            version="aa01",
        ),
        check("infra.4", [at_most("bad models that were let through", 0, 0, n=6)]),
        *(CheckResult(id=id, item=id, state="not_offered", reason=missing) for id in ("infra.5", "infra.6")),
    ]


def _monitor() -> list[CheckResult]:
    differ = [
        share("rows that differ", 319, 6_512, 0.001, where="temp", cause=FAHRENHEIT),
        *(share("rows that differ", 0, 6_512, 0.001, where=name) for name in FEATURES),
    ]
    joined = Interval(0.998, 0.9965, 0.9990, 6_512, 0.95, "Clopper-Pearson")
    speed = [
        at_most("latency, 95th percentile", Interval(34.9, 29.1, 41.2, 3_000, 0.95, "order statistics"), 40, unit="ms"),
        at_least("throughput", Interval(412, 395, 431, 12, 0.95, "t"), 200, unit="requests/s"),
        at_most("memory growth", Interval(0.3, -math.inf, 1.1, 600, 0.95, "Theil-Sen"), 2, unit="MiB/min"),
    ]
    late = "outcomes is not offered; name the table of late labels under [tool.mltestscore.outcomes]"
    return [
        check(
            "monitor.2",
            [share("rows that break an invariant", 2, 248_416, 0.001)],
            inputs=[TRAINING, SERVING],
            proof_of="",
        ),
        check(
            "monitor.3",
            [*differ, at_least("served rows that join", joined, 0.95, unit="share")],
            faults=6,
            proof_of="",
            previous={"rows that differ": 0.0},
            inputs=[SERVING, RECOMPUTED],
            options_changed=["tolerance"],
            details=[histograms(30), categories(), table(6, 5), log(300)],
            reason=f"temp: rows that differ is 4.9 %, above the limit of 0.1 %: {FAHRENHEIT}",
        ),
        check("monitor.4", [at_most("age of the model", 12.4, 30, unit="days", n=1)]),
        check("monitor.5", [at_most("rows with NaN or infinity", 0, 0, n=20_000)]),
        check("monitor.5/our_bounds", [share("scores outside 0 to 1", 0, 20_000, 0.001)], faults=0, origin="team"),
        check("monitor.6", speed, faults=4, previous={speed[0].name: 31.0}, inputs=[MODEL], details=[series(60)]),
        CheckResult(id="monitor.7", item="monitor.7", state="not_offered", reason=late),
    ]
