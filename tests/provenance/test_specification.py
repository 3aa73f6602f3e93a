"""Settings read from files of every kind, never executed, and compared by what they mean."""

from __future__ import annotations

import hashlib
import math
import subprocess

import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.provenance.specification import differences, digests, known_as, same, settings

EXPECTED = {"depth": 6, "rate": 0.1, "names": ["a", "b"]}


@pytest.mark.parametrize(
    ("specification", "content"),
    [
        ("model.json", '{"rate": 0.10, "depth": 6, "names": ["a", "b"]}'),
        ("model.json:train.trees", '{"train": {"trees": {"rate": 0.1, "depth": 6, "names": ["a", "b"]}}}'),
        ("model.toml:train", '[train]\ndepth = 6\nrate = 0.1\nnames = ["a", "b"]\n'),
        ("params.yaml:train", "train:\n  depth: 6\n  rate: 0.1\n  names: [a, b]\n"),
        ("train.py:PARAMETERS", 'import os\nPARAMETERS = {"depth": 6, "rate": 1e-1, "names": ["a", "b"]}\n'),
        ("train.py:PARAMETERS", 'PARAMETERS: dict[str, object] = {"depth": 6, "rate": 0.1, "names": ("a", "b")}\n'),
    ],
)
def test_settings_are_read_from_files_of_every_kind(specification, content):
    assert differences(settings(specification, content.encode()), EXPECTED, ()) == []


@pytest.mark.parametrize(
    ("specification", "content", "error", "says"),
    [
        ("model.ini", "", ConfigError, "expected a file that ends in .json"),
        ("model.json:trian", '{"train": {}}', ConfigError, "Did you mean 'train'"),
        ("model.json", "[1, 2]", ConfigError, "holds a list, expected a table"),
        ("model.json", "{", InputError, "cannot be parsed"),
        ("model.toml", "=", InputError, "cannot be parsed"),
        ("model.yaml", "a: [", InputError, "cannot be parsed"),
        ("model.yaml", "!!python/object/apply:os.system ['touch owned']", InputError, "cannot be parsed"),
        ("train.py:PARAMETER", "PARAMETERS = {}\n", ConfigError, "Did you mean 'PARAMETERS'"),
        ("train.py:A", "A = dict(x=1)\n", InputError, "cannot be parsed"),
        ("train.py:A", "A = (\n", InputError, "cannot be parsed"),
        ("model.json", '{"a": ' * 100_000, InputError, "cannot be parsed"),
    ],
)
def test_what_holds_no_settings_is_refused_with_the_remedy(specification, content, error, says):
    with pytest.raises(error, match=says):
        settings(specification, content.encode())


@pytest.mark.parametrize(
    ("left", "right"),
    [(0.1, "0.10"), (6, 6.0), ("None", None), (True, "true"), ((1, 2), [1, "2"]), (math.nan, float("nan")), ("x", "x")],
)
def test_one_meaning_in_two_spellings_is_the_same(left, right):
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(
    ("left", "right"), [(1, True), ("1", "1.0"), (0.1, 0.1000001), ([1], [1, 2]), ("adam", "Adam"), (None, 0), ("[", 1)]
)
def test_two_meanings_are_different(left, right):
    assert not same(left, right)


def test_nested_additional_and_missing_settings_are_named_and_can_be_left_out():
    stored, reviewed = {"trees": {"depth": 8}, "seed": 3}, {"trees": {"depth": 6}, "rate": 0.1}
    found = [
        "trees.depth: stored 8, reviewed 6",
        "rate: stored nothing, reviewed 0.1",
        "seed: stored 3, reviewed nothing",
    ]
    assert differences(stored, reviewed, ()) == found
    assert differences(stored, reviewed, ("seed", "trees")) == [found[1]]


def test_digests_are_those_of_the_usual_tools(tmp_path):
    content = b'{"b": 1, "a": 2}\n'
    (tmp_path / "model.json").write_bytes(content)
    blob = subprocess.run(
        ["git", "hash-object", "model.json"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.strip()
    known = digests(content, {"b": 1, "a": 2})
    sorted_json = hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
    for digest in (blob, hashlib.sha256(content).hexdigest(), f"sha256:{sorted_json}", sorted_json[:12].upper()):
        assert known_as(digest, known)
    assert not any(known_as(digest, known) for digest in ("", blob[:11], "0" * 40))
