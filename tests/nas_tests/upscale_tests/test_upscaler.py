from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data.degradation import bicubic_up
from nas.upscale.bicubic import bicubic
from nas.upscale.pooled import samples
from nas.upscale.runtime_network import RuntimeNetwork
from nas.upscale.tiles import ALIGN_PX, equal_spans, spans
from nas.upscale.upscaler import DEFAULT_OVERLAP_PX, Upscaler
from search_spaces import Network
from search_spaces.errors import InputError
from tests.nas_tests.upscale_tests.conftest import make

ESA = {"kind": "esa", "width": 4}
PhotoOf = Callable[..., np.ndarray[Any, np.dtype[np.uint8]]]


@given(st.integers(1, 700), st.integers(32, 200), st.integers(0, 60))
def test_spans_cover_a_side_once(length: int, tile: int, overlap: int) -> None:
    found = spans(length, tile, overlap)
    covered = [k for span in found for k in range(*span.inner)]
    assert covered == list(range(length))
    for span in found:
        (begin, end), (first, last) = span.inner, span.outer
        assert end - begin <= tile
        assert first % ALIGN_PX == 0
        assert first == 0 or begin - first in range(overlap, overlap + ALIGN_PX)
        assert last == min(length, end + overlap)
        assert span.kept == (begin - first, end - first)


@given(st.integers(1, 700), st.integers(1, 200), st.data())
def test_equal_spans_cover_a_side_once(length: int, side: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, (side - 1) // 2))
    found = equal_spans(length, side, overlap)
    assert [k for span in found for k in range(*span.inner)] == list(range(length))
    for span in found:
        (begin, end), (first, last) = span.inner, span.outer
        assert last - first == side
        assert first >= 0
        assert last <= max(length, side)
        assert first == 0 or begin - first >= overlap
        assert last >= length or last - end >= overlap


def difference(network: Network, pixels: Any, **options: Any) -> Any:
    whole = Upscaler(network, device="cpu", memory_mb=4000)
    assert whole.plan(*pixels.shape[:2]).tile == 0
    tiled = Upscaler(network, device="cpu", **options)
    assert tiled.plan(*pixels.shape[:2]).tile > 0
    return np.abs(tiled.enlarge(pixels).astype(int) - whole.enlarge(pixels).astype(int))


@pytest.mark.parametrize(
    "network",
    [
        make(),
        make(value_range=255),
        make(colors=1, upsampler="deconv", image_skip="bicubic", mean=[0.4]),
        make(image_skip="bilinear", scale=3),
        make(image_skip={"kind": "linear", "kernel": 9}, scale=4, value_range=255, mean=[0.5] * 3),
    ],
    ids=["plain", "range", "luma", "skip", "linear"],
)
def test_finite_networks_leave_no_seam(network: Network, photo: PhotoOf) -> None:
    # With an image skip the last layer is 0 at first.
    with torch.no_grad():
        for weights in (*network.upsampler.parameters(), *network.image_skip.parameters()):
            weights.add_(torch.randn_like(weights), alpha=0.05)
    pixels = photo(70, 131)
    upscaler = Upscaler(network, tile=32, device="cpu")
    assert upscaler.overlap < DEFAULT_OVERLAP_PX
    # Only the order of float additions differs, so a value near a half may round otherwise.
    assert difference(network, pixels, tile=32).max() <= 1
    assert (difference(network, pixels, tile=32) > 0).mean() < 1e-3


@pytest.mark.parametrize("size", [(150, 203), (10, 260)])
@pytest.mark.parametrize("kind", ["esa", "esa_lite"])
def test_esa_is_computed_as_in_the_whole_image(
    size: tuple[int, int], kind: str, photo: PhotoOf
) -> None:
    network = make({"kind": kind, "width": 4})
    assert difference(network, photo(*size), tile=48).max() <= 1


def test_without_the_whole_images_frame_esa_shows_seams(
    photo: PhotoOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = make(ESA)
    monkeypatch.setattr("nas.upscale.upscaler.frame_attentions", lambda network, frame: 1)
    assert difference(network, photo(150, 203), tile=48).max() > 1


def test_a_network_that_makes_nan_is_refused(photo: PhotoOf) -> None:
    network = make({"kind": "cca", "width": 2})
    with torch.no_grad():
        next(network.upsampler.parameters()).fill_(float("nan"))
    with pytest.raises(InputError, match="the network makes NaN of it"):
        Upscaler(network, device="cpu").enlarge(photo(20, 30))


def test_global_pooling_is_known(photo: PhotoOf) -> None:
    upscaler = Upscaler(make({"kind": "cca", "width": 2}), device="cpu")
    assert upscaler.pools_globally
    assert upscaler.overlap == DEFAULT_OVERLAP_PX
    assert not Upscaler(make(ESA), device="cpu").pools_globally


def test_global_pooling_leaves_no_seam(photo: PhotoOf, monkeypatch: pytest.MonkeyPatch) -> None:
    network = make({"kind": "cca", "width": 2}, value_range=255)
    pixels = photo(150, 250)
    # One half has contrast, the other none: tiles by themselves would pool something else.
    pixels[:, 125:] = 90

    def between_tilings() -> int:
        small, large = (Upscaler(network, device="cpu", tile=t) for t in (48, 130))
        return int(np.abs(small.enlarge(pixels).astype(int) - large.enlarge(pixels)).max())

    assert between_tilings() <= 1
    monkeypatch.setattr("nas.upscale.upscaler.pool_together", lambda network, contrasts: 0)
    assert between_tilings() > 1


def test_samples_lie_all_over() -> None:
    found = samples(4320, 7680, 160_000)
    assert 8 <= len(found) <= 160_000 // 128**2
    assert {rows.start for rows, _ in found} >= {0, 4320 - 128}
    assert {columns.stop for _, columns in found} >= {128, 7680}
    assert samples(5, 900, 10)[0] == (slice(0, 5), slice(0, 5))


def test_overlap_is_the_receptive_radius() -> None:
    # Stem, 2 blocks of 3 stages, fusion and upsampler: one pixel for each 3x3.
    assert Upscaler(make(), device="cpu").overlap == 1 + 2 * 3 + 1 + 1


def of_one_size(network: Network, lr_size: tuple[int, int]) -> RuntimeNetwork:
    """As a file for images of that size alone."""

    def run(image: Any, _whole: Any, _origin: Any) -> Any:
        assert image.shape == (1, 3, *lr_size)
        with torch.no_grad():
            return network(torch.from_numpy(image)).numpy()

    return RuntimeNetwork(run, 2, 3, network.architecture, framed=False, lr_size=lr_size)


@pytest.mark.parametrize("size", [(90, 130), (40, 90), (40, 56)])
def test_a_file_of_one_size_gets_tiles_of_it(size: tuple[int, int], photo: PhotoOf) -> None:
    network, pixels = make(), photo(*size)
    upscaler = Upscaler(of_one_size(network, (40, 56)))
    assert (upscaler.plan(*size).tile > 0) == (size != (40, 56))
    assert not upscaler.shows_seams
    whole = Upscaler(network, device="cpu").enlarge(pixels).astype(int)
    assert np.abs(upscaler.enlarge(pixels) - whole).max() <= 1


def test_a_smaller_image_is_filled_up(photo: PhotoOf) -> None:
    network, pixels = make(), photo(30, 20)
    upscaler = Upscaler(of_one_size(network, (40, 56)))
    assert upscaler.plan(30, 20).tile == 0
    whole, found = Upscaler(network, device="cpu").enlarge(pixels), upscaler.enlarge(pixels)
    assert found.shape == whole.shape
    # Beyond the end the network sees the last pixels once more, and not zeros.
    reach = 2 * upscaler.overlap
    apart = np.abs(found.astype(int) - whole.astype(int))[:-reach, :-reach]
    assert apart.max() <= 1


def test_small_tiles_of_a_file_of_one_size_show_seams() -> None:
    upscaler = Upscaler(of_one_size(make(), (24, 56)))
    assert (upscaler.overlap, upscaler.shows_seams) == (6, True)
    with pytest.raises(InputError, match="leave --tile out"):
        Upscaler(of_one_size(make(), (24, 56)), tile=32)
    with pytest.raises(InputError, match="expected 0 to 11 pixels with tiles of 24, got 12"):
        Upscaler(of_one_size(make(), (24, 56)), overlap=12)


@pytest.mark.parametrize("skip", ["bilinear", "linear"])
def test_the_overlap_of_a_file_is_that_of_its_network_trained(skip: str) -> None:
    network = make(image_skip=skip)
    run = lambda image, whole, origin: image  # noqa: E731
    in_file = RuntimeNetwork(run, 2, 3, network.architecture, framed=False)
    # A fresh network with an image skip is the skip alone, which sees two pixels.
    assert Upscaler(network, device="cpu").overlap <= 2
    assert Upscaler(in_file).overlap == 1 + 2 * 3 + 1 + 1


def test_a_wide_skip_alone_is_seen_by_its_radius() -> None:
    network = make(image_skip={"kind": "linear", "kernel": 9})
    for weights in network.image_skip.parameters():
        torch.nn.init.normal_(weights)
    assert Upscaler(network, device="cpu").overlap == 4


def test_tiles_follow_the_memory(photo: PhotoOf) -> None:
    from nas.evaluate.memory import peak_memory_mb

    network = make()
    for memory_mb in (8.0, 30.0):
        upscaler = Upscaler(network, memory_mb=memory_mb, device="cpu")
        plan = upscaler.plan(4320, 7680)
        side = plan.tile + 2 * plan.overlap + ALIGN_PX - 1
        assert memory_mb / 2 < peak_memory_mb(network.architecture, (side, side)) <= memory_mb


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("alpha", ["bicubic", "network"])
def test_channels_are_kept(channels: int, colors: int, alpha: Any, photo: PhotoOf) -> None:
    upscaler = Upscaler(make(colors=colors, image_skip="bicubic"), device="cpu", alpha=alpha)
    pixels = photo(21, 33, channels)
    large = upscaler.enlarge(pixels)
    assert large.shape == (42, 66, channels)
    # An untrained network with an image skip is the plain enlargement.
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(pixels).permute(2, 0, 1)[None].float(), scale_factor=2, mode="bicubic"
    )[0].permute(1, 2, 0).clamp(0, 255).numpy()  # fmt: skip
    assert np.abs(large - expected)[4:-4, 4:-4].mean() < 4
    deep = upscaler.enlarge(pixels.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - large).max() < 0.51


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_that_of_the_data(scale: int, photo: PhotoOf) -> None:
    # No black and no white: imresize clips overshoots between its two passes.
    pixels = photo(9, 14) // 2 + 64
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None].double()
    ours = bicubic(planes, scale)[0].permute(1, 2, 0).clamp(0, 255).numpy()
    # It rounds to whole levels after each of them.
    assert np.abs(ours - bicubic_up(pixels, scale)).max() < 1.5


def test_fast_is_near_and_leaves_the_network_alone(photo: PhotoOf) -> None:
    network = make(ESA)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = photo(40, 50)
    exact, fast = (Upscaler(network, device="cpu", fast=f) for f in (False, True))
    error = exact.enlarge(pixels).astype(float) - fast.enlarge(pixels)
    # Random weights exaggerate; a network of published weights differs by a fiftieth of this.
    assert np.sqrt((error**2).mean()) < 3
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert isinstance(network.blocks, torch.nn.ModuleList)
    assert network(torch.rand(1, 3, 8, 8)).shape == (1, 3, 16, 16)


@pytest.mark.parametrize("wrong", [{"tile": 8}, {"overlap": -1}, {"device": "warp"}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Upscaler(make(), **wrong)
