from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nas.data.degradation import bicubic_down
from nas.data.degradations import Chain, chain_names, load_chain
from search_spaces.errors import InputError


def noise(height: int = 64, width: int = 80) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def of(*steps: object) -> Chain:
    return Chain.from_plain({"name": "mine", "steps": list(steps)}, "mine")


TO_LR = {"resize": {"of": "lr"}}


@pytest.mark.parametrize("name", chain_names())
@pytest.mark.parametrize("scale", [2, 3])
def test_a_shipped_chain_makes_lr_of_photos_and_patches(name: str, scale: int) -> None:
    chain, hr = load_chain(name), noise(22 * scale, 27 * scale)
    chain.check(scale)
    whole = chain.of_photo(hr, scale, "a.png")
    assert whole.lr.shape == (22, 27, 3)
    assert whole.lr.dtype == np.uint8
    np.testing.assert_array_equal(whole.lr, chain.of_photo(hr, scale, "a.png").lr)
    source = bicubic_down(hr, scale) if chain.begins_with_default else hr
    for at in ((0, 0), (14, 19), (5, 9)):
        first, second = (chain.of_patch(source, scale, at, 8, dice(3)) for _ in range(2))
        assert first.lr.shape == (8, 8, 3)
        np.testing.assert_array_equal(first.lr, second.lr)
        assert first.said == second.said


def test_another_name_or_seed_draws_anew() -> None:
    chain, hr = load_chain("jpeg"), noise()
    assert len({chain.of_photo(hr, 2, name).said for name in "abc"}) > 1
    one, two = (chain.of_patch(hr, 2, (4, 4), 8, dice(seed)) for seed in (0, 1))
    assert one.said != two.said


def test_the_default_is_bicubic_to_the_bit() -> None:
    chain, hr = load_chain("bicubic"), noise()
    assert chain.is_default
    np.testing.assert_array_equal(chain.of_photo(hr, 4, "a").lr, bicubic_down(hr, 4))
    assert not load_chain("jpeg").is_default


@pytest.mark.parametrize("at", [(0, 0), (9, 17), (24, 32)])
def test_a_patch_is_cut_where_it_is_asked_for(at: tuple[int, int]) -> None:
    hr, (y, x) = noise(), at
    patch = of({"resize": {"kernels": "area"}}).of_patch(hr, 2, at, 8, dice())
    wanted = hr.reshape(32, 2, 40, 2, 3).mean(axis=(1, 3))[y : y + 8, x : x + 8]
    np.testing.assert_allclose(patch.lr, wanted, atol=1.01)


def test_blocks_of_patches_begin_anywhere() -> None:
    # A hard edge inside a block rings up to the block's ends, and no further.
    hr = np.zeros((128, 128, 3), np.uint8)
    hr[:, 64:] = 255
    chain = of(TO_LR, {"jpeg": {"quality": 10, "subsampling": "4:4:4"}})
    patches = {chain.of_patch(hr, 1, (40, 56), 16, dice(s)).lr.tobytes() for s in range(40)}
    assert len(patches) == 8


def test_the_order_counts_and_names_do_not() -> None:
    steps = [TO_LR, {"jpeg": {"quality": 40}}]
    same = Chain.from_plain({"name": "other", "about": "words", "steps": steps}, "")
    assert of(*steps).digest == same.digest
    assert of(*reversed(steps)).digest != same.digest


def test_plain_data_and_back() -> None:
    for name in chain_names():
        chain = load_chain(name)
        again = Chain.from_plain(chain.to_plain(), "file")
        assert again == chain
        assert again.digest == chain.digest


@pytest.mark.parametrize(
    "steps",
    [
        [{"jpeg": {"quality": 40}}],
        [TO_LR, {"resize": {"of": "image", "by": [0.5, 1]}}],
        [{**TO_LR, "chance": 0.9}],
        [{"one_of": [TO_LR, {"keep": True}]}],
        [{"steps": [TO_LR, {"resize": {"of": "lr", "by": 2}}]}],
    ],
)
def test_chains_that_may_end_at_another_size(steps: list[object]) -> None:
    with pytest.raises(InputError, match="mine: its image need not end at the size of LR"):
        of(*steps).check(2)


def test_at_scale_1_nothing_needs_to_be_resized() -> None:
    of({"jpeg": {"quality": 40}}).check(1)
    of({"one_of": [{"keep": True}, TO_LR]}).check(1)
    with pytest.raises(InputError, match="need not end"):
        of({"resize": {"of": "image", "by": 0.5}}).check(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [{blurr: {sigma: 1}}]", r"my\.yaml:1: steps\.0\.blurr: unknown key"),
        ("steps:\n- blur: {sigma: [3, 1]}", r"my\.yaml:2: .*sigma: expected \[least, most\]"),
        ("steps:\n- jpeg: {quality: [0, 50]}", r"my\.yaml:2: .*quality: expected 1 to 100, got"),
        ("steps:\n- jpeg: {quality: true}", "quality: expected a number, or"),
        ("steps: [{blur: {sigma: 1, size: 20}}]", "size: expected odd numbers"),
        ("steps: [{blur: {sigma: 1, kernels: {round: 1}}}]", "kernels: expected some of iso"),
        ("steps: [{blur: {sigma: 1, kernels: {iso: 0}}}]", "expected a weight above 0 of iso"),
        ("steps: [{resize: {kernels: lanczos}}]", "expected some of area, bilinear, bicubic"),
        ("steps: [{jpeg: {quality: 5}, sinc: {cutoff: 1}}]", "got sinc and jpeg"),
        ("steps: [{chance: 0.5}]", "expected one of blur, .*, got none"),
        ("steps: [{chance: 2, keep: true}]", "chance: expected a number from 0 to 1, got 2"),
        ("steps: []", "steps: expected"),
        ("about: none", "missing key 'steps'"),
        ("name: x\nsteps: [{keep: true}]", "name: unknown key; a chain has its file's name"),
        ("stepps: []", "stepps: unknown key|missing key 'steps'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_chain(file)
    assert "\n" not in str(caught.value)


def test_no_such_chain() -> None:
    with pytest.raises(InputError, match=r"expected bicubic, jpeg, real_esrgan or a \.yaml file"):
        load_chain("jpg")
