"""A table of a database is named by URL; what is wrong is said without the password."""

from __future__ import annotations

import socket

import pandas as pd
import pytest
import sqlalchemy

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Roles, open_dataset


@pytest.fixture(scope="module")
def shop(postgresql: str) -> str:
    """The URL of a database with the table ``warehouse.orders``."""
    engine = sqlalchemy.create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    frame = pd.DataFrame({"id": [1, 2, 3], "price": [1.5, float("nan"), 2.5], "colour": ["red", None, "blue"]})
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA warehouse")
        frame.to_sql("orders", connection, schema="warehouse", index=False)
    engine.dispose()
    return postgresql


def test_rows_roles_samples_and_digest_come_from_the_database(shop):
    orders = open_dataset("training", f"{shop}#warehouse.orders", Roles(key=("id",)))
    assert (orders.rows, orders.features) == (3, ("price", "colour"))
    assert orders.frame(["colour"])["colour"].tolist()[0] == "red"
    assert len(orders.sample(2).frame()) == 2
    assert orders.digest == open_dataset("training", f"{shop}#warehouse.orders").digest


def test_nan_is_a_missing_value_there_too(shop):
    table = open_dataset("training", f"{shop}#warehouse.orders").table
    assert table.price.count().to_pyarrow().as_py() == 2


def test_the_source_is_shown_without_its_password(shop):
    orders = open_dataset("training", f"{shop}#warehouse.orders")
    assert "sesame" not in orders.source
    assert orders.source.endswith("#warehouse.orders")


def test_a_table_that_is_not_there_gets_a_near_name(shop):
    with pytest.raises(InputError, match=r"has no table 'warehouse.order'. Did you mean 'orders'\?"):
        open_dataset("training", f"{shop}#warehouse.order")


def test_a_url_without_a_table_says_how_to_name_one(shop):
    with pytest.raises(InputError, match=r"names no table; expected .*#schema.table"):
        open_dataset("training", shop)


def test_a_server_that_does_not_listen_is_told_without_the_password():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(InputError, match="cannot be reached") as refused:
        open_dataset("training", f"postgresql://ada:s3same@127.0.0.1:{port}/shop#orders")
    assert "s3same" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://bucket/rows.parquet", "s3 is no database; fetch the file first"),
        ("frob://host/shop#orders", "cannot be reached"),
        ("mysql://ada:s3same@host/shop#orders", "its driver is not installed; pip install 'ibis-framework"),
        ("postgresql://ada:s3same@[::1/shop#orders", "the URL of its database cannot be read"),
    ],
)
def test_what_is_no_database_of_ours_says_what_to_do(url, said):
    with pytest.raises(InputError) as refused:
        open_dataset("training", url)
    assert said in str(refused.value)
    assert "s3same" not in str(refused.value)
