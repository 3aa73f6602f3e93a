"""Registries in real folders."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.registry import Registry, open_registry

TRAINED = "2026-10-01T12:00:00+00:00"


@pytest.fixture
def folder(tmp_path):
    """A registry with the versions 1 and 2, of which 2 is current."""
    home = tmp_path / "registry"
    home.mkdir()
    (home / "current").write_text("2\n")
    write(home, "1", trained_at="2026-09-01T12:00:00+00:00")
    write(home, "2", trained_at=TRAINED)
    return home


def write(home, version, /, **lineage):
    (home / version).mkdir(exist_ok=True)
    (home / version / "lineage.json").write_text(json.dumps(lineage))


def test_the_current_version_and_the_one_before_are_read(folder):
    registry = open_registry(folder)
    assert (registry.current.version, registry.previous.version) == ("2", "1")
    assert [one.version for one in registry.versions] == ["1", "2"]
    assert registry.source == str(folder)


def test_all_keys_are_read_and_times_are_held_in_utc(folder):
    write(
        folder,
        "2",
        version="2",
        trained_at="2026-10-01T14:00:00+02:00",
        data_from="2026-01-01T00:00:00Z",
        data_until=None,
        tables={"weather": "2026-09-30T00:00:00Z"},
        parameters={"depth": 3},
        metrics={"auc": 1},
        weights_digest="ab",
        unchanged_note="",
    )
    current = open_registry(folder).current
    assert current.trained_at == datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert current.trained_at.utcoffset() == timedelta(0)
    assert (current.data_from, current.data_until) == (datetime(2026, 1, 1, tzinfo=UTC), None)
    assert current.tables == {"weather": datetime(2026, 9, 30, tzinfo=UTC)}
    assert (current.parameters, current.metrics, current.weights_digest) == ({"depth": 3}, {"auc": 1.0}, "ab")


def test_the_first_version_has_no_previous(folder):
    (folder / "current").write_text("1")
    assert open_registry(folder).previous is None


def test_the_digest_follows_the_content(folder):
    before = open_registry(folder).digest
    assert open_registry(folder).digest == before
    write(folder, "1", trained_at="2026-09-02T12:00:00+00:00")
    assert open_registry(folder).digest != before


def test_a_changed_copy_changes_the_current_version_alone(folder):
    registry = open_registry(folder)
    changed = registry.replace(trained_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert isinstance(changed, Registry)
    assert changed.current.trained_at.year == 2020
    assert changed.current in changed.versions
    assert len(changed.versions) == 2
    assert registry.current.trained_at.year == 2026
    assert changed.digest == ""


def test_a_version_can_be_added(folder):
    registry = open_registry(folder)
    more = registry.with_version(registry.replace(version="1b", trained_at=datetime(2026, 9, 15, tzinfo=UTC)).current)
    assert (more.previous.version, len(more.versions)) == ("1b", 3)


@pytest.mark.parametrize(
    ("lineage", "message"),
    [
        ({"trained_at": "2026-10-01T12:00:00"}, "trained_at is '2026-10-01T12:00:00', which has no time zone; write"),
        ({"trained_at": "last week"}, "trained_at is 'last week', which is no time"),
        ({"trained_at": 1790000000}, "trained_at is 1790000000, which is no time"),
        ({"trained_at": "0001-01-01T00:00:00+14:00"}, "which is no time"),
        ({"trained_at": None}, "trained_at is None, which is no time"),
        ({}, "the key 'trained_at' is missing"),
        ({"trained": TRAINED}, "'trained' is not a known key. Did you mean 'trained_at'"),
        ({"trained_at": TRAINED, "tables": {"weather": "2026-09-30"}}, "tables.weather is .* no time zone"),
        ({"trained_at": TRAINED, "tables": []}, r"tables is \[\]; expected an object"),
        ({"trained_at": TRAINED, "metrics": {"auc": "high"}}, "metrics.auc is 'high'; expected a number"),
        ({"trained_at": TRAINED, "data_digest": 7}, "data_digest is 7; expected a text"),
        ({"trained_at": TRAINED, "version": "3"}, "version is '3', but its folder is '2'"),
        ({"trained_at": TRAINED, "costs": {"cpu_second": 3}}, "'cpu_second' is not a known key. Did you mean"),
        ({"trained_at": TRAINED, "costs": {"peak_mb": 0}}, "costs.peak_mb is 0.0; expected a number above 0"),
        ({"trained_at": TRAINED, "costs": {"seconds": float("nan")}}, "costs.seconds is nan; expected a number"),
        ([], "holds a list; expected an object"),
    ],
)
def test_a_wrong_lineage_names_file_and_key(folder, lineage, message):
    (folder / "2" / "lineage.json").write_text(json.dumps(lineage))
    with pytest.raises(InputError, match=rf"2/lineage\.json.*{message}"):
        open_registry(folder)


def test_broken_json_names_the_line(folder):
    (folder / "2" / "lineage.json").write_text('{\n"trained_at": oops}')
    with pytest.raises(InputError, match=r"is not valid JSON: .*line 2"):
        open_registry(folder)


def test_a_missing_pointer_is_named(folder):
    (folder / "current").unlink()
    with pytest.raises(InputError, match="current is missing; write the version in service into it, such as '2'"):
        open_registry(folder)


@pytest.mark.parametrize("name", ["../secret", "22", ""])
def test_a_pointer_to_no_version_is_refused(folder, name):
    (folder / "current").write_text(name)
    with pytest.raises(InputError, match=r"current names the version .*, which has no lineage\.json"):
        open_registry(folder)


def test_a_missing_folder_suggests_the_near_name(folder):
    with pytest.raises(InputError, match=r"there is no folder .*registri. Did you mean 'registry'"):
        open_registry(folder.parent / "registri")


def test_an_empty_registry_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no version"):
        open_registry(tmp_path)


def test_a_pointer_that_is_no_text_is_refused(folder):
    (folder / "current").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="current cannot be read"):
        open_registry(folder)
