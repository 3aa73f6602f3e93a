"""The wrappers that break a training, in this process."""

import pandas as pd
import pytest

from mltestscore.inputs.training_faults import hash_ordered, unseeded

FRAME = pd.DataFrame({"key": range(100), "day": pd.Categorical(["Mon", "Tue"] * 50)})


@pytest.mark.parametrize("wrapper", [unseeded, hash_ordered])
def test_the_training_still_gets_sound_rows_in_their_order(wrapper):
    frame, _ = wrapper(lambda frame, seed: (frame, seed))(FRAME, 5)
    assert len(frame) == 80
    assert frame["key"].is_unique
    assert frame["key"].is_monotonic_increasing
    assert frame["day"].dtype == FRAME["day"].dtype
    assert list(frame.index) == list(range(80))


def test_a_lost_seed_draws_other_rows_and_another_seed_each_time():
    train = unseeded(lambda frame, seed: (tuple(frame["key"]), seed))
    (one, first), (two, second) = train(FRAME, 5), train(FRAME, 5)
    assert one != two
    assert len({first, second, 5}) == 3


def test_the_order_of_a_set_keeps_the_seed_and_repeats_within_a_process():
    train = hash_ordered(lambda frame, seed: (tuple(frame["key"]), seed))
    assert train(FRAME, 5) == train(FRAME, 5)
    assert train(FRAME, 5)[1] == 5
