"""Personal data and deleted subjects are found in the same columns on each database."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.deletions import Deletion
from mltestscore.privacy import planted
from mltestscore.privacy.scan import personal
from mltestscore.privacy.subjects import traces, wanted

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = pd.DataFrame(
    {
        "mail": planted.addresses(),
        "card": [int(card) for card in planted.cards()],
        "paid_with": [float(card) for card in planted.cards()],
        "user": range(20),
        "client": [float(number) for number in range(19)] + [None],
        "note": ["N344AA was late"] + ["on time"] * 19,
        "order": [f"4{number:015d}" for number in range(20)],
        "at": pd.Timestamp("2026-03-01"),
    }
)


def test_personal_data_are_found_in_the_same_columns(offered):
    data = open_dataset("training", offered({"people": PEOPLE})["people"])
    hits, columns = personal(data)
    assert {one.column for one in hits if one.shown(1e-4, 3)} == {"mail", "card", "paid_with"}
    assert columns == 7


def test_deleted_subjects_are_found_in_the_same_columns(offered):
    data = open_dataset("training", offered({"people": PEOPLE})["people"], Roles(time="at"))

    def found(returned: datetime | None) -> set[str]:
        values = {"tail": ("N344AA",), "user": ("7",), "client": ("7",)}
        groups = wanted([Deletion("N344AA", values, ASKED, returned_at=returned)])
        return {trace.column for group in groups for trace in traces(data, group)}

    assert found(None) == {"note", "user", "client"}
    assert found(datetime(2026, 4, 1, tzinfo=UTC)) == {"note", "user", "client"}
    assert found(datetime(2026, 2, 1, tzinfo=UTC)) == set()


def test_a_long_ledger_is_searched(offered):
    data = open_dataset("training", offered({"people": PEOPLE})["people"])
    many = [Deletion(f"user-{number:06d}", {"x": (f"user-{number:06d}",)}, ASKED) for number in range(3000)]
    many.append(Deletion("kim.tester7@posteo.de", {"x": ("kim.tester7@posteo.de",)}, datetime(2025, 1, 1, tzinfo=UTC)))
    assert [trace.column for group in wanted(many) for trace in traces(data, group)] == ["mail"]
