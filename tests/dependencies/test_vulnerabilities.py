"""Known vulnerabilities: only of installed, affected versions; from pip-audit and OSV, each told once."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mltestscore.dependencies.environment import Environment
from mltestscore.dependencies.vulnerabilities import Vulnerability, read_vulnerabilities
from mltestscore.errors import InputError

RANGE = ((("introduced", "1.0"), ("fixed", "1.4.2"), ("introduced", "2.0"), ("last_affected", "2.1")),)
OSV = {
    "id": "PYSEC-2027-1",
    "aliases": ["CVE-2027-1"],
    "modified": "2027-01-05T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Ruamel_Yaml"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.18"}]}],
            "versions": ["0.17"],
        },
        {"package": {"ecosystem": "npm", "name": "numpy"}, "versions": ["2.1.0"]},
    ],
}
AUDIT = {
    "dependencies": [
        {"name": "ruamel.yaml", "version": "0.17", "vulns": [{"id": "GHSA-1", "aliases": ["CVE-2027-1"]}]},
        {"name": "numpy", "version": "2.1.0", "vulns": []},
        {"name": "own", "skip_reason": "not on PyPI"},
    ]
}


def here(**packages: str) -> Environment:
    return Environment("here", {name.replace("_", "-"): version for name, version in packages.items()}, {}, {})


def written(folder: Path, **files: object) -> list[str]:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return [f"{name}.json" for name in files]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("0.9", False),
        ("1.0", True),
        ("1.4.1+cpu", True),
        ("1.4.2", False),
        ("2.0", True),
        ("2.1", True),
        ("2.1.1", False),
    ],
)
def test_a_range_of_osv_is_read_as_its_schema_says(version, affected):
    assert Vulnerability("X", (), "x", ranges=RANGE).affects(version) is affected


def test_one_vulnerability_of_two_sources_counts_once_and_is_accepted_by_any_name(tmp_path):
    audit = read_vulnerabilities(written(tmp_path, osv=OSV, audit=AUDIT), tmp_path, None)
    assert audit is not None
    affected = here(ruamel_yaml="0.17", numpy="2.1.0")
    assert [one.id for _, _, one in audit.found(affected, ())] == ["PYSEC-2027-1"]
    assert audit.found(affected, ("cve-2027-1",)) == []
    assert audit.found(here(ruamel_yaml="0.18", numpy="2.1.0"), ()) == []
    assert audit.found(here(numpy="2.1.0"), ()) == []


def test_what_pip_audit_did_not_look_at_is_named_and_osv_speaks_of_all_versions(tmp_path):
    audit = read_vulnerabilities(written(tmp_path, audit=AUDIT), tmp_path, None)
    assert audit is not None
    installed = here(ruamel_yaml="0.18", numpy="2.1.0", pip="24")
    assert audit.unaudited(installed, ["numpy"]) == ["ruamel-yaml 0.18, audited at 0.17"]
    assert audit.unaudited(installed, ["pip"])[0] == "pip 24, audited at no version"
    both = read_vulnerabilities(written(tmp_path, audit=AUDIT, osv=OSV), tmp_path, None)
    assert both is not None
    assert both.unaudited(installed, ["pip"]) == []


def test_what_was_withdrawn_does_not_count(tmp_path):
    audit = read_vulnerabilities(written(tmp_path, osv={**OSV, "withdrawn": "2027-01-06T00:00:00Z"}), tmp_path, None)
    assert audit is not None
    assert audit.known == ()


def test_the_age_is_declared_or_the_files(tmp_path):
    names = written(tmp_path, audit=AUDIT)
    os.utime(tmp_path / "audit.json", (1_800_000_000, 1_800_000_000))
    found = read_vulnerabilities(names, tmp_path, None)
    assert found is not None
    assert found.as_of[0] == datetime.fromtimestamp(1_800_000_000, UTC)
    declared = read_vulnerabilities(names, tmp_path, datetime(2027, 1, 1, tzinfo=UTC))
    assert declared is not None
    assert declared.as_of == (datetime(2027, 1, 1, tzinfo=UTC), "declared")


def test_nothing_offered_is_nothing_claimed_and_other_forms_are_errors(tmp_path):
    assert read_vulnerabilities([], tmp_path, None) is None
    for name, content in {"a": {"x": 1}, "b": 3, "c": {"dependencies": 3}, "d": {"affected": {}}}.items():
        with pytest.raises(InputError, match="not of a known form"):
            read_vulnerabilities(written(tmp_path, **{name: content}), tmp_path, None)
    with pytest.raises(InputError, match=r"Did you mean 'a\.json'"):
        read_vulnerabilities(["a.jsn"], tmp_path, None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no JSON file"):
        read_vulnerabilities(["empty"], tmp_path, None)
