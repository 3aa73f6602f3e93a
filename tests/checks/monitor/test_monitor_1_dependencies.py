"""``monitor.1`` on a small shop: a weather table, a service's schema, two packages, and mails that land in a folder."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from mltestscore.dependencies.agreeing import agree
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.catalogue import read_catalogue
from mltestscore.inputs.dependencies import Dependencies, open_dependencies
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

NOW = datetime(2027, 3, 1, tzinfo=UTC)
UNLISTED, UNOWNED = "sources outside the manifest", "dependencies without an owner or a channel"
BARE, NEVER = "dependencies without a contract", "contracts that nobody has agreed to"
CHANGED, UNPINNED = "contracts that changed and nobody agreed", "packages of the manifest that no lock names"
DIFFERING, MISSING = "packages of another version than locked", "locked packages that are not installed"
VULNERABLE, DATA_AGE = "known vulnerabilities of installed packages", "days since the vulnerabilities were known"
LOST, SECONDS = "probes that did not arrive", "seconds until the probe arrived"

MANIFEST = """
[[dependency]]
name = "weather"
kind = "table"
owner = "Weather team"
channel = "#weather"
contract = "weather.parquet"

[[dependency]]
name = "prices"
kind = "api"
owner = "Price service"
channel = "prices@example.org"
contract = "prices.json"
covers = ["price_*"]

[[dependency]]
name = "desk"
kind = "file"
owner = "Ada"
channel = "ada@example.org"
without_contract = "Ada types it"

[[dependency]]
name = "NumPy"
kind = "package"
owner = "NumPy"
channel = "https://numpy.org/news"
"""
CATALOGUE = read_catalogue(
    {
        "features": {
            "temp": {"source": "weather"},
            "price": {"derived_from": ["list_price"]},
            "area": {"source": "desk"},
        },
        "columns": {"list_price": {"source": "price_list"}},
    }
)
WEATHER = pd.DataFrame(
    {"hour": pd.to_datetime(["2027-01-01", "2027-01-02"], utc=True), "temp": [1.5, 2.5], "sky": ["clear", None]}
)
PRICES = {
    "type": "object",
    "properties": {"price": {"type": "number", "description": "EUR"}, "currency": {"enum": ["EUR", "CHF"]}},
    "required": ["price", "currency"],
}
NOTIFY = """
import sys, time
from pathlib import Path

def write(message):
    folder = Path("inbox")
    folder.mkdir(exist_ok=True)
    (folder / f"{time.time_ns()}.eml").write_text(f"Subject: drill\\n\\n{message}\\n")

if __name__ == "__main__":
    write(sys.argv[1])
"""
DRILL = {"probe": True, "notify": ["{python}", "notify.py", "{message}"], "sink": "inbox", "within_seconds": 30.0}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "dependencies.toml").write_text(MANIFEST)
    (tmp_path / "notify.py").write_text(NOTIFY)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    WEATHER.to_parquet(tmp_path / "weather.parquet")
    lock = f"numpy=={version('numpy')}\npandas=={version('pandas')} ; python_version >= '3.9'\n"
    (tmp_path / "requirements.txt").write_text(f"{lock}pywin32==308 ; sys_platform == 'win32'\n")
    agreed(tmp_path, "weather", "prices")
    return tmp_path


def rewritten(weather: pd.DataFrame, shop: Path) -> None:
    """Write the table at a later time: DuckDB remembers a file's columns by path and second."""
    file = shop / "weather.parquet"
    later = file.stat().st_mtime + 5
    weather.to_parquet(file)
    os.utime(file, (later, later))


def opened(shop: Path, **changes: Any) -> Dependencies:
    settings: dict[str, Any] = {"locks": ["requirements.txt"], "drill": DRILL, "system": "shop"}
    settings |= {"base": shop, "acknowledged": shop / "acknowledged.json"}
    return open_dependencies(shop / "dependencies.toml", **(settings | changes))


def agreed(shop: Path, *names: str, upcoming: str = "") -> None:
    at = NOW - timedelta(days=9)
    list(agree(opened(shop, drill=None), names, "Bea", at, upcoming, shop / "acknowledged.json", shop))


def judged(shop: Path, prove: bool = False, options: dict[str, Any] | None = None, **changes: Any) -> CheckResult:
    found = opened(shop, **changes)
    return run_check(
        "monitor.1", dependencies=found, clock=NOW, catalogue=CATALOGUE, prove=prove, options=options or {}
    )


def quick(shop: Path, **changes: Any) -> CheckResult:
    """Judge without a probe, which takes a process: then all but the probe decides."""
    result = judged(shop, drill=None, **changes)
    left = [one for one in result.findings if one.name != LOST]
    worst = {one.verdict for one in left if not one.advisory}
    state = next((one for one in ("failed", "inconclusive") if one in worst), "passed")
    return result.model_copy(update={"findings": left, "state": state})


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {one.name: one for one in result.findings if one.verdict == "failed" and not one.advisory}


def edit(shop: Path, file: str, old: str, new: str) -> None:
    text = (shop / file).read_text()
    assert old in text
    (shop / file).write_text(text.replace(old, new))


def test_a_sound_system_passes_and_every_fault_is_caught_with_one_probe(shop):
    result = judged(shop, prove=True)
    assert (result.state, result.reason) == ("passed", result.reason)
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 6
    (mail,) = (shop / "inbox").iterdir()
    assert "This is a probe: shop" in mail.read_text()


def test_without_the_input_it_is_not_offered():
    assert run_check("monitor.1", clock=NOW).state == "not_offered"


# --- contracts: O1a -------------------------------------------------------------------------------------------------


def test_a_renamed_and_a_new_column_are_named_until_somebody_agrees(shop):
    WEATHER.rename(columns={"temp": "temperature"}).assign(gusts=[1, 2]).pipe(rewritten, shop)
    found = failed(quick(shop))
    assert list(found) == [CHANGED]
    assert found[CHANGED].cause == "weather: 'temp' is gone, 'temperature' is new, 'gusts' is new"
    agreed(shop, "weather")
    assert quick(shop).state == "passed"


def test_a_change_that_was_announced_and_agreed_to_beforehand_is_healthy_before_and_after(shop):
    WEATHER.assign(gusts=[1, 2]).to_parquet(shop / "announced.parquet")
    agreed(shop, "weather", upcoming="announced.parquet")
    assert quick(shop).state == "passed"
    WEATHER.assign(gusts=[1, 2]).pipe(rewritten, shop)
    assert quick(shop).state == "passed"
    WEATHER.assign(gusts=["a", "b"]).pipe(rewritten, shop)
    assert failed(quick(shop))[CHANGED].cause == "weather: 'gusts' is text, not number"


@pytest.mark.parametrize(
    "change",
    [
        lambda weather: weather[["sky", "temp", "hour"]],
        lambda weather: weather.assign(temp=weather["temp"].round().astype(int)),
        lambda weather: weather.assign(sky=None),
        lambda weather: weather.assign(temp=weather["temp"] * 1000).head(1),
        lambda weather: weather.head(0),
    ],
    ids=["order", "whole numbers", "a column without values", "other rows", "no rows"],
)
def test_order_and_values_are_no_change_of_a_contract(shop, change):
    change(WEATHER).pipe(rewritten, shop)
    assert quick(shop).state == "passed"


def test_a_schema_is_compared_without_order_and_prose(shop):
    mild = {**PRICES, "required": ["currency", "price"], "title": "Prices, newly described"}
    (shop / "prices.json").write_text(json.dumps(dict(reversed(mild.items())), indent=2))
    assert quick(shop).state == "passed"
    (shop / "prices.json").write_text(json.dumps({**PRICES, "required": ["price"]}))
    assert "'required' is ['price'], not ['currency', 'price']" in failed(quick(shop))[CHANGED].cause


def test_a_table_that_vanished_fails_and_one_that_cannot_be_read_now_is_undecided(shop):
    (shop / "weather.parquet").unlink()
    assert "weather: it is gone: there is no file" in failed(quick(shop))[CHANGED].cause
    (shop / "weather.parquet").write_bytes(b"half a file")
    result = quick(shop)
    assert (result.state, failed(result)) == ("inconclusive", {})
    assert next(one for one in result.findings if one.where == "weather").note.startswith("it cannot be read")


def test_what_nobody_agreed_to_fails(shop):
    (shop / "acknowledged.json").unlink()
    assert failed(quick(shop))[NEVER].cause == "weather; prices"


# --- the manifest ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "name", "cause"),
    [
        ('owner = "Weather team"', 'owner = "TBD"', UNOWNED, "weather: owner"),
        ('channel = "#weather"', 'channel = ""', UNOWNED, "weather: channel"),
        ('name = "weather"', 'name = "wether"', UNLISTED, "weather (feature temp). Did you mean 'wether'?"),
        ('covers = ["price_*"]', "", UNLISTED, "price_list (feature price)"),
        ('without_contract = "Ada types it"', "", BARE, "desk"),
        ('name = "NumPy"', 'name = "polars"', UNPINNED, "polars"),
    ],
)
def test_what_the_manifest_lacks_is_named(shop, old, new, name, cause):
    edit(shop, "dependencies.toml", old, new)
    assert cause in failed(quick(shop))[name].cause


def test_a_package_may_be_pinned_in_another_environment_which_is_compared_with_nothing(shop):
    edit(shop, "dependencies.toml", 'name = "NumPy"', 'name = "polars"')
    (shop / "training.txt").write_text("polars==0.0.1\nnumpy==0.0.1\n")
    result = quick(shop, locks_elsewhere=["training.txt"])
    assert (result.state, failed(result)) == ("passed", {})


def test_a_feature_without_a_source_is_unlisted_and_raw_stores_are_sources(shop):
    catalogue = read_catalogue({"features": {"temp": {"source": "weather"}, "mood": {}}})
    found = opened(shop, raw_stores=["departures"], drill=None)
    result = run_check("monitor.1", dependencies=found, clock=NOW, catalogue=catalogue, prove=False)
    assert failed(result)[UNLISTED].cause.startswith("mood (feature mood)")
    assert "departures (a raw store)" in failed(result)[UNLISTED].cause


def test_without_catalogue_and_raw_stores_nothing_says_where_features_come_from(shop):
    result = run_check("monitor.1", dependencies=opened(shop, drill=None), clock=NOW, prove=False)
    assert next(one for one in result.findings if one.name == UNLISTED).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[dependency]]\nname = "a"\nkind = "tabel"', "dependency 1, kind, is 'tabel'"),
        ('[[dependency]]\nname = "a"\nkind = "api"\nowners = "x"', r"Did you mean 'owner'"),
        ("[[dependency", "is not valid TOML"),
        ("dependency = []", "lists no"),
        ('[[dependency]]\nname = "a"\nkind = "api"\n' * 2, "lists 'a' twice"),
        ('[[dependency]]\nname = "a"\nkind = "api"\ncontract = "a.json"', "there is no file 'a.json'"),
    ],
)
def test_a_bad_manifest_is_an_error_that_names_the_place(shop, text, said):
    (shop / "dependencies.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        opened(shop)


# --- packages: O1b --------------------------------------------------------------------------------------------------


def test_a_library_bumped_without_notice_fails_and_a_local_build_is_healthy(shop):
    edit(
        shop,
        "requirements.txt",
        f"numpy=={version('numpy')}",
        f"numpy=={version('numpy')}+cpu --hash=sha256:{'0' * 64}",
    )
    assert quick(shop).state == "passed"
    edit(shop, "requirements.txt", f"=={version('numpy')}+cpu", "==1.26.4")
    assert failed(quick(shop))[DIFFERING].cause == f"numpy {version('numpy')}, not 1.26.4"


def test_a_locked_package_that_is_missing_fails_unless_it_is_for_another_system(shop):
    edit(shop, "requirements.txt", "pywin32==308 ; sys_platform == 'win32'", "no-such-package==1.0")
    assert failed(quick(shop))[MISSING].cause == "no-such-package"


def test_without_a_lock_or_with_one_for_another_system_nothing_is_ruled_out(shop):
    assert quick(shop, locks=[]).state == "inconclusive"
    (shop / "requirements.txt").write_text(f"numpy=={version('numpy')} ; sys_platform == 'win32'")
    assert quick(shop).state == "inconclusive"


def test_vulnerabilities_count_only_where_they_are_offered_and_affect_what_is_installed(shop):
    audit = {"dependencies": [{"name": "numpy", "version": version("numpy"), "vulns": []}]}
    audit["dependencies"].append({"name": "Pandas", "version": version("pandas"), "vulns": [{"id": "PYSEC-1"}]})
    (shop / "audit.json").write_text(json.dumps(audit))
    offered = {"vulnerabilities": ["audit.json"], "vulnerabilities_at": NOW - timedelta(days=3)}
    assert failed(quick(shop, **offered))[VULNERABLE].cause == f"PYSEC-1 in pandas {version('pandas')}"
    accepted = {"accepted_vulnerabilities": ("pysec-1",)}
    assert quick(shop, **offered, options=accepted).state == "passed"
    old = {**offered, "vulnerabilities_at": NOW - timedelta(days=31)}
    assert list(failed(quick(shop, **old, options=accepted))) == [DATA_AGE]
    (shop / "audit.json").write_text(json.dumps(audit).replace(version("pandas"), "0.1"))
    result = quick(shop, **offered)
    assert (result.state, failed(result)) == ("inconclusive", {})


# --- the probe: O1c -------------------------------------------------------------------------------------------------


def test_a_notification_to_another_place_is_lost(shop):
    edit(shop, "notify.py", 'Path("inbox")', 'Path("outbox")')
    result = judged(shop, drill={**DRILL, "within_seconds": 1.0})
    assert failed(result)[LOST].cause.startswith("nothing with its mark is at ")


def test_a_command_that_fails_is_quoted(shop):
    edit(shop, "notify.py", "write(sys.argv[1])", "sys.exit('no route to host')")
    cause = failed(judged(shop))[LOST].cause
    assert "ended with status 1 and said: no route to host" in cause


def test_a_late_notification_within_the_promise_is_healthy_and_one_beyond_it_is_told_from_a_lost_one(shop):
    edit(shop, "notify.py", "write(sys.argv[1])", "time.sleep(3.2); write(sys.argv[1])")
    assert judged(shop, drill={**DRILL, "within_seconds": 20.0}).state == "passed"
    result = judged(shop, drill={**DRILL, "within_seconds": 3.0})
    assert list(failed(result)) == [SECONDS]


def test_a_queue_that_somebody_else_empties_later_is_healthy_and_what_hangs_is_stopped(shop):
    worker = "import subprocess; subprocess.Popen([sys.executable, 'later.py', sys.argv[1]])"
    edit(shop, "notify.py", "write(sys.argv[1])", worker)
    (shop / "later.py").write_text(
        "import sys, time, notify\ntime.sleep(1)\nnotify.write(sys.argv[1])\ntime.sleep(600)\n"
    )
    assert judged(shop).state == "passed"
    time.sleep(0.2)
    assert [one for one in psutil.process_iter(["cmdline"]) if "later.py" in (one.info["cmdline"] or ())] == []


@pytest.mark.parametrize(("remove", "left"), [(True, 0), (False, 1)])
def test_the_probe_is_left_or_removed_as_the_configuration_says(shop, remove, left):
    (shop / "inbox" / "old.eml").write_text("a message of somebody")
    assert judged(shop, prove=remove, drill={**DRILL, "remove": remove}).state == "passed"
    assert len(list((shop / "inbox").iterdir())) == 1 + left


def test_a_file_that_may_hold_messages_of_others_is_not_removed(shop):
    edit(shop, "notify.py", ".eml", ".jsonl")
    assert judged(shop, drill={**DRILL, "remove": True}).state == "passed"
    assert len(list((shop / "inbox").iterdir())) == 1


def test_nothing_is_sent_without_permission(shop):
    result = judged(shop, drill={**DRILL, "probe": False})
    assert (result.state, list((shop / "inbox").iterdir())) == ("inconclusive", [])


@pytest.mark.parametrize(
    ("drill", "said"),
    [
        ({"notify": ["true"]}, "notify does not say where the message goes"),
        ({"notify": "no function:"}, 'write "module:function"'),
        ({"sink": "webhook"}, "write {sink} in notify"),
        ({"sink": "sqlite:///alerts.db"}, "names no table"),
        ({"sink": "alerts.jsonl", "remove": True}, "a probe can be taken out of a folder"),
    ],
)
def test_a_drill_that_cannot_work_is_a_config_error(shop, drill, said):
    with pytest.raises(ConfigError, match=said):
        opened(shop, drill={**DRILL, **drill})


def test_old_notifications_that_nobody_acknowledged_are_pointed_out(shop):
    rows = "sent_at,acknowledged_at\n2027-01-01,2027-01-02T10:00:00Z\n2027-01-01,\n2027-02-27T00:00:00Z,\n"
    (shop / "notices.csv").write_text(rows)
    result = quick(shop, notices="notices.csv")
    (found,) = [one for one in result.findings if one.name.startswith("notifications")]
    assert (found.value, found.n, found.advisory, result.state) == (1, 3, True, "passed")
    (shop / "none.csv").write_text("sent_at,acknowledged_at\n")
    assert quick(shop, notices="none.csv").state == "passed"
    (shop / "other.csv").write_text("sent,acknowledged_at\n2027-01-01,\n")
    with pytest.raises(InputError, match="no column 'sent_at'"):
        opened(shop, notices="other.csv")
    (shop / "odd.csv").write_text("sent_at,acknowledged_at\nsoon,\n")
    with pytest.raises(InputError, match="holds 'soon', which is no time"):
        opened(shop, notices="odd.csv")
