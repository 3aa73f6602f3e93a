"""Columns that hold personal data are told from those that only look so, whatever their size and type."""

from __future__ import annotations

import uuid

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.privacy import planted
from mltestscore.privacy.scan import Hits, personal

ALPHA, FEWEST = 1e-4, 3
RNG = np.random.default_rng(3)


def table(**columns) -> Dataset:
    return open_dataset("training", pd.DataFrame(columns))


def shown(dataset: Dataset) -> set[tuple[str, str]]:
    hits, _ = personal(dataset)
    return {(one.column, one.kind.name) for one in hits if one.shown(ALPHA, FEWEST)}


def doubted(dataset: Dataset) -> set[str]:
    hits, _ = personal(dataset)
    return {one.column for one in hits if not one.shown(ALPHA, FEWEST) and not one.explained()}


def test_addresses_in_one_remark_in_200_are_shown():
    remarks = ["all was well"] * 20_000
    for place, address in zip(range(0, 20_000, 200), planted.addresses() * 5, strict=True):
        remarks[place] = f"the client {address} called"
    assert shown(table(remarks=remarks)) == {("remarks", "e-mail addresses")}


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "string"])
def test_cards_are_shown_in_numbers_and_in_text(dtype):
    cards = pd.Series([int(one) for one in planted.cards()])
    assert shown(table(paid_with=cards.astype(dtype))) == {("paid_with", "card numbers")}


def test_what_is_inside_of_lists_and_structures_is_shown():
    people = [{"mail": address, "age": 5} for address in planted.addresses()]
    data = table(person=people, tags=[[address] for address in planted.addresses()])
    assert shown(data) == {("person", "e-mail addresses"), ("tags", "e-mail addresses")}


def test_addresses_of_clients_are_shown_and_builds_are_not():
    clients = [".".join(map(str, RNG.integers(1, 224, 4))) for _ in range(300)]
    builds = [".".join(str(RNG.integers(0, most)) for most in (120, 40, 300, 60)) for _ in range(3000)]
    assert shown(table(client=clients)) == {("client", "internet addresses")}
    assert (shown(table(build=builds)), doubted(table(build=builds))) == (set(), set())


def sixteen(count: int) -> list[str]:
    return [f"4{number:015d}" for number in RNG.integers(0, 10**15, count)]


@pytest.mark.parametrize("count", [3, 30, 300, 30_000])
def test_order_numbers_of_sixteen_digits_are_explained_by_chance(count):
    assert shown(table(order=sixteen(count))) == set()


@pytest.mark.parametrize(
    "values",
    [
        [f"{4_000_000_000_000_000 + number}" for number in range(5000)],
        list(range(4_000_000_000_000_000, 4_000_000_000_005_000)),
        [f"{4_000_000_000_000_000 + 10 * number}" for number in range(5000)],
        [uuid.UUID(int=int(number)).hex for number in RNG.integers(0, 2**63, 3000)],
        [str(uuid.UUID(int=int(number) << 60)) for number in RNG.integers(0, 2**63, 3000)],
        [f"v{major}.{minor}.{patch}.1" for major in range(9) for minor in range(9) for patch in range(9)],
        [f"{major}.{minor}.{patch}.{patch}" for major in range(99) for minor in range(9) for patch in range(9)],
        [f"10.{one}.{two}.200" for one in range(50) for two in range(100, 200)],
        [f"{number:+d}" for number in RNG.integers(10**9, 10**13, 5000)],
        [f"{number:.16f}" for number in RNG.random(5000)],
        [str(pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(number, "s")) for number in range(3000)],
        [1_700_000_000_000_000 + number for number in range(3000)],
        ["info@airline.com", "noreply@airline.com", "support@airline.com", "anna@example.org"] * 10,
        [None] * 20,
        ["x"] * 20,
        ["a" * 100_000] * 3,
    ],
    ids=[
        "counted",
        "counted numbers",
        "in tens",
        "hashes",
        "uuids",
        "versions",
        "bare versions",
        "private addresses",
        "signed numbers",
        "fractions",
        "times",
        "microseconds",
        "mailboxes of roles",
        "all missing",
        "constant",
        "long texts",
    ],
)
def test_healthy_columns_are_neither_accused_nor_suspected(values):
    data = table(column=values)
    assert (shown(data), doubted(data)) == (set(), set())


def test_one_address_is_suspected_but_not_shown():
    data = table(remarks=["fine"] * 99 + ["ask anna.kern@posteo.de"])
    assert (shown(data), doubted(data)) == (set(), {"remarks"})


def test_one_access_key_is_shown():
    data = table(settings=["mode = fast"] * 300 + ["key = AKIA" + "J5Q2RTWE7XK3MZ4P"])
    assert shown(data) == {("settings", "access keys")}


def test_repeating_one_number_adds_no_evidence():
    data = table(order=["4111111111111111"] * 5000)
    (hit,) = personal(data)[0]
    assert (hit.candidates, hit.valid) == (1, 1)
    assert shown(data) == set()


def test_numbers_alone_hold_no_columns_to_accuse():
    data = table(x=RNG.random(50), y=RNG.integers(0, 9, 50), flag=[True, False] * 25)
    assert personal(data) == ([], 2)


def test_false_alarms_stay_below_the_level():
    kind = next(hit.kind for hit in personal(table(order=["4111111111111111"]))[0])
    counts = RNG.binomial(300, kind.chance, 20_000)
    alarms = sum(Hits("t", "c", kind, 300, int(one), "").shown(0.001, FEWEST) for one in np.unique(counts)[-12:])
    worst = [int(one) for one in np.unique(counts) if Hits("t", "c", kind, 300, int(one), "").shown(0.001, FEWEST)]
    assert alarms <= len(worst)
    assert np.isin(counts, worst).mean() <= 0.001 + 4 * (0.001 / 20_000) ** 0.5
