from __future__ import annotations

from typing import Any

import pytest
import torch

from compress.finetune import images_of
from compress.fold import difference
from compress.importance import IMPORTANCES, measure
from compress.plan import floor_of
from compress.prune import Method, check_budget, prune
from compress.sensitivity import sensitivity
from compress.surgery import cut, prunable, scores_of
from compress.widths import prunable_widths, with_widths
from nas.data import Dataset
from nas.training.recipe import Recipe
from search_spaces import (
    Architecture,
    Network,
    build,
    preset,
    price,
)
from search_spaces.errors import InputError


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def tiny(**changes: Any) -> Network:
    block = {
        "kind": "distillation",
        "repeat": 2,
        "stages": 3,
        "distillation": "fdc",
        "distilled": 8,
        "last": 8,
        "shallow_residual": True,
        "attention": {"kind": "esa", "width": 8},
    }
    colors = changes.pop("colors", 3)
    data = {"scale": 2, "channels": 16, "image_skip": "linear", "blocks": [{**block, **changes}]}
    return build(Architecture.from_dict(data | {"colors": colors})).eval()


@pytest.mark.parametrize("skip", ["linear", "bilinear", "none"])
@pytest.mark.parametrize("inplace", ["leaky_relu", "relu"])
def test_a_plain_trunk_with_any_image_skip(skip: str, inplace: str) -> None:
    network = build(
        Architecture.from_dict(
            {
                "scale": 4, "channels": 8, "fusion": "chain", "activation": inplace,
                "image_skip": skip,
                "blocks": [{"kind": "distillation", "repeat": 2, "stages": 2,
                            "distillation": "none", "refined": 8, "last": 8}],
            }
        )
    )  # fmt: skip
    goal = int(0.7 * price(network.architecture).params)
    small = prune(network, "params", goal).network
    assert price(small.architecture).params <= goal


def test_a_network_without_blocks_is_pruned_by_its_trunk() -> None:
    network = build(preset("espcn", 2)).eval()
    small = prune(network, "params", int(0.7 * price(network.architecture).params)).network
    assert small.architecture == Architecture.from_dict(
        network.architecture.to_dict() | {"channels": 40}
    )


class TestPruning:
    @pytest.mark.parametrize("importance", IMPORTANCES)
    def test_every_importance(self, importance: str, small_photos: Dataset) -> None:
        network = tiny()
        limit = 0.6 * price(network.architecture).params
        needs = importance == "taylor"
        pruned = prune(
            network, "params", limit, Method(importance), dataset=small_photos if needs else None
        )
        assert 0.97 * limit < pruned.after.params <= limit
        assert pruned.before == price(network.architecture)

    def test_weak_channels_go(self) -> None:
        network = tiny(shallow_residual=False)
        weak = [1, 4, 5, 9]
        with torch.no_grad():
            for k in (0, 1):
                block: Any = network.blocks[k]
                block.stages[0].conv.weight[weak] *= 1e-4
                block.stages[0].conv.bias[weak] = 0
        form = prunable(network)
        widths = prunable_widths(form.architecture, 4)
        _, importance = scores_of(form, widths, measure("l2"))
        place = ("blocks", 0, "refined", 0)
        smaller = cut(form, importance, with_widths(form.architecture, {place: 12}))
        assert smaller.architecture.blocks[0]["refined"] == (12, 16)
        assert smaller.architecture.blocks[1]["refined"] == (16, 16)
        # What goes carries next to nothing, so next to nothing changes.
        assert difference(form, smaller) < 1e-3

    def test_uniform_shrinks_the_trunk_too(self) -> None:
        network = tiny()
        limit = 0.5 * price(network.architecture).params
        uniform = prune(network, "params", limit, Method(uniform=True))
        chosen = prune(network, "params", limit)
        assert uniform.network.architecture.channels < 16
        assert chosen.network.architecture.channels == 16

    def test_again_and_again(self) -> None:
        network = tiny()
        first = prune(network, "macs", 0.8 * price(network.architecture).macs).network
        second = prune(first, "macs", 0.8 * price(first.architecture).macs)
        assert second.after.macs <= 0.8 * second.before.macs
        assert second.before == price(first.architecture)

    def test_weighted_residuals_that_stay(self) -> None:
        network = tiny(residual="weighted", attention={"kind": "cca", "width": 8})
        with torch.no_grad():
            for block in network.blocks:
                block.weights.copy_(torch.tensor([0.5, -0.5]))  # type: ignore[operator]
        pruned = prune(network, "params", 0.6 * price(network.architecture).params).network
        assert pruned.architecture.blocks[0]["residual"] == "weighted"
        assert dict(pruned.named_parameters())["blocks.0.weights"].tolist() == [0.5, -0.5]

    def test_refit_comes_nearer_to_the_network(self, small_photos: Dataset) -> None:
        network = tiny()
        for parameter in network.upsampler.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
        limit = 0.6 * price(network.architecture).params
        image = images_of(network, small_photos)
        apart = []
        for refit in (False, True):
            method = Method(refit=refit)
            small = prune(network, "params", limit, method, dataset=small_photos).network
            with torch.no_grad():
                apart.append(float((small(image) - network(image)).square().mean()))
        assert apart[1] < 0.5 * apart[0]

    @pytest.mark.parametrize("value", [0.0, 1e-30])
    def test_refit_of_weights_that_are_all_zero(self, value: float, small_photos: Dataset) -> None:
        network = tiny()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(value)
        limit = 0.6 * price(network.architecture).params
        small = prune(network, "params", limit, Method(), dataset=small_photos).network
        assert price(small.architecture).params <= limit
        assert all(parameter.isfinite().all() for parameter in small.parameters())

    @pytest.mark.parametrize("colors", [1, 3])
    def test_an_image_skip_stays_as_it_is(self, colors: int, small_photos: Dataset) -> None:
        network = tiny(colors=colors)
        with torch.no_grad():
            for weights in (*network.upsampler.parameters(), *network.image_skip.parameters()):
                weights.add_(torch.randn_like(weights), alpha=0.05)
        form = prunable(network)
        widths = prunable_widths(form.architecture, 4)
        _, importance = scores_of(form, widths, measure("lamp"))
        assert not any(name.startswith(("image_skip", "upsampler")) for name in importance)
        limit = 0.5 * price(network.architecture).params
        pruned = prune(network, "params", limit, dataset=small_photos).network
        before, after = (one.state_dict()["image_skip.conv.weight"] for one in (network, pruned))
        assert torch.equal(before, after)
        assert pruned.architecture.image_skip == network.architecture.image_skip

    def test_fine_tunes_in_rounds_and_keeps_the_better(self, small_photos: Dataset) -> None:
        network = tiny()
        recipe = Recipe(steps=20, batch=2, lr_size=12, warmup_steps=4, precision="fp32")
        seen: list[int] = []
        pruned = prune(
            network, "params", 0.5 * price(network.architecture).params, Method(rounds=2),
            dataset=small_photos, recipe=recipe, on_step=lambda step, _: seen.append(step),
        )  # fmt: skip
        assert seen == list(range(1, 21))
        assert len(pruned.rounds) == 2
        assert pruned.rounds[0].price.params > pruned.rounds[1].price.params
        for one in pruned.rounds:
            assert one.pruned_db is not None
            assert one.tuned_db is not None
            assert one.kept == (one.tuned_db > one.pruned_db)

    def test_the_given_network_stays(self) -> None:
        network = tiny()
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        prune(network, "params", 0.6 * price(network.architecture).params)
        assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())


class TestBadInput:
    def test_above_the_price(self) -> None:
        network = tiny()
        own = price(network.architecture).params
        with pytest.raises(InputError, match=f"above the network's own {own:,}"):
            prune(network, "params", own)

    def test_a_higher_floor_leaves_no_width_below_it(self) -> None:
        network, method = tiny(), Method(floor=0.6)
        arch = prunable(network).architecture
        lowest = floor_of(arch, prunable_widths(arch, 4, 0.6), "params")
        assert lowest > floor_of(arch, prunable_widths(arch, 4), "params")
        with pytest.raises(InputError, match=f"floor of {lowest:,} \\(60% of every width"):
            check_budget(network, "params", lowest - 1, method)
        pruned = prune(network, "params", lowest, method).network
        assert pruned.architecture.channels == 12
        with pytest.raises(InputError, match="above 0 and below 1"):
            Method(floor=1.0)

    def test_below_the_floor_says_the_floor(self) -> None:
        network = tiny()
        arch = prunable(network).architecture
        floor = floor_of(arch, prunable_widths(arch, 4), "params")
        with pytest.raises(InputError, match=f"floor of {floor:,}"):
            check_budget(network, "params", floor - 1)
        assert prune(network, "params", floor).after.params == floor

    def test_gradients_and_fine_tuning_need_photos(self) -> None:
        network = tiny()
        limit = 0.6 * price(network.architecture).params
        with pytest.raises(InputError, match="importance taylor needs photos"):
            prune(network, "params", limit, Method("taylor"))
        with pytest.raises(InputError, match="fine-tuning needs photos"):
            prune(network, "params", limit, recipe=Recipe())

    def test_unknown_importance(self) -> None:
        with pytest.raises(InputError, match="expected one of l1"):
            Method("l3")


def test_sensitivity_of_every_width(small_photos: Dataset) -> None:
    network = tiny()
    for parameter in network.upsampler.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    rows = sensitivity(network, small_photos)
    widths = prunable_widths(prunable(network).architecture, 4)
    assert {row.name for row in rows} == {width.name for width in widths}
    assert all(row.halved == row.width // 2 for row in rows)
    assert all(row.params_saved > 0 and row.macs_saved > 0 for row in rows)
    drops = [row.psnr_drop_db for row in rows]
    assert drops == sorted(drops, reverse=True)
