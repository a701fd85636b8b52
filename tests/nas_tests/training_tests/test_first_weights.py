from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.data import Patches
from nas.data.embedded import embedded_photos
from nas.training.first_weights import fit_linear_skip, set_first_weights, whiten
from nas.training.loop import unit
from nas.training.recipe import Recipe
from nas.training.state import seeded
from search_spaces import Architecture, Network, build
from search_spaces.skips import LinearSkip

LR_PX = 16
RECIPE = Recipe(batch=16, lr_size=LR_PX, first_weights="photos")
MEAN = [0.4488, 0.4371, 0.404]
CPU = torch.device("cpu")


def patches_of(scale: int, lr_size: int = LR_PX) -> Patches:
    return Patches(embedded_photos()[0], scale, lr_size=lr_size, batch=16, seed=0)


@pytest.fixture(scope="module", params=[2, 3, 4])
def patches(request: pytest.FixtureRequest) -> Patches:
    return patches_of(request.param)


@pytest.fixture(scope="module")
def doubled() -> Patches:
    return patches_of(2)


def fresh(scale: int = 2, **fields: Any) -> Network:
    data = {"scale": scale, "channels": 12, "blocks": ["spab"], "image_skip": "linear", **fields}
    return seeded(lambda: build(Architecture.from_dict(data)), 0)


def images(patches: Patches, colors: int, steps: range) -> tuple[Tensor, Tensor]:
    batches = [patches.batch(step) for step in steps]
    return (
        unit(torch.cat([batch.lr for batch in batches]), colors, CPU),
        unit(torch.cat([batch.hr for batch in batches]), colors, CPU),
    )


def changed(network: Network, before: dict[str, Tensor]) -> set[str]:
    """What was set around the blocks, which are turned up or not."""
    after = network.state_dict().items()
    found = {name for name, tensor in after if not torch.equal(tensor, before[name])}
    return {name for name in found if not name.startswith("blocks.")}


@torch.no_grad()
def error(network: nn.Module, patches: Patches, colors: int = 3) -> float:
    # Others than it was fitted to: those are the first 32 batches.
    lr, hr = images(patches, colors, range(100, 104))
    return float(F.mse_loss(network(lr), hr))


@pytest.mark.parametrize("colors", [1, 3])
def test_a_fitted_filter_beats_bicubic_interpolation(patches: Patches, colors: int) -> None:
    network = fresh(patches.scale, colors=colors)
    before = error(network, patches, colors)
    set_first_weights(network, patches, RECIPE)
    assert isinstance(network.image_skip, LinearSkip)
    # 0.2 dB: a photo's edges and textures are sharper than their interpolation.
    assert error(network, patches, colors) < before * 10**-0.02
    with torch.no_grad():
        plain = network.image_skip(torch.full((1, colors, 4, 5), 0.6))
    torch.testing.assert_close(plain, torch.full_like(plain, 0.6), atol=1e-5, rtol=0)
    filters = network.image_skip.conv.weight.unflatten(0, (colors, -1))
    assert torch.equal(filters, filters[:1].expand_as(filters))


def test_larger_windows_fit_better(doubled: Patches) -> None:
    lr, hr = images(doubled, 3, range(8))
    errors = []
    for kernel in (3, 5, 7, 9):
        skip = LinearSkip(3, 2, kernel=kernel)
        fit_linear_skip(skip, lr, hr)
        # On what all of them saw.
        with torch.no_grad():
            errors.append(float((skip(lr) - hr)[..., 8:-8, 8:-8].square().mean()))
    assert errors == sorted(errors, reverse=True)


def test_a_known_filter_is_found() -> None:
    teacher, found = LinearSkip(1, 3), LinearSkip(1, 3)
    torch.manual_seed(0)
    filters = torch.randn(9, 5, 5) * 0.1
    filters[:, 2, 2] += 1 - filters.sum(dim=(1, 2))
    teacher.set_filters(filters)
    lr = torch.rand(70, 1, 9, 11)
    with torch.no_grad():
        fit_linear_skip(found, lr, teacher(lr))
    torch.testing.assert_close(found.conv.weight, teacher.conv.weight, atol=1e-4, rtol=0)


def test_photos_without_contrast_repeat_the_pixel() -> None:
    skip = LinearSkip(3, 2)
    fit_linear_skip(skip, torch.full((2, 3, 8, 8), 0.5), torch.full((2, 3, 16, 16), 0.5))
    image = torch.rand(1, 3, 4, 4)
    expected = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
    with torch.no_grad():
        torch.testing.assert_close(skip(image), expected)


def readers(stem: nn.Module, colors: int) -> list[nn.Conv2d]:
    convs = [m for m in stem.modules() if isinstance(m, nn.Conv2d)]
    return [conv for conv in convs if conv.in_channels == colors]


@pytest.mark.parametrize("stem", ["conv", "chain", "pyramid"])
@pytest.mark.parametrize("value_range", [1, 255])
@pytest.mark.parametrize("mean", [None, MEAN])
@pytest.mark.parametrize("colors", [1, 3])
def test_a_whitened_stem_tells_pixels_apart(
    stem: str, value_range: int, mean: list[float] | None, colors: int, doubled: Patches
) -> None:
    fields: dict[str, Any] = {"stem": stem, "value_range": value_range, "colors": colors}
    # There is nothing to fit in it: a stem does not depend on what is beside it.
    fields["image_skip"] = "bilinear"
    network = fresh(mean=None if mean is None else mean[:colors], **fields)
    before = copy.deepcopy(network.state_dict())
    set_first_weights(network, doubled, RECIPE)
    lr, _ = images(doubled, colors, range(32))
    inside = (lr - network.mean) * value_range
    whitened = readers(network.stem, colors)
    assert len(whitened) == (3 if stem == "pyramid" else 1)
    for conv in whitened:
        with torch.no_grad():
            seen = F.conv2d(inside, conv.weight, conv.bias).transpose(0, 1).flatten(1).double()
        seen = seen / value_range
        assert float(seen.mean(dim=1).abs().max()) < 1e-3
        variances = seen.var(dim=1)
        # Filters for directions that hardly vary are not stretched to the full variance.
        assert float(variances.max()) < 0.2**2 * 1.01
        assert float(variances[0]) > 0.2**2 * 0.95
        own = min(conv.out_channels, conv.weight[0].numel())
        correlations = torch.corrcoef(seen[:own])
        off = correlations - torch.diag(correlations.diagonal())
        assert float(off.abs().max()) < 0.02
    found = changed(network, before)
    kept = {k for k in before if k.startswith(("fusion.", "upsampler.", "stem.fuse"))}
    assert not found & kept
    assert "stem.convs.1.conv.weight" not in found


def deviations(network: Network, patches: Patches) -> list[float]:
    """Of the stem's outputs and of every block's."""
    image, _ = images(patches, 3, range(4))
    with torch.no_grad():
        features = network.stem(image)
        found = [float(features.std())]
        for block in network.blocks:
            features = block(features)
            found.append(float(features.std()))
    return found


_GATED = {
    "kind": "distillation", "repeat": 6, "distillation": "fdc", "stages": 3, "residual": "none",
    "distilled": 6, "last": 6, "attention": "pa",
}  # fmt: skip


@pytest.mark.parametrize("activation", ["silu", "gelu"])
@pytest.mark.parametrize("block", [_GATED, {"kind": "spab", "repeat": 4}])
def test_behind_smooth_activations_no_block_lets_the_image_fade(
    activation: str, block: dict[str, Any], doubled: Patches
) -> None:
    network = fresh(blocks=[block], activation=activation)
    before = deviations(network, doubled)
    assert before[-1] < 0.1 * before[0]
    set_first_weights(network, doubled, RECIPE)
    found = deviations(network, doubled)
    assert all(after > 0.8 * before for before, after in pairwise(found))


@pytest.mark.parametrize("convolution", ["plain", "rep_wide"])
def test_what_is_a_product_of_filters_is_turned_up_no_further(
    convolution: str, doubled: Patches
) -> None:
    block = {"kind": "spab", "repeat": 4, "convolution": convolution}
    network = fresh(blocks=[block], activation="silu")
    set_first_weights(network, doubled, RECIPE)
    found = deviations(network, doubled)
    # A first block of plain convolutions may double a signal by itself.
    assert all(0.8 * before < after < 2.5 * before for before, after in pairwise(found))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_behind_the_others_it_fades_to_a_tenth_and_no_further(
    activation: str, doubled: Patches
) -> None:
    network = fresh(blocks=[_GATED], activation=activation)
    before = deviations(network, doubled)
    assert before[-1] < 0.05 * before[0]
    set_first_weights(network, doubled, RECIPE)
    stem, *found = deviations(network, doubled)
    assert min(found) > 0.08 * stem
    assert max(found) < 0.8 * stem


def test_more_filters_than_a_window_has_values_are_mixtures() -> None:
    conv, image = nn.Conv2d(1, 40, 3), torch.rand(8, 1, 12, 12)
    whiten(conv, image, 1.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = conv(image).transpose(0, 1).flatten(1)
    assert torch.linalg.matrix_rank(conv.weight.flatten(1)) == 9
    deviations = seen.std(dim=1)
    assert float(deviations.min()) == pytest.approx(0.2, rel=0.02)
    assert float(deviations.max()) == pytest.approx(0.2, rel=0.02)
    turned = [seen[k : k + 9] for k in (0, 9, 18, 27)]
    for group in turned:
        correlations = torch.corrcoef(group) - torch.eye(9)
        assert float(correlations.abs().max()) < 1e-3
    assert not torch.allclose(turned[1], turned[2], atol=1e-2)


def test_the_same_seed_gives_the_same_bits(doubled: Patches) -> None:
    made = []
    for seed in (3, 3, 4):
        network = fresh(channels=32, value_range=255, mean=MEAN)
        torch.rand(2)  # the caller's random numbers have no part in it
        set_first_weights(network, doubled, RECIPE.replace(seed=seed))
        made.append(network.state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert not torch.equal(made[0]["stem.conv.weight"], made[2]["stem.conv.weight"])
    assert torch.equal(made[0]["image_skip.conv.weight"], made[2]["image_skip.conv.weight"])


def test_photos_in_parts_are_the_same_photos(
    doubled: Patches, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = fresh(stem="pyramid"), fresh(stem="pyramid")
    set_first_weights(one, doubled, RECIPE)
    monkeypatch.setattr("nas.training.first_weights._AT_ONCE", 512)
    set_first_weights(other, doubled, RECIPE)
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(tensor, other.state_dict()[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("lr_size", [1, 4, 5])
def test_filters_larger_than_the_patches_stay(lr_size: int) -> None:
    patches = patches_of(2, lr_size)
    network = fresh(stem="pyramid", image_skip={"kind": "linear", "kernel": 5})
    before = copy.deepcopy(network.state_dict())
    set_first_weights(network, patches, RECIPE.replace(lr_size=lr_size))
    found = changed(network, before)
    levels = {f"stem.levels.{k}.{one}" for k in range(3) for one in ("weight", "bias")}
    expected = {
        1: set(),
        4: {name for name in levels if ".0." in name},
        5: {name for name in levels if ".2." not in name} | {"image_skip.conv.weight"},
    }
    assert found == expected[lr_size]


@pytest.mark.parametrize("skip", ["none", "bilinear"])
def test_other_skips_have_nothing_to_fit(skip: str, doubled: Patches) -> None:
    network = fresh(image_skip=skip)
    before = copy.deepcopy(network.state_dict())
    set_first_weights(network, doubled, RECIPE)
    assert changed(network, before) == {"stem.conv.weight", "stem.conv.bias"}


@pytest.mark.parametrize("convolution", ["plain", "rep", "rep_wide", "bsconv", "asymmetric"])
def test_gates_begin_open(convolution: str, doubled: Patches) -> None:
    spab, v2 = fresh(blocks=["spab"], fusion="span"), fresh(blocks=["spab_v2"])
    blocks = [{"kind": "spab", "convolution": convolution}]
    for network, opened in (
        (spab, 2), (v2, 1), (fresh(blocks=blocks), 1),
    ):  # fmt: skip
        biases = {name: one for name, one in network.named_parameters() if name.endswith("bias")}
        before = {name: one.clone() for name, one in biases.items()}
        set_first_weights(network, doubled, RECIPE)
        gates = [
            one.unique().tolist()
            for name, one in biases.items()
            if not torch.equal(one, before[name]) and not name.startswith("stem")
        ]
        assert gates == [[1.0 if network is v2 else 2.0]] * opened
    # As soon as the first steps make the filters smaller, half of what comes in goes out.
    for parameter in network.blocks[0].parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(1e-3)
    first, second = deviations(network, doubled)
    assert second > 0.3 * first


def test_a_block_without_biases_has_no_gate_to_open(doubled: Patches) -> None:
    unbiased = {"kind": "plain", "bias": False}
    network = fresh(blocks=[{"kind": "spab", "convolution": unbiased}])
    set_first_weights(network, doubled, RECIPE)
    assert min(deviations(network, doubled)) > 0


@pytest.mark.parametrize("block", ["spab", "spab_v2", "plain"])
def test_identities_in_a_row_do_not_explode(block: str, doubled: Patches) -> None:
    network = fresh(blocks=[{"kind": block, "repeat": 4, "convolution": "rep"}], activation="silu")
    set_first_weights(network, doubled, RECIPE)
    found = deviations(network, doubled)
    assert max(after / before for before, after in pairwise(found)) < 3


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu"])
def test_the_image_does_not_fade_out_in_a_row_of_blocks(activation: str, doubled: Patches) -> None:
    network = fresh(blocks=[{"kind": "spab", "repeat": 6}], activation=activation)
    set_first_weights(network, doubled, RECIPE)
    found = deviations(network, doubled)
    # Behind ReLU to a tenth, behind what is smooth not at all; 20% for other photos.
    least = 0.08 if activation == "relu" else 0.8
    assert min(found) > least * found[0]


def test_random_first_weights_and_other_modules_stay(doubled: Patches) -> None:
    network, toy = fresh(), nn.Conv2d(3, 3, 3)
    before = copy.deepcopy(network.state_dict()), copy.deepcopy(toy.state_dict())
    set_first_weights(network, doubled, RECIPE.replace(first_weights="random"))
    set_first_weights(toy, doubled, RECIPE)
    for module, state in zip((network, toy), before, strict=True):
        assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())
