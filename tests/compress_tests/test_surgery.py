"""The form that networks are pruned in, their widths, and networks cut to them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from compress.fold import difference
from compress.importance import measure
from compress.plan import cost_of, plan
from compress.slices import unsliced, unsplit
from compress.surgery import cut, prunable, scores_of
from compress.widths import prunable_widths, with_widths
from search_spaces import (
    Architecture,
    build,
    load,
    preset,
    preset_names,
    price,
    save_weights,
)
from search_spaces.errors import InputError
from tests.compress_tests.test_prune import tiny


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def shortened(arch: Architecture) -> Architecture:
    """Of a row of equal blocks, two."""
    plain = arch.to_dict()
    return Architecture.from_dict(plain | {"blocks": [b | {"repeat": 2} for b in plain["blocks"]]})


class TestForm:
    @pytest.mark.parametrize("name", ["imdn", "mrdn", "lmswn"])
    def test_splits_become_convolutions_of_their_own(self, name: str) -> None:
        network = build(shortened(preset(name, 2))).double().eval()
        form = prunable(network.float())
        assert {block["distillation"] for block in form.architecture.blocks} == {"fdc"}
        assert {block["distill_kernel"] for block in form.architecture.blocks} == {3}

    def test_imdn_is_imdb_r(self) -> None:
        network = build(preset("imdn", 4)).eval()
        form = unsplit(network)
        assert form.architecture == preset("imdb_r", 4)
        assert difference(network, form) < 1e-6

    @pytest.mark.parametrize("name", ["drn", "idn"])
    def test_blocks_without_slices_give_the_same(self, name: str) -> None:
        network = build(preset(name, 2)).eval()
        twin = unsliced(network)
        assert type(twin.blocks[0]) is not type(network.blocks[0])
        assert difference(network, twin) < 1e-6

    def test_split_of_blueprint_convolutions_is_refused(self) -> None:
        network = tiny(distillation="split", convolution="bsconv", shallow_residual=False)
        with pytest.raises(InputError, match="block 1: a split after bsconv"):
            prunable(network)


class TestWidths:
    @pytest.mark.parametrize("name", preset_names())
    def test_as_they_are_they_change_nothing(self, name: str) -> None:
        arch = preset(name, 3)
        if any(dict(block.options).get("distillation") == "split" for block in arch.blocks):
            pytest.skip("in prunable form it has no splits")
        widths = prunable_widths(arch, 4)
        assert with_widths(arch, {w.place: w.now for w in widths}) == arch
        assert all(0 < w.least < w.now for w in widths)

    def test_multiples_and_floor(self) -> None:
        width = next(w for w in prunable_widths(preset("e_rfdn"), 8) if w.now == 25)
        assert [width.at_most(n) for n in (30, 25, 24, 17, 3)] == [25, 25, 24, 16, 8]
        assert [width.above(n) for n in (8, 24, 25)] == [16, 25, None]
        assert width.name.startswith("block 1 distilled")

    def test_a_trunk_made_of_slices_stays(self) -> None:
        network = tiny(
            distillation="fdc", distilled=4, refined=16, last=8, fuse=False, shallow_residual=False
        )
        names = {w.place[0] if w.place == ("channels",) else w.place[2]
                 for w in prunable_widths(network.architecture, 4)}  # fmt: skip
        assert names == {"refined", "attention"}


# One of each kind; benchmarks/compress_budgets.py has all of them.
KINDS = (
    "drn",
    "e_rfdn",
    "e_rfdn_bs",
    "idn",
    "imdn",
    "lmswn",
    "mrdn",
    "rfdn",
    "rlfn",
    "span",
    "srb",
)


@pytest.mark.parametrize("name", KINDS)
def test_hits_random_budgets_and_rebuilds_to_the_bit(name: str, tmp_path: Path) -> None:
    rng = random.Random(name)
    network = prunable(build(shortened(preset(name, rng.choice((2, 3, 4))))))
    arch = network.architecture
    widths = prunable_widths(arch, 4)
    scores, importance = scores_of(network, widths, measure("lamp"))
    planned = []
    for figure in ("params", "macs"):
        limit = rng.uniform(0.35, 0.9) * cost_of(arch, figure)
        planned.append(plan(arch, widths, scores, figure, limit))
        assert 0.97 * limit <= planned[-1].cost <= limit, figure
    pruned = cut(network, importance, planned[0].architecture)
    assert sum(p.numel() for p in pruned.parameters()) == price(pruned.architecture).params
    save_weights(pruned, tmp_path / "net.safetensors")
    image = torch.rand(1, arch.colors, 19, 16)
    with torch.inference_mode():
        assert torch.equal(load(tmp_path / "net.safetensors")(image), pruned(image))
