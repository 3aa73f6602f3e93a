"""UBJSON is whole, or it is not."""

from __future__ import annotations

import pytest
import xgboost

from mltestscore.inputs.models.ubjson import is_whole
from tests.inputs.models.cases import FEATURES, TRAINING


@pytest.mark.parametrize(
    "value",
    [
        b"Z",
        b"T",
        b"i\x05",
        b"Si\x02ab",
        b"[i\x01d\0\0\0\0]",
        b"[#i\x02TF",
        b"[$d#i\x02" + bytes(8),
        b"{i\x01aT}",
        b"{#i\x01i\x01a[]",
        b"{$U#i\x01i\x01a\x07",
    ],
)
def test_values_are_whole_and_their_parts_are_not(value):
    assert is_whole(value)
    assert not is_whole(value + b"Z")
    assert not any(is_whole(value[:end]) for end in range(len(value)))


def test_every_part_of_a_model_is_found_to_be_one():
    rows = xgboost.DMatrix(TRAINING[FEATURES], label=TRAINING["late"])
    whole = bytes(xgboost.train({"max_depth": 3, "nthread": 1}, rows, 2).save_raw("ubj"))
    assert is_whole(whole)
    assert not any(is_whole(whole[:end]) for end in range(0, len(whole), 7))


@pytest.mark.parametrize("value", [b"", b"letter", b"[" * 1000, b"[$Z#L" + b"\xff" * 8 + b"Z", b"SL" + b"\xff" * 8])
def test_what_is_no_value_is_none(value):
    assert not is_whole(value)
