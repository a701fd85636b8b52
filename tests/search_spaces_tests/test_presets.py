"""Every preset against the published counts, and what stands behind the published sums."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from search_spaces import Architecture, InputError, Price, build, preset, preset_names, price
from search_spaces.catalog import published
from search_spaces.cost import layers

IMDN = (694_404, 703_059, 715_176)
TABLE_1_PLAIN = (635_262, 642_297, 652_146)
TABLE_1_FDC = (619_662, 626_697, 636_546)
PARAMS = {
    "idn": (552_769, 552_769, 552_769),
    "imdn": IMDN,
    "imdb_r": IMDN,
    "base": TABLE_1_PLAIN,
    "srb": TABLE_1_PLAIN,
    "fdc": TABLE_1_FDC,
    "rfdb": TABLE_1_FDC,
    "rfdn_rate25": (507_846, 514_341, 523_434),
    "rfdn_rate50": (528_798, 535_293, 544_386),
    "rfdn_rate75": (549_750, 556_245, 565_338),
    "rfdn": (534_036, 540_531, 549_624),
    "rfdn_l": (625_962, 632_997, 642_846),
    "e_rfdn": (417_212, 423_977, 433_448),
    "mrdn": (592_156, 599_731, 610_336),
    "drn": (614_076, 620_571, 629_664),
    "lmswn": (683_532, 691_107, 701_712),
}
LMSWN_FOLDED = (471_852, 479_427, 490_032)
RLFN_X4 = 317_218
OUR_VARIANTS = ("e_rfdn_bs", "e_rfdn_rep")
# Networks of a challenge: at x4 and 256x256 px.
FAST_X4 = {
    "span": (150_688, 9.8),
    "span26": (130_828, 8.5),
    "spanv2": (139_104, 9.1),
    "disp": (163_792, 10.7),
}

GIGA_MACS = {
    "idn": (126.96, 56.34, 31.74),
    "imdn": (158.77, 71.34, 40.89),
    "imdb_r": (158.77, 71.34, 40.89),
    "base": (145.53, 65.30, 37.35),
    "srb": (145.53, 65.30, 37.35),
    "fdc": (141.79, 63.64, 36.42),
    "rfdb": (141.79, 63.64, 36.42),
    "rfdn_l": (141.79, 63.64, 36.42),
    "rfdn": (120.93, 54.33, 31.13),
    "e_rfdn": (91.31, 41.21, 23.76),
    "mrdn": (123.83, 55.72, 32.00),
    "drn": (141.10, 63.28, 36.17),
}
LMSWN_FOLDED_GIGA_MACS = (99.15, 44.77, 25.83)
# Plain trunks at x2: parameters, and weights alone, which their papers count.
PLAIN_X2 = {
    "compact": (600_652, 598_464),
    "ecbsr_m4c16": (10_100, 9_936),
    "sesr_m3": (8_912 + 3 * 16, 8_912),
    "sesr_m5": (13_520 + 5 * 16, 13_520),
    "sesr_m11": (27_344 + 11 * 16, 27_344),
    "sesr_xl": (105_376 + 11 * 32, 105_376),
    "espcn": (21_184 + 64 + 32 + 4, 21_184),
}
HALF_A_UNIT = 0.005 + 1e-9  # of the last printed digit


def by_scale(figures: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(name, scale, row[scale - 2], id=f"{name}-x{scale}")
        for (name, row), scale in product(figures.items(), (2, 3, 4))
    ]


@pytest.mark.parametrize(("name", "scale", "params"), by_scale(PARAMS))
def test_params_to_the_unit(name: str, scale: int, params: int) -> None:
    arch = preset(name, scale)
    assert price(arch).params == params
    with torch.device("meta"):
        network = build(arch)
    assert sum(p.numel() for p in network.parameters()) == params


@pytest.mark.parametrize(("name", "scale", "giga"), by_scale(GIGA_MACS))
def test_multi_adds_as_printed(name: str, scale: int, giga: float) -> None:
    assert abs(price(preset(name, scale)).macs / 1e9 - giga) <= HALF_A_UNIT


def test_rlfn() -> None:
    assert price(preset("rlfn", 4)).params == RLFN_X4


def test_every_preset_has_a_known_count() -> None:
    assert set(preset_names()) == {
        *PARAMS,
        "rlfn",
        *OUR_VARIANTS,
        *FAST_X4,
        *PLAIN_X2,
        "fsrcnn",
        "abpn",
    }


@pytest.mark.parametrize("name", FAST_X4)
def test_fast_networks_as_the_challenge_counts_them(name: str) -> None:
    params, giga = FAST_X4[name]
    arch = preset(name, 4)
    assert price(arch).params == params
    assert sum(p.numel() for p in build(arch).parameters()) == params
    assert abs(price(arch, lr=(256, 256)).macs / 1e9 - giga) <= 0.05


@pytest.mark.parametrize("name", PLAIN_X2)
def test_plain_trunks_and_their_weights(name: str) -> None:
    params, weights = PLAIN_X2[name]
    arch = preset(name, 2)
    assert price(arch).params == params
    with torch.device("meta"):
        network = build(arch)
    # Biases and slopes have one dimension.
    assert sum(p.numel() for p in network.parameters() if p.ndim > 1) == weights
    assert price(arch).macs == weights * 360 * 640


def test_fsrcnn_and_abpn() -> None:
    with torch.device("meta"):
        fsrcnn = build(preset("fsrcnn", 2))
    weights = sum(p.numel() for p in fsrcnn.parameters() if p.ndim > 1)
    biases, slopes = 56 + 12 + 4 * 12 + 56 + 1, 56 + 12 + 4 * 12 + 56
    assert weights == 12_464
    assert price(fsrcnn.architecture).params == weights + biases + slopes
    # The paper's 6.00 G take the transposed convolution by the pixels that it makes.
    listed = list(layers(fsrcnn.architecture))
    deconv = listed[-1].macs
    assert (price(fsrcnn.architecture).macs + 3 * deconv) / 1e9 == pytest.approx(6.0, abs=0.01)
    assert price(preset("abpn", 3)).params == 42_539


def test_espcn_as_published() -> None:
    cost = price(preset("espcn", 2))
    assert cost.macs == (25 * 64 + 9 * 64 * 32 + 9 * 32 * 4) * 360 * 640
    # Later tables' 4.55 G are in units of 2^30.
    assert abs(cost.macs / 2**30 - 4.55) <= HALF_A_UNIT


def test_compact_and_ecbsr_as_published() -> None:
    assert price(preset("compact", 4)).params == 621_424
    ecbsr = price(preset("ecbsr_m4c16", 2))
    assert ecbsr.params == pytest.approx(10_200, rel=0.01)
    assert ecbsr.macs == pytest.approx(2.34e9, rel=0.025)


def test_span() -> None:
    """By the published formula of its block, 27*C^2 + 3*C, at C = 28."""
    c = 28
    blocks, fusion = 6 * (27 * c * c + 3 * c), (9 * c * c + c) + (4 * c * c + c)
    stem, upsampler = 27 * c + c, 9 * c * 48 + 48
    assert price(preset("span", 4)).params == stem + blocks + fusion + upsampler == 150_688


def test_re_parameterised_e_rfdn_folds_into_e_rfdn() -> None:
    plain = preset("e_rfdn_rep", 4).to_dict()
    for block in plain["blocks"]:
        assert block.pop("convolution") == "rep"
    assert price(Architecture.from_dict(plain)) == price(preset("e_rfdn", 4))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lmswn_folded(scale: int) -> None:
    plain = preset("lmswn", scale).to_dict()
    for block in plain["blocks"]:
        assert block.pop("convolution") == "asymmetric"
    folded = price(Architecture.from_dict(plain))
    assert folded.params == LMSWN_FOLDED[scale - 2]
    assert abs(folded.macs / 1e9 - LMSWN_FOLDED_GIGA_MACS[scale - 2]) <= HALF_A_UNIT


class RectifiedElements(TorchDispatchMode):
    """Counts the output elements of ReLU and LeakyReLU while it is active."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__.removesuffix("_") in ("relu", "leaky_relu"):
            self.count += out.numel()
        return out


def test_aim_2020_figures_of_e_rfdn(count: Callable[..., Price]) -> None:
    """27.10 G (with one for each rectified element) and 112.03 M activations at 256x256."""
    arch = preset("e_rfdn", 4)
    at_256 = price(arch, lr=(256, 256))
    with torch.device("meta"):
        network = build(arch).eval()
        image = torch.empty(1, 3, 256, 256)
        assert count(network, image) == at_256
        with torch.no_grad(), RectifiedElements() as rectified:
            network(image)
    assert round((at_256.macs + rectified.count) / 1e9, 2) == 27.10
    assert round(at_256.activations / 1e6, 2) == 112.03


def test_imdn_slices_into_imdb_r_with_equal_output() -> None:
    """Eqs. 3-4 of RFDN: a splitting convolution is two, by rows."""
    whole, parted = (build(preset(name, 2)).double().eval() for name in ("imdn", "imdb_r"))
    source, target = whole.state_dict(), parted.state_dict()
    for name in target:
        if ".distill." in name:
            tail = name.split(".distill.")[1]
            stage = name.replace(".distill.", ".stages.").replace(
                tail, tail.replace(".", ".conv.", 1)
            )
            target[name] = source[stage][:16]
        elif ".stages." in name:
            target[name] = source[name][16:]
        else:
            target[name] = source[name]
    parted.load_state_dict(target)
    image = torch.rand(1, 3, 11, 14, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(parted(image), whole(image), rtol=0, atol=1e-12)


class TestCatalog:
    @pytest.mark.parametrize("name", preset_names())
    def test_presets_build_run_and_round_trip(self, name: str) -> None:
        arch = preset(name, 3)
        assert Architecture.from_dict(arch.to_dict()) == arch
        with torch.device("meta"):
            network = build(arch).eval()
            image = torch.empty(2, arch.colors, 7, 5)
            assert network(image).shape == (2, arch.colors, 21, 15)

    @pytest.mark.parametrize("name", preset_names())
    def test_a_reading_says_so(self, name: str) -> None:
        entry = published(name)
        assert entry.title
        assert entry.source
        readings = dict.fromkeys(("drn", "lmswn"), "our reading")
        designs = readings | dict.fromkeys(OUR_VARIANTS, "our variant")
        assert entry.design == designs.get(name, "published")
        assert ("Our reading" in entry.about) == (entry.design == "our reading")

    def test_presets_are_different_networks(self) -> None:
        # Table 1's rfdb and fdc, base and srb cost the same; none is the same.
        assert len({preset(name).hash for name in preset_names()}) == len(preset_names())

    def test_unknown_name(self) -> None:
        with pytest.raises(InputError, match=r"unknown preset 'rfdm': did you mean 'rfd[nb]'"):
            preset("rfdm")

    def test_unknown_scale(self) -> None:
        with pytest.raises(InputError, match=r"scale: .*2, 3 or 4, got 5"):
            preset("rfdn", 5)
