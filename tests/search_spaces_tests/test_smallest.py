"""The least cost of a space: against every one of its networks, and what the proof rests on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Architecture, InputError, Space, price
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.smallest import descend, smallest

FIGURES = ("params", "macs", "activations")
RandomPoint = Callable[..., dict[str, Any]]
DISTILLATION = Space.load("distillation")

CCA = {"kind": "cca", "width": 4}
KINDS: dict[str, Any] = {
    "spab": {"kind": "spab", "convolution": "$convolution"},
    "group": {"kind": "distilling_group", "units": "$units", "distilled": 2},
    "chain": {
        "kind": "distillation", "distillation": "none", "stages": "$stages",
        "convolution": "$convolution", "last": "$last", "use": ["$attention"],
    },
    "fdc": {
        "kind": "distillation", "distillation": "fdc", "stages": "$stages", "last": "$last",
        "distilled": {"share": 0.5}, "distilled_attention": "$gate", "use": ["$attention"],
    },
}  # fmt: skip
CHOICES: dict[str, Any] = {
    "convolution": ["plain", "bsconv", "asymmetric"],
    "units": [1, 2],
    "stages": [2, 3],
    # Left out, it is as wide as the block: here null is not the least.
    "last": {"own": None, "narrow": 2},
    "gate": {"none": None, "pa": "pa", "cca": CCA},
    "attention": {
        "none": None,
        "cca": {"attention": {"kind": "cca", "width": "$width"}, "attention_place": "$place"},
        "pa": {"attention": "pa"},
    },
    "width": [8, 2],
    "place": ["after", "before"],
}
WHEN: dict[str, dict[str, Any]] = {
    "convolution": {"block": ["spab", "chain"]},
    "units": {"block": "group"},
    "stages": {"block": ["chain", "fdc"]},
    "last": {"block": ["chain", "fdc"]},
    "gate": {"block": "fdc"},
    "attention": {"block": ["chain", "fdc"]},
    "width": {"attention": "cca"},
    "place": {"attention": "cca"},
}
AROUND = {
    "stem": ["conv", "chain", "pyramid"],
    "fusion": ["concat", "span", "chain", "none"],
    "upsampler": ["pixelshuffle", "deconv", "near"],
    "image_skip": ["linear", "bilinear"],
    "activation": ["relu", "silu", "prelu"],
}


@st.composite
def small_spaces(draw: st.DrawFn) -> Space:
    """A few dimensions, each with its choices in any order: where a descent begins is chance."""

    def mixed(choices: Any) -> Any:
        labels = draw(st.permutations(list(choices)))
        return {k: choices[k] for k in labels} if isinstance(choices, dict) else labels

    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=2, unique=True))
    dimensions: dict[str, Any] = {"block": {"choices": {kind: KINDS[kind] for kind in kinds}}}
    for name, choices in CHOICES.items():
        (other, labels), *_ = WHEN[name].items()
        met = [one for one in ([labels] if isinstance(labels, str) else labels) if one in kinds]
        if other != "block":
            met = [labels] if other in dimensions else []
        if met:
            dimensions[name] = {"choices": mixed(choices), "when": {other: met}}
    template: dict[str, Any] = {"channels": "$channels", "blocks": [{"use": ["$block"]}]}
    for name in draw(st.lists(st.sampled_from(sorted(AROUND)), max_size=2, unique=True)):
        dimensions[name] = {"choices": mixed(AROUND[name])}
        template[name] = f"${name}"
    how = draw(st.sampled_from(["repeat", "within", "blocks", "merged", "width"]))
    if how == "repeat":
        dimensions["count"] = {"choices": mixed([1, 3])}
        template["blocks"][0]["repeat"] = "$count"
    elif how == "within":
        dimensions["block"]["choices"]["twice"] = {"kind": "spab", "repeat": 2}
    elif how == "blocks":
        dimensions["body"] = {"choices": {"one": ["spab"], "two": ["spab", {"use": ["$block"]}]}}
        template["blocks"] = "$body"
    elif how == "merged":
        dimensions["whole"] = {
            "choices": {"a": {"stem": "pyramid", "fusion": "concat"}, "b": {"fusion": "span"}}
        }
        template["use"] = ["$whole"]
    low = {"low": 4, "high": 6, "step": 2}
    if how == "width":
        dimensions["channels"] = {"choices": mixed([4, 8])}
        dimensions["more"] = {"fill": {"low": 1, "high": 2}}
        template["blocks"].append({"kind": "spab", "repeat": "$more"})
    else:
        dimensions["channels"] = {"fill": low}
    return Space.from_dict({"name": "small", "dimensions": dimensions, "architecture": template})


def every(space: Space) -> Iterator[Architecture]:
    names = [d.name for d in space.filling]
    for labels in space.combinations():
        for values in product(*(d.grid for d in space.filling)):
            try:
                yield space.architecture({**labels, **dict(zip(names, values, strict=True))})
            except InputError:
                continue


def figure(name: str) -> Callable[[Architecture], int]:
    return lambda arch: int(getattr(price(arch), name))


@settings(max_examples=30, deadline=None)
@given(small_spaces())
def test_it_is_the_least_of_all(space: Space) -> None:
    prices = [price(arch) for arch in every(space)]
    for name in FIGURES:
        cost, least = figure(name), min(getattr(one, name) for one in prices)
        assert cost(space.architecture(smallest(space, cost, 4))) == least
        assert cost(space.architecture(smallest(space, cost, 4, enough=least))) == least
        assert cost(space.architecture(descend(space, cost, 4))) >= least


def test_a_descent_stops_above_it() -> None:
    """The cheaper block begins with its dearest setting."""
    space = Space.from_dict(
        {
            "name": "valley",
            "dimensions": {
                "block": {
                    "choices": {
                        "group": {"kind": "distilling_group", "units": 1, "distilled": 2},
                        "spab": {"kind": "spab", "inner": "$inner"},
                    }
                },
                "inner": {"choices": [12, 1], "when": {"block": "spab"}},
                "channels": {"fill": {"low": 4, "high": 8}},
            },
            "architecture": {"channels": "$channels", "blocks": [{"use": ["$block"]}]},
        }
    )
    for name in FIGURES:
        cost, costs = figure(name), [getattr(price(arch), name) for arch in every(space)]
        low, least = (space.architecture(find(space, cost, 4)) for find in (descend, smallest))
        assert cost(low) > cost(least) == min(costs)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_below_it(name: str, random_point: RandomPoint) -> None:
    rng, cost = random.Random(4), figure(name)
    least = cost(DISTILLATION.architecture(smallest(DISTILLATION, cost, 4)))
    for _ in range(400):
        point = random_point(DISTILLATION, rng, blocks=2, channels=8)
        assert cost(DISTILLATION.architecture(point)) >= least


def test_an_optional_part_of_a_block_only_adds() -> None:
    """What lets `smallest` pass over all but its absence."""
    assert BLOCKS.optional_parts() == {"attention", "distilled_attention"}
    rng = random.Random(5)
    labels = [one for one in DISTILLATION.combinations() if one["attention"] != "none"]
    for one in rng.sample(labels, 150):
        with_it = DISTILLATION.architecture(DISTILLATION.least(one)).to_dict()
        (block,) = with_it["blocks"]
        for part in BLOCKS.optional_parts() & block.keys():
            bare = {key: value for key, value in block.items() if not key.startswith(part)}
            without = Architecture.from_dict({**with_it, "blocks": [bare]})
            for name in FIGURES:
                cost = figure(name)
                assert cost(without) <= cost(Architecture.from_dict(with_it))
    assert set(ATTENTIONS) >= {"cca", "esa", "esa_lite", "epa", "pa"}
