"""Contracts of many forms: what changes one, what does not, and what is gone rather than not to be read."""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mltestscore.dependencies.acknowledged import Acknowledgement, read_acknowledged, write_acknowledged
from mltestscore.dependencies.contracts import Contract, GoneError, changes, read_contract
from mltestscore.errors import InputError

SCHEMA = {"type": "object", "properties": {"title": {"type": "string", "title": "T"}}, "required": ["title"]}


def written(folder: Path, name: str, text: str) -> Contract:
    (folder / name).write_text(text, encoding="utf-8")
    return read_contract(name, folder)


def test_a_property_named_as_an_annotation_is_a_field(tmp_path):
    found = written(tmp_path, "schema.json", json.dumps(SCHEMA))
    assert found.fields == {"type": "object", "properties.title.type": "string", "required": "['title']"}


def test_named_lists_have_no_order_and_others_have(tmp_path):
    one, other = {"name": "a", "type": "int"}, {"name": "b", "type": ["null", "string"]}
    avro = written(tmp_path, "one.avsc", json.dumps({"type": "record", "fields": [one, other]}))
    swapped = {"type": "record", "doc": "New words", "fields": [{**other, "type": ["string", "null"]}, one]}
    assert changes(avro, written(tmp_path, "two.avsc", json.dumps(swapped))) == []
    symbols = written(tmp_path, "three.avsc", json.dumps({"type": "enum", "symbols": ["A", "B"]}))
    assert changes(symbols, written(tmp_path, "four.avsc", json.dumps({"type": "enum", "symbols": ["B", "A"]})))


@pytest.mark.parametrize(
    ("name", "before", "mild", "harsh", "said"),
    [
        (
            "openapi.yaml",
            "openapi: 3.1.0\npaths:\n  /price:\n    get: {summary: Old, deprecated: false, responses: {}}\n",
            "paths:\n  /price:\n    get:\n      responses: {}\n      deprecated: false\nopenapi: 3.1.0",
            "openapi: 3.1.0\npaths:\n  /price:\n    get: {summary: Old, deprecated: true, responses: {}}\n",
            "deprecated' is True, not False",
        ),
        (
            "weather.sql",
            "CREATE TABLE weather (temp DOUBLE NOT NULL, hour TIMESTAMP);",
            "-- new words\nCREATE TABLE weather (\n  hour TIMESTAMP,\n  temp double not null\n);",
            "CREATE TABLE weather (temp REAL NOT NULL, hour TIMESTAMP);",
            "'temp' is FLOAT NOT NULL, not DOUBLE NOT NULL",
        ),
        (
            "price.proto",
            'syntax = "proto3";\nmessage Price {\n  double value = 1; // EUR\n}\n',
            'syntax = "proto3";\n/* prices */\nmessage Price {\n    double value = 1;\n}\n',
            'syntax = "proto3";\nmessage Price {\n  double value = 2;\n}\n',
            "'double value = 2;' is new",
        ),
        ("table.csv", "a,b\n1,x\n", "b,a\ny,2.5\nz,\n", "a,c\n1,x\n", "'b' is gone"),
        ("table.jsonl", '{"a": 1}\n', '{"a": null}\n', '{"a": "text"}\n', "'a' is text, not number"),
        ("weights.bin", "one", "one", "two", "'sha256' is"),
    ],
)
def test_form_is_compared_and_layout_is_not(tmp_path, name, before, mild, harsh, said):
    folders = [tmp_path / part for part in ("before", "mild", "harsh")]
    for folder in folders:
        folder.mkdir()
    agreed, same, other = (written(f, name, text) for f, text in zip(folders, (before, mild, harsh), strict=True))
    assert changes(agreed, same) == []
    assert said in ", ".join(changes(agreed, other))


def test_an_sqlite_table_keeps_its_declared_types_and_is_gone_when_dropped(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER NOT NULL, total REAL)")
    assert read_contract("sqlite:///shop.db#orders", tmp_path).fields == {"id": "INTEGER not null", "total": "REAL"}
    with pytest.raises(GoneError, match="Did you mean 'orders'"):
        read_contract("sqlite:///shop.db#order", tmp_path)
    with pytest.raises(GoneError, match="no file"):
        read_contract("sqlite:///other.db#orders", tmp_path)
    assert not (tmp_path / "other.db").exists()
    with pytest.raises(InputError, match="names no table"):
        read_contract("sqlite:///shop.db", tmp_path)


def test_a_table_of_a_real_database_is_known_by_its_types_and_gone_when_dropped(tmp_path, postgresql):
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE TABLE readings (temp double precision, seen timestamptz)")
        try:
            found = read_contract(f"{postgresql}#readings", tmp_path)
            assert found.fields["temp"] == "float64"
            assert found.fields["seen"].startswith("timestamp('UTC'")
        finally:
            connection.execute("DROP TABLE readings")
    with pytest.raises(GoneError, match="has no table 'readings'"):
        read_contract(f"{postgresql}#readings", tmp_path)


def test_a_function_may_return_columns_a_schema_data_or_where_they_are(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = "import pandas as pd\ndef columns(): return {'temp': 'double'}\n"
    code += "def data(): return pd.DataFrame({'temp': [1.5]})\ndef place(): return 'here.csv'\n"
    code += "def fails(): raise OSError('asleep')\n"
    (tmp_path / "contracts_of_a_team.py").write_text(code)
    (tmp_path / "here.csv").write_text("temp\n1\n")
    fields = [read_contract(f"contracts_of_a_team:{name}", tmp_path).fields for name in ("columns", "data", "place")]
    assert fields == [{"temp": "double"}, {"temp": "number"}, {"temp": "number"}]
    with pytest.raises(InputError, match="OSError: asleep"):
        read_contract("contracts_of_a_team:fails", tmp_path)


class _Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"/schema": 200, "/busy": 503}.get(self.path.partition("?")[0], 404)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(SCHEMA).encode())

    def log_message(self, *_):
        pass


def test_a_schema_is_fetched_gone_or_not_to_be_had_now(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert "properties.title.type" in read_contract(f"{url}/schema", tmp_path).fields
        with pytest.raises(GoneError, match="answers 404"):
            read_contract(f"{url}/old", tmp_path)
        with pytest.raises(InputError, match=r"busy\?\*\*\* answers 503") as caught:
            read_contract(f"{url}/busy?key=secret", tmp_path)
        assert not isinstance(caught.value, GoneError)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(InputError, match="cannot be fetched"):
        read_contract(f"{url}/schema", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "is not valid"),
        ("a.yaml", "a: [", "is not valid"),
        ("a.json", "[" * 100 + "1" + "]" * 100, "nested deeper"),
        ("a.json", json.dumps({str(n): n for n in range(20_001)}), "more than 20,000 fields"),
        ("a.parquet", "no table", "cannot read"),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path, name, text, said):
    with pytest.raises(InputError, match=said):
        written(tmp_path, name, text)


def test_an_alias_bomb_ends(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(InputError, match="more than 20,000 fields"):
        written(tmp_path, "bomb.yaml", "\n".join(lines))


def test_types_of_data_are_families(tmp_path):
    frame = pd.DataFrame(
        {
            "flag": [True, None],
            "day": pd.to_datetime(["2027-01-01", None]),
            "at": pd.to_datetime(["2027-01-01", None], utc=True),
            "kind": pd.Categorical(["a", "b"]),
            "empty": [None, None],
        }
    )
    frame.to_parquet(tmp_path / "data.parquet")
    found = read_contract("data.parquet", tmp_path).fields
    assert found == {"flag": "boolean", "day": "time", "at": "time with zone", "kind": "text", "empty": "unknown"}


def test_the_record_of_agreements_keeps_what_it_was_told_and_notices_a_hand(tmp_path):
    file = tmp_path / "acknowledged.json"
    held = {"weather": (Acknowledgement(Contract({"temp": "number"}), datetime(2027, 1, 1, tzinfo=UTC), "Bea"),)}
    write_acknowledged(file, held)
    assert read_acknowledged(file) == held
    file.write_text(file.read_text().replace('"number"', '"text"'))
    with pytest.raises(InputError, match="the fields of 'weather' are not those of its digest"):
        read_acknowledged(file)
    file.write_text('{"weather": [{"digest": 3}]}')
    with pytest.raises(InputError, match=r"weather\.0\.digest"):
        read_acknowledged(file)
