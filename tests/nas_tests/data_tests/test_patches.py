from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nas.data.degradation import bicubic_down, mod_crop
from nas.data.degradations import Chain, load_chain
from nas.data.patches import Patches
from nas.data.photo import Photo
from nas.training.recipe import Recipe
from search_spaces.errors import InputError


def photo(height: int, width: int, seed: int, name: str = "a.png") -> Photo:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Photo(name, pixels)


def symmetries(patch: torch.Tensor) -> list[torch.Tensor]:
    """The 8 symmetric versions of a square patch (3, p, p)."""
    both = (patch, patch.transpose(1, 2))
    return [
        turned for one in both for turned in (one, one.flip(1), one.flip(2), one.flip(1).flip(2))
    ]


def clean_photos() -> list[Photo]:
    return [photo(70, 51, 1), photo(49, 97, 2, "b.png")]


def make(seed: int = 0, *, batch: int = 16, scale: int = 4) -> Patches:
    return Patches(clean_photos(), scale, lr_size=8, batch=batch, seed=seed)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_and_hr_are_the_same_place_under_the_same_symmetry(scale: int) -> None:
    one = photo(70, 51, 1)
    hr_photo = torch.from_numpy(mod_crop(one.pixels, scale).copy()).permute(2, 0, 1)
    lr_photo = torch.from_numpy(bicubic_down(mod_crop(one.pixels, scale), scale)).permute(2, 0, 1)
    batch = Patches([one], scale, lr_size=8, batch=12, seed=3).batch(0)
    crops = lr_photo.unfold(1, 8, 1).unfold(2, 8, 1)  # (3, rows, columns, 8, 8)
    for lr, hr in zip(batch.lr, batch.hr, strict=True):
        found = [
            (code, int(y), int(x))
            for code, turned in enumerate(symmetries(lr))
            for y, x in (crops == turned[:, None, None]).all(-1).all(-1).all(0).nonzero()
        ]
        assert len(found) == 1
        code, y, x = found[0]
        side = 8 * scale
        expected = hr_photo[:, y * scale : y * scale + side, x * scale : x * scale + side]
        assert torch.equal(symmetries(hr)[code], expected)


def test_pairs_made_by_bicubic_change_no_bit() -> None:
    photos = [photo(70, 51, 1), photo(49, 97, 2, "b.png")]
    paired = [replace(one, lr=bicubic_down(mod_crop(one.pixels, 4), 4)) for one in photos]
    ours, theirs = (
        Patches(some, 4, lr_size=8, batch=16, seed=5).batch(7) for some in (photos, paired)
    )
    assert torch.equal(ours.lr, theirs.lr)
    assert torch.equal(ours.hr, theirs.hr)


def test_patches_of_pairs_are_of_their_own_lr() -> None:
    one = photo(50, 61, 1)
    # HR is one pixel more than twice as wide.
    marked = replace(one, lr=one.pixels[0:50:2, 0:60:2] // 2)
    batch = Patches([marked], 2, lr_size=8, batch=6, seed=3).batch(0)
    for lr, hr in zip(batch.lr, batch.hr, strict=True):
        # Every second pixel, counted from whichever corner the symmetry has turned to the top.
        found = [hr[:, y::2, x::2] // 2 for y in (0, 1) for x in (0, 1)]
        assert any(torch.equal(lr, one) for one in found)


@pytest.mark.parametrize("name", ["jpeg", "real_esrgan"])
def test_patches_of_a_chain(name: str) -> None:
    clean = make(batch=6)
    photos = [replace(one, degradation=load_chain(name)) for one in clean_photos()]
    patches, again = (Patches(photos, 4, lr_size=8, batch=6, seed=0) for _ in range(2))
    whole = patches.batch(3)
    # HR is what it is without a chain; LR is another.
    assert torch.equal(whole.hr, clean.batch(3).hr)
    assert not torch.equal(whole.lr, clean.batch(3).lr)
    # The same in every process, and in whatever order steps are done.
    parts = [again.batch(3, slice(at, at + 2)).lr for at in (4, 0, 2)]
    assert torch.equal(torch.cat([parts[1], parts[2], parts[0]]), whole.lr)
    assert not torch.equal(patches.batch(4).lr, whole.lr)


def test_what_was_drawn_for_patches() -> None:
    photos = [replace(one, degradation=load_chain("jpeg")) for one in clean_photos()]
    said = Patches(photos, 4, lr_size=8, batch=6, seed=0).said(3)
    assert len(said) == 6
    assert len(set(said)) > 1
    assert all(len(one) == 1 and one[0].startswith("JPEG ") for one in said)
    assert make(batch=2).said(0) == [(), ()]


def test_a_batch_made_ahead_is_the_batch() -> None:
    photos = [replace(one, degradation=load_chain("jpeg")) for one in clean_photos()]
    patches, plain = (Patches(photos, 4, lr_size=8, batch=4, seed=0) for _ in range(2))
    with patches.ahead(1):
        assert torch.equal(patches.batch(0).lr, plain.batch(0).lr)
    made = patches.batch(1)
    assert torch.equal(made.lr, plain.batch(1).lr)
    # What was made is given away once: whoever has it may change it.
    made.lr.zero_()
    assert torch.equal(patches.batch(1).lr, plain.batch(1).lr)
    with patches.ahead(2):
        pass
    assert torch.equal(patches.batch(5).lr, plain.batch(5).lr)


def test_a_chain_that_may_end_at_another_size() -> None:
    chain = Chain.from_plain({"name": "mine", "steps": [{"jpeg": {"quality": 40}}]}, "")
    with pytest.raises(InputError, match="mine: its image need not end at the size of LR"):
        Patches([replace(photo(50, 50, 0), degradation=chain)], 2, lr_size=8, batch=1, seed=0)


def test_shapes_types_and_memory_format() -> None:
    batch = make().batch(0)
    assert batch.lr.shape == (16, 3, 8, 8)
    assert batch.hr.shape == (16, 3, 32, 32)
    for tensor in batch:
        assert tensor.dtype == torch.uint8
        assert tensor.is_contiguous(memory_format=torch.channels_last)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    first, second = make(), make()
    second.batch(7)
    for step in (3, 0):
        a, b = first.batch(step), second.batch(step)
        assert torch.equal(a.lr, b.lr)
        assert torch.equal(a.hr, b.hr)
    assert not torch.equal(first.batch(0).hr, first.batch(1).hr)
    assert not torch.equal(first.batch(0).hr, make(seed=1).batch(0).hr)


def test_batches_do_not_share_memory() -> None:
    patches = make()
    kept = patches.batch(0)
    copy = kept.hr.clone()
    patches.batch(0).hr.zero_()
    patches.batch(1)
    assert torch.equal(kept.hr, copy)


def test_all_eight_symmetries_and_all_corners_are_drawn() -> None:
    # One photo of exactly one patch plus a pixel: the symmetry and the place can be read off.
    one = photo(18, 18, 4)
    patches = Patches([one], 2, lr_size=8, batch=400, seed=0)
    pixels = torch.from_numpy(one.pixels).permute(2, 0, 1)
    seen = {(code, y, x): 0 for code in range(8) for y in (0, 2) for x in (0, 2)}
    wanted = {
        turned.numpy().tobytes(): (code, y, x)
        for y in (0, 2)
        for x in (0, 2)
        for code, turned in enumerate(symmetries(pixels[:, y : y + 16, x : x + 16]))
    }
    for hr in patches.batch(0).hr:
        seen[wanted[hr.contiguous().numpy().tobytes()]] += 1
    # 400 draws over 32 cells: 12.5 expected; a cell stays empty with probability 3e-6.
    assert min(seen.values()) > 0


def test_photos_are_drawn_in_proportion_to_their_area() -> None:
    dark = Photo("dark", np.zeros((96, 96, 3), np.uint8))
    light = Photo("light", np.full((96, 32, 3), 255, np.uint8))
    patches = Patches([dark, light], 4, lr_size=8, batch=1600, seed=0)
    share = float((patches.batch(0).hr[:, 0, 0, 0] == 255).float().mean())
    # Binomial(1600, 1/4) has a standard deviation of 0.011: five of them.
    assert abs(share - 0.25) < 0.055


def test_a_photo_of_exactly_one_patch_fits() -> None:
    one = photo(35, 33, 6)
    lr = Patches([one], 4, lr_size=8, batch=1, seed=0).batch(0).lr[0]
    want = torch.from_numpy(bicubic_down(one.pixels[:32, :32], 4)).permute(2, 0, 1)
    assert any(torch.equal(turned, want) for turned in symmetries(lr))


def test_photos_smaller_than_a_patch() -> None:
    with pytest.raises(InputError, match=r"32 x 32 pixels; got 1 smaller, the first s\.png"):
        Patches([photo(64, 64, 0), photo(31, 64, 0, "s.png")], 4, lr_size=8, batch=1, seed=0)


def test_no_photos() -> None:
    with pytest.raises(InputError, match="no photos"):
        Patches([], 4, lr_size=8, batch=1, seed=0)


def test_the_parts_of_a_batch_are_the_batch() -> None:
    patches = make(batch=6)
    whole = patches.batch(3)
    parts = [patches.batch(3, slice(at, at + 2)) for at in (0, 2, 4)]
    for name in ("lr", "hr"):
        joined = torch.cat([getattr(part, name) for part in parts])
        assert torch.equal(joined, getattr(whole, name))


def test_the_batches_of_a_recipe() -> None:
    recipe = Recipe(lr_size=6, batch=3, seed=5)
    found = Patches.of([photo(40, 40, 0)], 2, recipe).batch(7)
    same = Patches([photo(40, 40, 0)], 2, lr_size=6, batch=3, seed=5).batch(7)
    assert found.lr.shape == (3, 3, 6, 6)
    assert torch.equal(found.hr, same.hr)
