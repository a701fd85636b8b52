"""What every part has to keep to in pruning. A new line in a table is picked up here by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from compress.importance import measure
from compress.surgery import cut, prunable, scores_of
from compress.widths import prunable_widths, with_widths
from search_spaces import Architecture, Network, build, price
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.errors import InputError
from search_spaces.folding import folded
from search_spaces.fusions import FUSIONS
from search_spaces.upsamplers import UPSAMPLERS
from tests.search_spaces_tests.test_parts import changes, starts


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def network_of(block: Any, **fields: Any) -> Network:
    plain = {"scale": 2, "channels": 16, "blocks": [block] * 2, **fields}
    return build(Architecture.from_dict(plain)).eval()


def blocks() -> Iterator[Any]:
    """Every block from every start, with every value of every option on the way."""
    for kind in BLOCKS:
        for n, start in enumerate(starts(BLOCKS, kind)):
            plain = {"kind": kind, **start}
            yield pytest.param(plain, id=f"{kind}{n}")
            for change in changes(BLOCKS, kind) if n in (0, 4) else ():
                ((name, value),) = change.items()
                label = value["kind"] if isinstance(value, dict) else value
                yield pytest.param({**plain, **change}, id=f"{kind}{n}-{name}={label}")


def halved(network: Network) -> tuple[Network, Network]:
    """The network in prunable form, and with every one of its widths halved at once."""
    form = prunable(network)
    widths = prunable_widths(form.architecture, 1)
    _, importance = scores_of(form, widths, measure("l2"))
    target = with_widths(form.architecture, {w.place: w.at_most(w.now // 2) for w in widths})
    after = {w.place: w.now for w in prunable_widths(target, 1)}
    for width in widths:
        assert after.get(width.place, width.least) == width.at_most(width.now // 2), width.name
    # It is checked in there: outputs as those of the pruned modules, counts as priced.
    return form, cut(form, importance, target)


@pytest.mark.parametrize("plain", list(blocks()))
def test_every_width_that_a_block_names_can_be_halved(plain: dict[str, Any]) -> None:
    try:
        network = network_of(plain, blocks=[plain])
    except InputError:
        pytest.skip("without effect or not fitting here; it fits another start")
    block = folded(network.architecture).blocks[0]
    if dict(block.options).get("distillation") == "split" and block["convolution"].kind != "plain":
        with pytest.raises(InputError, match="a split after"):
            prunable(network)
        return
    form, small = halved(network)
    assert price(small.architecture).params < price(form.architecture).params


EVERY_START = [{"kind": kind, **start} for kind in BLOCKS for start in starts(BLOCKS, kind)]


@pytest.mark.parametrize("plain", EVERY_START, ids=lambda plain: plain["kind"])
def test_learned_slopes_go_with_their_channels(plain: dict[str, Any]) -> None:
    if plain.get("shallow_residual") and plain.get("distillation") == "split":
        pytest.skip("has no form for pruning")
    network = network_of(plain, activation="prelu")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.PReLU):
                module.weight.uniform_(0.1, 0.9)
    halved(network)


AROUND: list[dict[str, Any]] = [
    {"stem": part} for part in ("pyramid", "chain", {"kind": "conv", "kernel": 5})
]
AROUND += [{"fusion": part} for part in FUSIONS]
AROUND += [{"upsampler": part} for part in UPSAMPLERS]
AROUND += [{"upsampler": {"kind": "pixelshuffle", "inner": 9}}]


@pytest.mark.parametrize("fields", AROUND, ids=str)
def test_what_is_around_the_blocks_follows_the_trunk(fields: dict[str, Any]) -> None:
    _, small = halved(network_of("spab", activation="prelu", **fields))
    assert small.architecture.channels == 8


@pytest.mark.parametrize("kind", list(ATTENTIONS))
def test_an_attention_that_states_a_width_lets_it_shrink(kind: str) -> None:
    attention = {"kind": kind, **starts(ATTENTIONS, kind)[0]}
    network = network_of({"kind": "distillation", "stages": 2, "distillation": "none"}
                         | {"attention": attention})  # fmt: skip
    places = {w.place for w in prunable_widths(network.architecture, 1)}
    stated = "width" in dict(ATTENTIONS.parse(attention).options)
    assert (("blocks", 0, "attention", "width") in places) == stated
