from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nas.data import Photo
from nas.data.degradations import load_chain
from nas.data.split import apart, draw, least_side_px


def made(count: int) -> tuple[Photo, ...]:
    return tuple(Photo(str(n), np.full((4, 4, 3), n, np.uint8)) for n in range(count))


def test_what_is_drawn_is_pinned() -> None:
    # Searches that go on, and trainings after them, find the same photos again.
    order, count = draw([96] * 30, 4)
    assert sorted(order[:count]) == [2, 11, 26]
    assert sorted(order) == list(range(30))


@pytest.mark.parametrize(("photos", "held_out"), [(2, 1), (14, 1), (16, 2), (250, 20)])
def test_a_tenth_judges_and_at_most_twenty(photos: int, held_out: int) -> None:
    assert draw([48] * photos, 2)[1] == held_out


def test_small_photos_judge_only_where_there_are_no_others() -> None:
    order, _ = draw([95, 96, 40, 200, 96], 4)
    assert sorted(order) == [1, 3, 4]
    order, _ = draw([95, 96, 20, 19], 4)
    assert sorted(order) == [0, 1, 2]


def test_equal_pixels_under_another_name_are_not_trained_on() -> None:
    train = made(3)
    twin = Photo("twin", train[1].pixels.copy())
    fresh, fingerprint = apart(2, train, {"validation": (twin,)})
    assert fresh == (train[0], train[2])
    assert fingerprint == apart(2, fresh, {"validation": (twin,)})[1]
    assert fingerprint != apart(3, train, {"validation": (twin,)})[1]


def test_what_a_chain_does_is_part_of_the_fingerprint() -> None:
    train = made(2)
    found = {
        apart(2, tuple(replace(one, degradation=chain) for one in train), {})[1]
        for chain in (None, load_chain("jpeg"), load_chain("real_esrgan"))
    }
    assert len(found) == 3


def test_own_lr_is_part_of_the_fingerprint_and_not_of_who_is_left_out() -> None:
    one, two, three = made(3)
    other = np.ones((2, 2, 3), np.uint8)
    paired = replace(one, lr=np.zeros((2, 2, 3), np.uint8))
    fresh, fingerprint = apart(2, (paired, two), {"validation": (three,)})
    assert fresh == (paired, two)
    others = [
        apart(2, train, {"validation": judging})[1]
        for train, judging in [
            ((one, two), (three,)),
            ((replace(one, lr=other), two), (three,)),
            ((one, replace(two, lr=paired.lr)), (three,)),
            ((paired, two), (replace(three, lr=other),)),
        ]
    ]
    assert len({fingerprint, *others}) == 5
    # Trained on the HR of what judges, a network would know the answer.
    assert apart(2, (paired, two), {"validation": (replace(one, lr=other),)})[0] == (two,)


@pytest.mark.parametrize(("scale", "least_px"), [(2, 16), (3, 18), (4, 20)])
def test_a_shaved_photo_holds_a_window(scale: int, least_px: int) -> None:
    assert least_side_px(scale) == least_px
    assert least_px % scale == 0
    assert least_px - 2 * scale >= 11
