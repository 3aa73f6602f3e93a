"""Stores of every kind become tables, each subject in them can be found, and passwords are not shown."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import offered, stores
from mltestscore.inputs.deletions import Deletion
from mltestscore.inputs.stores import Store, Stores, open_store
from mltestscore.privacy.subjects import traces, wanted

VALUE = "N344AA"
GONE = wanted([Deletion(VALUE, {"tail": (VALUE,)}, datetime(2026, 1, 1, tzinfo=UTC))])[0]


def database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute('CREATE TABLE "odd ""name" (tail, mixed)')
        connection.executemany('INSERT INTO "odd ""name" VALUES (?, ?)', [(VALUE, 5), ("N1", "text"), (None, b"\xff")])
        connection.execute("CREATE TABLE empty (tail TEXT)")
        connection.commit()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a store of every kind."""
    frame = pd.DataFrame({"tail": [VALUE, "N1"], "at": pd.to_datetime(["2026-01-01", "2026-02-01"])})
    deep = tmp_path / "lake" / "deep"
    deep.mkdir(parents=True)
    frame.to_parquet(deep / "a.parquet")
    frame.to_csv(deep / "b.csv", index=False)
    frame.to_json(deep / "c.jsonl", orient="records", lines=True, date_format="iso")
    (deep / "d.jsonl.1").write_text(json.dumps({"tail": VALUE}) + "\n" + '{"cut off', encoding="utf-8")
    (deep / "e.json").write_text(json.dumps({"lineage": {"rows": [VALUE]}}), encoding="utf-8")
    (deep / "f.parquet").write_bytes(b"PAR1 broken " + VALUE.encode())
    (deep / "g.txt").write_text(f"by {VALUE}", encoding="utf-8")
    (deep / "empty.csv").touch()
    database(deep / "h.db")
    return tmp_path


def holding(store: Store) -> set[str]:
    return {name for name, table in store.tables.items() if traces(table, GONE, store.columns)}


def test_a_folder_is_searched_with_all_that_is_below_it(folder):
    store = open_store("lake", "lake", base=folder)
    files = {f"lake/deep/{name}" for name in ("a.parquet", "b.csv", "c.jsonl", "d.jsonl.1", "e.json", "f.parquet")}
    assert holding(store) == files | {"lake/deep/g.txt", 'lake/deep/h.db: odd "name'}
    assert store.unread == ()
    assert store.tables["lake/deep/h.db: empty"].rows == 0


@pytest.mark.parametrize("source", ["lake/deep/a.parquet", "lake/*/a.parquet", ["lake/deep/a.parquet"]])
def test_files_are_named_by_path_glob_or_list(folder, source):
    store = open_store("snapshot", source, base=folder, time="at")
    assert holding(store) == {"lake/deep/a.parquet"}
    assert store.tables["lake/deep/a.parquet"].roles.time == "at"
    assert store.access.kind == "files"


def test_an_sqlite_url_is_a_file(folder):
    store = open_store("online", f"sqlite:///{folder}/lake/deep/h.db", access=["etl"])
    assert holding(store) == {f'{folder}/lake/deep/h.db: odd "name'}
    assert store.access.readers == {"etl"}
    inside = open_store("online", "sqlite:///lake/deep/h.db", base=folder)
    assert holding(inside) == {'lake/deep/h.db: odd "name'}
    with pytest.raises(InputError, match=r"store x: nothing is at 'none\.db'"):
        open_store("x", "sqlite:///none.db", base=folder)


@pytest.fixture(scope="module")
def crew(postgresql: str) -> str:
    """The URL of a database with tables in two schemas, of odd types and names, and one that nobody may read."""
    import psycopg

    statements = (
        "CREATE TABLE flown (tail text, at timestamp, seats int[], rank money)",
        f"INSERT INTO flown VALUES ('{VALUE}', '2026-01-01', '{{1,2}}', 5), (NULL, NULL, NULL, NULL)",
        "CREATE TABLE nobody (tail text)",
        "CREATE SCHEMA desk",
        "CREATE TYPE desk.mood AS ENUM ('N344AA', 'fine')",
        'CREATE TABLE desk."odd ""name" (mood desk.mood, note jsonb, client int)',
        """INSERT INTO desk."odd ""name" VALUES ('fine', '{"of": ["N344AA"]}', 7)""",
        "CREATE TABLE desk.moods (mood desk.mood)",
        "INSERT INTO desk.moods VALUES ('N344AA')",
        "CREATE USER guest PASSWORD 's3same'",
        "CREATE SCHEMA shut",
        "CREATE TABLE shut.away (tail text)",
        "GRANT USAGE ON SCHEMA shut TO guest",
    )
    with psycopg.connect(postgresql, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
    return postgresql


def test_a_database_is_searched_where_it_is_by_the_same_url_as_a_dataset(crew):
    store = open_store("online", crew, time="at")
    assert {"flown", "nobody"} <= set(store.tables)
    assert holding(store) == {"flown"}
    assert (store.tables["flown"].roles.time, store.tables["nobody"].rows) == ("at", 0)
    desk = open_store("online", f"{crew}#desk.*")
    assert set(desk.tables) == {'odd "name', "moods"}
    assert holding(desk) == {'odd "name', "moods"}
    assert set(open_store("online", f"{crew}#desk.moods").tables) == {"moods"}
    assert Stores((desk,)).sample(1).digest


def test_what_a_database_does_not_hold_or_show_is_said_without_the_password(crew):
    assert "sesame" not in Stores((open_store("online", crew),)).source
    guest = crew.replace("postgres:sesame", "guest:s3same")
    for url, said in (
        (f"{crew}#desk.mods", r"has no table 'desk.mods'. Did you mean 'moods'\?"),
        (f"{crew}#nowhere.*", "holds no tables; name the schema"),
        (f"{guest}#shut.away", "the table 'away' cannot be read: .*permission denied"),
        ("postgresql+psycopg://me:s3same@127.0.0.1/db", "write postgresql://, without a driver"),
        ("postgresql://me:s3same@127.0.0.1:9/db", "cannot be reached"),
        ("s3://bucket/rows.parquet", "s3 is no database; fetch the file first"),
    ):
        with pytest.raises(InputError, match=f"store x: .*{said}") as raised:
            open_store("x", url)
        assert "same" not in str(raised.value)


def test_a_function_may_give_a_store(folder):
    code = "import pandas\ndef users():\n    return pandas.DataFrame({'tail': ['N344AA']})\n"
    (folder / "a_store_of_users.py").write_text(code, encoding="utf-8")
    assert holding(open_store("users", "a_store_of_users:users", base=folder)) == {"a_store_of_users:users"}


@pytest.mark.parametrize("source", ["nothing.parquet", "nothing/*.csv", []])
def test_nothing_there_is_a_clear_error(folder, source):
    with pytest.raises(InputError, match=r"store lake: (nothing is at|the list of sources is empty)"):
        open_store("lake", source, base=folder)


def test_a_broken_database_is_a_clear_error(folder):
    (folder / "broken.db").write_bytes(stores.SQLITE + b"nonsense" * 100)
    with pytest.raises(InputError, match=r"store b: broken\.db cannot be read as SQLite"):
        open_store("b", "broken.db", base=folder)


def test_what_is_not_read_in_full_is_said(folder, monkeypatch):
    monkeypatch.setattr(stores, "MAX_ROWS", 2)
    assert open_store("h", "lake/deep/h.db", base=folder).unread == ('lake/deep/h.db: odd "name: more than 2 rows',)
    monkeypatch.setattr(stores, "MAX_FILES", 1)
    assert open_store("lake", "lake", base=folder).unread == ("8 of 9 files at lake",)


def test_a_sample_is_a_copy_of_bounded_tables_and_digests_tell_contents_apart(folder):
    one = Stores((open_store("snapshot", "lake/deep/a.parquet", base=folder),))
    sample = one.sample(1)
    assert [table.rows for store in sample for table in store.tables.values()] == [1]
    assert sample.digest != one.digest
    again = Stores((open_store("snapshot", "lake/deep/a.parquet", base=folder),))
    assert again.digest == one.digest
    pd.DataFrame({"tail": ["N1"]}).to_parquet(folder / "lake/deep/a.parquet")
    assert Stores((open_store("snapshot", "lake/deep/a.parquet", base=folder),)).digest != one.digest


def test_the_configuration_offers_stores_and_deletions(folder):
    (folder / "gone.jsonl").write_text('{"tail": "N344AA", "requested_at": "2026-01-01"}\n', encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.mltestscore.stores.lake]\nsource = "lake"\nraw = true\ncolumns = {aircraft = "tail"}\n'
        '[tool.mltestscore.stores.copy]\nsource = "lake/deep/a.parquet"\nderived_from = ["lake"]\n'
        '[tool.mltestscore.deletions]\nsource = "gone.jsonl"\nidentifiers = ["tail"]\n',
        encoding="utf-8",
    )
    config = read_config(folder / "pyproject.toml")
    lake, copy = offered.stores(config)
    assert (lake.raw, lake.columns, copy.derived_from) == (True, {"aircraft": "tail"}, ("lake",))
    assert offered.deletions(config).entries[0].subject == VALUE


def test_what_is_not_offered_says_how_to_offer_it(folder):
    (folder / "pyproject.toml").write_text("[tool.mltestscore]\n", encoding="utf-8")
    config = read_config(folder / "pyproject.toml")
    with pytest.raises(NotOffered, match=r"\[tool\.mltestscore\.stores\.NAME\]"):
        offered.stores(config)
    with pytest.raises(NotOffered, match=r"\[tool\.mltestscore\.deletions\]"):
        offered.deletions(config)


def test_a_store_derived_from_none_that_is_declared_is_a_clear_error(folder):
    (folder / "pyproject.toml").write_text(
        '[tool.mltestscore.stores.lake]\nsource = "lake"\n'
        '[tool.mltestscore.stores.copy]\nsource = "lake"\nderived_from = ["lakes"]\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"names no store: 'lakes'\. Did you mean 'lake'"):
        offered.stores(read_config(folder / "pyproject.toml"))
