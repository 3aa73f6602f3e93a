"""Seeds come from digests: stable across processes, different for different texts."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.stats.seeds import generator, seed_of


def test_the_seed_is_the_head_of_a_sha256_digest():
    digest = hashlib.sha256((2).to_bytes(8, "big") + b"ab").digest()
    assert seed_of("ab") == int.from_bytes(digest[:8], "big")


@settings(deadline=None)
@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_texts_give_another_seed(one, other):
    assert (seed_of(*one) == seed_of(*other)) == (one == other)


def test_a_generator_repeats_itself():
    assert list(generator("a", "b").integers(0, 100, 5)) == list(generator("a", "b").integers(0, 100, 5))
