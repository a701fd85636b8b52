"""Photos that are there a second time, shrunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nas.data.degradations import load_chain
from nas.data.patches import Patches
from nas.data.photo import Photo
from nas.data.shrunk import share_of_area, with_shrunk
from nas.training.recipe import Recipe
from search_spaces import InputError


def waves(height: int, width: int, name: str = "a.png") -> Photo:
    """Detail that shrinking halves the length of, between 28 and 228."""
    across = np.sin(np.arange(width) * np.pi / 16)
    one = np.tile((128 + 100 * across).astype(np.uint8)[None, :, None], (height, 1, 3))
    return Photo(name, np.ascontiguousarray(one))


def test_each_is_there_by_each_factor_and_shows_the_same() -> None:
    whole = waves(64, 128)
    first, second, third = with_shrunk([whole], (0.5, 0.25), 8)
    assert first is whole
    assert [(one.name, one.pixels.shape) for one in (second, third)] == [
        ("a.png at 0.5", (32, 64, 3)), ("a.png at 0.25", (16, 32, 3)),
    ]  # fmt: skip
    middles = whole.pixels.reshape(32, 2, 64, 2, 3).mean((1, 3))
    inside = np.s_[2:-2, 2:-2]
    assert np.abs(second.pixels[inside] - middles[inside]).max() < 4


def test_those_too_small_and_those_with_their_own_lr_are_not() -> None:
    small, paired = waves(30, 30), replace(waves(64, 64), lr=waves(32, 32).pixels)
    assert with_shrunk([small, paired], (0.5,), 16) == (small, paired)
    assert len(with_shrunk([small], (0.5,), 15)) == 2
    assert with_shrunk([small], (), 1) == (small,)


def test_a_chain_degrades_the_shrunk_as_well() -> None:
    chain = load_chain("jpeg")
    _, small = with_shrunk([waves(64, 64).degraded(chain)], (0.5,), 16)
    assert small.degradation is chain


def test_patches_come_of_both_in_proportion_to_their_area() -> None:
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3).repeat(256, 0)
    photo = Photo("ramp", ramp)
    recipe = Recipe(batch=400, lr_size=8, scale_augmentation=(0.5,))
    steps = Patches.of([photo], 2, recipe).batch(0).hr.to(torch.int16)
    # How steep the ramp is tells which of the two a patch was cut from.
    steep = [
        int(max((one[0, 8] - one[0, 4]).abs().max(), (one[0, :, 8] - one[0, :, 4]).abs().max()))
        for one in steps
    ]
    shrunk = sum(rise > 6 for rise in steep) / len(steep)
    assert shrunk == pytest.approx(1 - 1 / share_of_area((0.5,)), abs=0.06)
    plain = recipe.replace(scale_augmentation=())
    assert torch.equal(
        Patches.of([photo], 2, plain).batch(0).hr,
        Patches([photo], 2, lr_size=8, batch=400, seed=0).batch(0).hr,
    )


@pytest.mark.parametrize("factor", [0.0, 1.0, -0.5, 2.0, "half"])
def test_a_factor_lies_between_0_and_1(factor: object) -> None:
    with pytest.raises(InputError, match="scale_augmentation"):
        Recipe().replace(scale_augmentation=(factor,))
