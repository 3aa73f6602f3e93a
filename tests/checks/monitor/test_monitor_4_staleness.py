"""``monitor.4`` on registries in real folders and a real server."""

import json
import sys
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.endpoint import open_endpoint
from mltestscore.inputs.registry import Registry, open_registry
from mltestscore.staleness.age import Age
from mltestscore.testing import run_check

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LIMIT = {"max_age_days": 30}
DATA = "lag of the data behind the training"
STAGE = "lag of a pipeline stage behind the training"
WEIGHTS = "earlier versions with the same weights"

SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(b'{"status": "ready"}')
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(b'{"scores": [0.5], "version": "%s"}' % sys.argv[2].encode())
    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

time.sleep(0.3)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def days_ago(days: float, zone=UTC) -> str:
    return (NOW - timedelta(days=days)).astimezone(zone).isoformat()


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a sound registry, with changes to the current version, and opens it."""

    def write(**changes) -> Registry:
        versions = {
            "1": {
                "trained_at": days_ago(40),
                "data_until": days_ago(41),
                "weights_digest": "w1",
                "data_digest": "d1",
            },
            "2": {
                "trained_at": days_ago(10),
                "published_at": days_ago(9),
                "data_from": days_ago(400),
                "data_until": days_ago(11),
                "weights_digest": "w2",
                "data_digest": "d2",
                "stages": {"extract": days_ago(10.2), "features": days_ago(10.1), "publish": days_ago(9)},
                "tables": {"weather": days_ago(10.5), "airports": days_ago(900)},
                **changes,
            },
        }
        for version, lineage in versions.items():
            (tmp_path / version).mkdir(exist_ok=True)
            (tmp_path / version / "lineage.json").write_text(json.dumps(lineage))
        (tmp_path / "current").write_text("2")
        return open_registry(tmp_path)

    return write


@pytest.fixture
def serve(tmp_path):
    """Return a function that starts a server that says it serves a version; all are stopped at the end."""
    started = []

    def start(version: str):
        (tmp_path / "server.py").write_text(SERVER)
        command = [sys.executable, str(tmp_path / "server.py"), "{port}", version]
        started.append(open_endpoint(command=command))
        return started[-1]

    yield start
    for endpoint in started:
        endpoint.close()


def failed(result) -> dict[tuple[str, str], str]:
    """Return the causes of the findings that failed and count."""
    return {(one.name, one.where): one.cause for one in result.findings if one.verdict == "failed" and not one.advisory}


def test_a_sound_registry_passes_and_is_proven(make):
    result = run_check("monitor.4", registry=make(), clock=NOW, options=LIMIT)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4


def test_what_model_4_measured_is_the_limit_where_none_is_declared(make):
    given = {"registry": make(), "clock": NOW, "prove": False, "tolerable_age": Age(9, "model.4 of 2026-10-01")}
    measured, declared = run_check("monitor.4", **given), run_check("monitor.4", **given, options=LIMIT)
    name = ("age of the model", "")
    assert name in failed(measured)
    assert next(one for one in measured.findings if one.name == name[0]).note.endswith("from model.4 of 2026-10-01")
    assert declared.state == "passed"
    assert run_check("monitor.4", registry=make(), clock=NOW, prove=False).state == "inconclusive"


def test_the_table_shows_every_age(make):
    result = run_check("monitor.4", registry=make(), clock=NOW, options=LIMIT, prove=False)
    ages = {row[0]: row[2:] for row in result.details[0].data["rows"]}
    assert ages["trained_at"] == [10.0, 0.0]
    assert ages["stages.publish"] == [9.0, -1.0]
    assert ages["tables.airports"] == [900.0, 890.0]


@pytest.mark.parametrize(
    ("changes", "options", "expected"),
    [
        ({"trained_at": days_ago(210), "data_until": days_ago(211)}, {}, ("age of the model", "")),
        ({"trained_at": days_ago(30.01), "data_until": days_ago(31)}, {}, ("age of the model", "")),
        ({"data_until": days_ago(70)}, {}, (DATA, "")),
        ({"data_until": days_ago(18)}, {"max_data_lag_days": 7}, (DATA, "")),
        ({"stages": {"extract": days_ago(50)}}, {}, (STAGE, "extract")),
        ({"stages": {"extract": days_ago(12)}}, {"max_stage_lag_days": 1}, (STAGE, "extract")),
        ({}, {"max_table_age_days": 365}, ("age of a table", "airports")),
        ({}, {"max_table_age_days": {"weather": 1}}, ("age of a table", "weather")),
        ({"trained_at": days_ago(25)}, {"max_publish_delay_days": 14}, ("time from training to publication", "")),
    ],
)
def test_what_is_too_old_fails_by_name(make, changes, options, expected):
    result = run_check("monitor.4", registry=make(**changes), clock=NOW, options={**LIMIT, **options}, prove=False)
    assert result.state == "failed"
    assert expected in failed(result)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"trained_at": days_ago(-1), "published_at": None}, "trained_at lies 1 days in the future"),
        ({"published_at": days_ago(-3)}, "published_at lies 3 days in the future"),
        ({"trained_at": days_ago(8)}, "trained_at lies 1 days after published_at"),
        ({"data_until": days_ago(5)}, "data_until lies 5 days after trained_at"),
        ({"data_from": days_ago(5)}, "data_from lies 6 days after data_until"),
        ({"tables": {"weather": days_ago(-2)}}, "tables.weather lies 2 days in the future"),
    ],
)
def test_dates_that_cannot_be_fail_with_the_keys_named(make, changes, cause):
    result = run_check("monitor.4", registry=make(**changes), clock=NOW, options=LIMIT, prove=False)
    assert cause in failed(result)["dates in an impossible order", ""]


def test_an_old_model_under_a_new_date_fails(make):
    result = run_check("monitor.4", registry=make(weights_digest="w1"), clock=NOW, options=LIMIT, prove=False)
    assert failed(result) == {(WEIGHTS, ""): "the same as version 1"}


def test_old_data_under_a_new_date_fail(make):
    result = run_check("monitor.4", registry=make(data_digest="d1"), clock=NOW, options=LIMIT, prove=False)
    assert list(failed(result)) == [("earlier versions with the same data under a newer date", "")]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"trained_at": days_ago(29), "data_until": days_ago(29.5)}, {}),
        ({"trained_at": days_ago(30), "data_until": days_ago(30)}, {}),
        ({"trained_at": days_ago(29.9, timezone(timedelta(hours=-11))), "data_until": days_ago(30)}, {}),
        ({"trained_at": days_ago(400), "data_until": days_ago(401), "data_from": None}, {"max_age_days": 730}),
        ({"data_until": days_ago(16.9)}, {"max_data_lag_days": 7}),
        ({"weights_digest": "w1", "data_digest": "d1", "unchanged_note": "no new labels this month"}, {}),
        ({"weights_digest": "", "data_digest": ""}, {}),
        ({"data_digest": "d1", "data_until": days_ago(41), "data_from": days_ago(400)}, {"max_data_lag_days": 60}),
        ({"trained_at": (NOW + timedelta(minutes=3)).isoformat(), "published_at": None}, {}),
        ({"data_until": days_ago(9.5)}, {}),
        ({"stages": {}, "tables": {}, "published_at": None, "data_from": None}, {}),
        ({}, {"max_table_age_days": {"weather": 30, "airports": 1000}}),
    ],
    ids=[
        "29 days of 30",
        "exactly the limit",
        "other time zone",
        "old but declared",
        "label delay declared",
        "unchanged on purpose",
        "no digests",
        "retrained on the same snapshot",
        "clock skew",
        "partition named by its end",
        "little lineage",
        "table limits by name",
    ],
)
def test_healthy_look_alikes_pass(make, changes, options):
    result = run_check("monitor.4", registry=make(**changes), clock=NOW, options={**LIMIT, **options}, prove=False)
    assert result.state == "passed", result.reason


def test_the_first_version_alone_passes(make):
    registry = make()
    alone = Registry(registry.source, registry.current, (registry.current,))
    assert run_check("monitor.4", registry=alone, clock=NOW, options=LIMIT).proof.state == "proven"


def test_a_rollback_to_an_earlier_version_is_no_republication(make):
    registry = make(weights_digest="w1")
    back = Registry(registry.source, registry.versions[0], registry.versions)
    result = run_check("monitor.4", registry=back, clock=NOW, options={"max_age_days": 60}, prove=False)
    assert result.state == "passed", result.reason


def test_without_a_declared_limit_nothing_is_decided_and_the_key_is_named(make):
    result = run_check("monitor.4", registry=make(), clock=NOW, prove=False)
    assert result.state == "inconclusive"
    assert 'set max_age_days under [tool.mltestscore.checks."monitor.4"]' in result.reason


def test_lineage_without_the_datas_end_decides_nothing(make):
    result = run_check("monitor.4", registry=make(data_until=None), clock=NOW, options=LIMIT, prove=False)
    assert (result.state, "does not say data_until" in result.reason) == ("inconclusive", True)


def test_a_limit_for_a_table_without_a_date_decides_nothing(make):
    options = {**LIMIT, "max_table_age_days": {"wether": 3}}
    result = run_check("monitor.4", registry=make(), clock=NOW, options=options, prove=False)
    assert (result.state, "no date for 'wether'" in result.reason) == ("inconclusive", True)


def test_without_a_registry_it_is_not_offered():
    assert run_check("monitor.4", clock=NOW, options=LIMIT).state == "not_offered"


@pytest.mark.parametrize(
    ("version", "state", "verdict"),
    [("2", "passed", "passed"), ("1", "failed", "failed"), ("", "passed", "inconclusive")],
)
def test_the_version_that_is_served_must_be_the_current_one(make, serve, version, state, verdict):
    training = open_dataset("training", pd.DataFrame({"x": [1.0, 2.0]}))
    inputs = {"registry": make(), "clock": NOW, "endpoint": serve(version), "training": training}
    result = run_check("monitor.4", **inputs, options=LIMIT, prove=False)
    found = next(one for one in result.findings if one.name == "served versions other than the current one")
    assert (result.state, found.verdict, found.advisory) == (state, verdict, version == "")
    assert found.cause == ("version '1' is served, the registry's current one is '2'" if version == "1" else "")
