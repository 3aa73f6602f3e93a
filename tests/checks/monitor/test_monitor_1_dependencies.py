"""``monitor.1`` on a small shop: contracts, the manifest, packages and what is known of their vulnerabilities."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.catalogue import read_catalogue
from mltestscore.testing import run_check
from tests.dependencies.shop import (
    BARE,
    CHANGED,
    DATA_AGE,
    DIFFERING,
    MISSING,
    NEVER,
    NOW,
    PRICES,
    UNLISTED,
    UNOWNED,
    UNPINNED,
    VULNERABLE,
    WEATHER,
    agreed,
    edit,
    failed,
    judged,
    opened,
    quick,
    rewritten,
    written,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return written(tmp_path)


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
